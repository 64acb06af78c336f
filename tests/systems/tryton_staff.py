"""What the company's people do in Tryton while a test runs. Run in Tryton's own environment, never imported by Mayak.

python tryton_staff.py http://admin:password@host:port/database/rpc/ sell CUSTOMER PRODUCT QUANTITY   prints the number
… quote CUSTOMER PRODUCT QUANTITY                     leaves it a quotation, prints the number
… ship NUMBER STEP…                                   presses buttons of its shipments: assign_force pick pack ship do
… pay NUMBER                                          posts its invoices and pays them
… archive CUSTOMER                                    makes the party inactive
… returns NUMBER BUTTON…                               presses buttons of what takes the sale back; prints what it was
… state NUMBER                                        prints the sale's state and how many addresses its party has
"""

import datetime
import sys

from proteus import Model, Wizard, config


def main() -> None:
    database, conf, command, *arguments = sys.argv[1:]
    cfg = config.set_trytond(database=database, user="admin", config_file=conf)
    cfg.skip_warning = True
    globals()[command](*arguments)


def sell(customer: str, product: str, quantity: str) -> None:
    sale = _quoted(customer, product, quantity)
    sale.click("confirm")
    if sale.state == "confirmed":
        sale.click("process")
    print(sale.number)


def quote(customer: str, product: str, quantity: str) -> None:
    print(_quoted(customer, product, quantity).number)


def ship(number: str, *steps: str) -> None:
    for shipment in _sale(number).shipments:
        for step in steps:
            if step == "pack":
                (box,) = Model.get("stock.package.type").find([], limit=1)
                package = shipment.root_packages.new(type=box, shipping_reference=f"STORY{shipment.number}")
                for move in shipment.outgoing_moves:
                    package.moves.append(type(move)(move.id))
                shipment.save()
            shipment.click(step)


def pay(number: str) -> None:
    (method,) = Model.get("account.invoice.payment.method").find([], limit=1)
    for invoice in _sale(number).invoices:
        invoice.invoice_date = datetime.date.today()
        invoice.click("post")
        paying = Wizard("account.invoice.pay", [invoice])
        paying.form.payment_method = method
        paying.form.date = datetime.date.today()
        paying.execute("choice")


def archive(customer: str) -> None:
    (party,) = Model.get("party.party").find([("code", "=", customer)])
    party.active = False
    party.save()


def returns(number: str, *buttons: str) -> None:
    sale = _sale(number)
    found = Model.get("sale.sale").find(
        [("origin", "=", f"sale.sale,{sale.id}"), ("state", "!=", "cancelled")]
    )
    for back in found:
        lines = [f"{line.product.code} {line.quantity}" for line in back.lines if line.product]
        print(back.state, *lines)
        for button in buttons:
            back.click(button)


def state(number: str) -> None:
    sale = _sale(number)
    addresses = Model.get("party.address").find([("party", "=", sale.party.id)])
    print(sale.state, len(addresses))


def _quoted(customer: str, product: str, quantity: str):
    Sale = Model.get("sale.sale")
    (party,) = Model.get("party.party").find([("code", "=", customer)])
    (goods,) = Model.get("product.product").find([("code", "=", product)])
    (term,) = Model.get("account.invoice.payment_term").find([], limit=1)
    (sequence,) = {Model.get("sale.configuration")(1).sale_sequence}
    if sequence.suffix:
        sequence.suffix = ""
        sequence.save()
    sale = Sale(party=party, payment_term=term, invoice_method="order", shipment_cost_method=None)
    line = sale.lines.new()
    line.product = goods
    line.quantity = float(quantity)
    sale.click("quote")
    return sale


def _sale(number: str):
    (sale,) = Model.get("sale.sale").find([("number", "=", number)])
    return sale


if __name__ == "__main__":
    main()
