"""Fills an empty Tryton with a part of the demo shop. Run in Tryton's own environment, never imported by Mayak.

    python tryton_seed.py DATABASE TRYTOND_CONF SHOP_FOLDER OUT_JSON

The catalogue is the demo's; of the orders those that the contract and the story need, as Tryton would hold them:

    1051 quotation · 1090 processing, waiting, unpaid · 1093 processing, packed · 1095 processing, waiting, paid
    1045-А and 1077 shipped · 1008 and 1019 done · 1062 cancelled · 1097 shipment called off

OUT_JSON gets {"bot": key, "clerk": key}: keys of the REST application, of the bot and of a user without any group.
"""

import datetime
import json
import sys
from decimal import Decimal
from pathlib import Path

from proteus import Model, Wizard, config
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, get_accounts
from trytond.modules.account_invoice.tests.tools import create_payment_term, set_fiscalyear_invoice_sequences
from trytond.modules.company.tests.tools import create_company, get_company

TODAY = datetime.date.today()
STEPS = {
    "waiting": (),
    "packed": ("assign_force", "pick", "pack"),
    "shipped": ("assign_force", "pick", "pack", "ship"),
    "done": ("assign_force", "pick", "pack", "do"),
}
ORDERS = {
    # number: (shipment's state or the sale's, paid)
    "1008": ("done", True),
    "1019": ("done", True),
    "1045-А": ("shipped", True),
    "1051": ("quotation", False),
    "1062": ("cancelled", False),
    "1077": ("shipped", False),
    "1090": ("waiting", False),
    "1093": ("packed", True),
}
CUSTOMERS = ("c-001", "c-002", "c-003", "c-004")


def main() -> None:
    database, conf, shop, out = sys.argv[1:]
    cfg = config.set_trytond(database=database, user="admin", config_file=conf)
    cfg.skip_warning = True
    files = {
        name: json.loads((Path(shop) / f"{name}.json").read_text("utf-8"))
        for name in ("customers", "products", "orders")
    }
    seed = Seed(cfg)
    seed.catalogue(files["products"])
    for row in files["customers"]["customers"]:
        if row["id"] in CUSTOMERS:
            seed.customer(row)
    for row in sorted(files["orders"]["orders"], key=lambda row: row["placed_day"]):
        if row["id"] in ORDERS:
            seed.order(row, *ORDERS[row["id"]])
    seed.further_orders(files["orders"]["orders"])
    Path(out).write_text(json.dumps(seed.users()), "utf-8")


class Seed:
    """A company in roubles, and what is put into it."""

    def __init__(self, cfg) -> None:
        self.cfg = cfg
        self._speak_russian()
        create_company(currency="RUB")
        self.company = get_company()
        create_chart(self.company)
        years = (datetime.date(TODAY.year - 1, 1, 1), datetime.date(TODAY.year + 2, 12, 31))
        year = set_fiscalyear_invoice_sequences(create_fiscalyear(self.company, years))
        year.click("create_period")
        self.accounts = get_accounts(self.company)
        Category = Model.get("product.category")
        self.accounting = Category(name="goods", accounting=True)
        self.accounting.account_expense = self.accounts["expense"]
        self.accounting.account_revenue = self.accounts["revenue"]
        self.accounting.save()
        self.term = create_payment_term()
        self.term.save()
        (self.unit,) = Model.get("product.uom").find([("symbol", "=", "u")])
        (self.storage,) = Model.get("stock.location").find([("code", "=", "STO")])
        Journal, Method = Model.get("account.journal"), Model.get("account.invoice.payment.method")
        (cash,) = Journal.find([("type", "=", "cash")], limit=1)
        self.paying = Method(name="cash", journal=cash)
        self.paying.credit_account = self.paying.debit_account = self.accounts["cash"]
        self.paying.save()
        self.box = Model.get("stock.package.type")(name="Box")
        self.box.save()
        self.products, self.parties = {}, {}

    def _speak_russian(self) -> None:
        Lang = Model.get("ir.lang")
        (russian,) = Lang.find([("code", "=", "ru")])
        if not russian.translatable:
            russian.translatable = True
            russian.save()

    def catalogue(self, file) -> None:
        """All products; their Russian names first, the English ones as a translation."""
        Category = Model.get("product.category")
        kinds = {}
        for code, names in file["categories"].items():
            kinds[code] = self._named(Category(code=code), names)
        inventory = Model.get("stock.inventory")(location=self.storage)
        for row in file["products"]:
            for product, variant in zip(self._template(row, kinds), row["variants"], strict=True):
                self.products[variant["code"]] = product
                if variant["stock"]:
                    line = inventory.lines.new(product=product)
                    line.quantity, line.expected_quantity = float(variant["stock"]), 0.0
        inventory.click("confirm")
        Template = Model.get("product.template")
        self.delivery = self._named(
            Template(
                code="DELIVERY", default_uom=self.unit, type="service", salable=True, list_price=Decimal(0)
            ),
            {"ru": "Доставка", "en": "Delivery"},
            account_category=self.accounting,
        ).products[0]
        Party, Carrier = Model.get("party.party"), Model.get("carrier")
        party = Party(name="Волжский курьер")
        party.save()
        self.carrier = Carrier(party=party, carrier_product=self.delivery, carrier_cost_method="product")
        self.carrier.save()

    def _template(self, row, kinds):
        Template, variants = Model.get("product.template"), row["variants"]
        template = Template(default_uom=self.unit, type="goods", salable=True, code=row["code"])
        template.list_price = Decimal(variants[0]["price"])
        template.categories.append(type(kinds[row["category"]])(kinds[row["category"]].id))
        for _ in variants[1:]:
            template.products.new()
        for product, variant in zip(template.products, variants, strict=True):
            product.suffix_code = variant["code"].removeprefix(row["code"])
            if variant["price"] != variants[0]["price"]:
                product.list_price = Decimal(variant["price"])
        self._named(template, row["title"], account_category=self.accounting)
        found = {product.code: product for product in template.products}
        return [found[variant["code"]] for variant in variants]

    def _named(self, record, names, **more):
        for name, value in more.items():
            setattr(record, name, value)
        with self.cfg.set_context(language="en"):
            record.name = names["en"]
            record.save()
        with self.cfg.set_context(language="ru"):
            again = type(record)(record.id)
            again.name = names["ru"]
            again.save()
        return type(record)(record.id)

    def customer(self, row) -> None:
        """A party whose code is the customer's id, with contacts, and one who signs in by e-mail."""
        Party, Web, Lang = Model.get("party.party"), Model.get("web.user"), Model.get("ir.lang")
        party = Party(name=row["name"], code=row["id"])
        (party.lang,) = Lang.find([("code", "=", row["language"])])
        party.contact_mechanisms.new(type="email", value=row["email"])
        party.contact_mechanisms.new(type="mobile", value=row["phone"])
        identifier = party.identifiers.new()
        identifier.code = f"site-{row['id']}"
        party.addresses[0].city = row["city"]
        party.save()
        Web(email=row["email"], party=party).save()
        self.parties[row["id"]] = party

    def order(self, row, state: str, paid: bool, *, number: str = "") -> None:
        """A sale with its lines and a delivery line, brought as far as `state` tells."""
        party = self.parties[row["owner"]]
        Sale = Model.get("sale.sale")
        sale = Sale(party=party, payment_term=self.term, invoice_method="order")
        if state != "quotation":
            self._deliver(sale, row["delivery_price"])
        elif row["delivery_price"]:
            sale.shipment_cost_method = None
            self._line(sale, self.delivery, 1, row["delivery_price"])
        sale.sale_date = TODAY + datetime.timedelta(days=row["placed_day"])
        sale.shipment_address = self._address(party, row["address"])
        for item in row["items"]:
            self._line(sale, self.products[item["code"]], item["quantity"], item["price"])
        self._number(number or row["id"])
        sale.click("quote")
        if state == "cancelled":
            sale.click("cancel")
        elif state != "quotation":
            sale.click("confirm")
            if sale.state == "confirmed":
                sale.click("process")
            for shipment in sale.shipments:
                self._send(shipment, state)
            if paid:
                self._pay(sale)

    def further_orders(self, rows) -> None:
        """Orders that the demo has no like of."""
        known = {row["id"]: row for row in rows}
        self.order(known["1093"], "waiting", True, number="1095")
        self.order(known["1090"], "waiting", False, number="1097")
        (sale,) = Model.get("sale.sale").find([("number", "=", "1097")])
        sale.shipments[0].click("cancel")

    def _deliver(self, sale, price: int) -> None:
        """Have the order brought by the one carrier, for this price."""
        template = self.delivery.template
        template.list_price = Decimal(price)
        template.save()
        sale.carrier, sale.shipment_cost_method = self.carrier, "order" if price else None

    def _number(self, wanted: str) -> None:
        """Let the next order be numbered so: its number is Tryton's to give, its sequence is ours to set."""
        sequence = Model.get("sale.configuration")(1).sale_sequence
        digits, dash, letter = wanted.partition("-")
        sequence.number_next, sequence.suffix = int(digits), dash + letter
        sequence.save()

    def _address(self, party, wanted):
        Address = Model.get("party.address")
        same = [("party", "=", party.id), ("street_unstructured", "=", wanted["line"])]
        found = Address.find(same, limit=1)
        if found:
            return found[0]
        address = Address(party=party, street_unstructured=wanted["line"])
        address.city, address.postal_code = wanted["city"], wanted["postcode"]
        address.save()
        return address

    def _line(self, sale, product, quantity: int, price: int) -> None:
        line = sale.lines.new()
        line.product = product
        line.quantity = float(quantity)
        line.unit_price = Decimal(price)

    def _send(self, shipment, state: str) -> None:
        for step in STEPS[state]:
            if step == "pack":
                package = shipment.root_packages.new(type=self.box)
                for move in shipment.outgoing_moves:
                    package.moves.append(type(move)(move.id))
                package.shipping_reference = f"FNR{shipment.number.zfill(9)}"
                shipment.save()
            shipment.click(step)

    def _pay(self, sale) -> None:
        sale.reload()
        for invoice in sale.invoices:
            invoice.invoice_date = sale.sale_date
            invoice.click("post")
            pay = Wizard("account.invoice.pay", [invoice])
            pay.form.payment_method = self.paying
            pay.form.date = sale.sale_date
            pay.execute("choice")

    def users(self):
        """Make the bot and a user without rights, and give the administrator rights; return the keys of both."""
        User, Key, Group = (Model.get(name) for name in ("res.user", "res.user.application", "res.group"))
        self.cfg._context["_check_access"] = False
        keys = {}
        for login, groups in {"bot": ["Sales", "Stock"], "clerk": []}.items():
            user = User(name=login, login=login, company=self.company)
            user.companies.append(type(self.company)(self.company.id))
            for group in Group.find([("name", "in", groups)]):
                user.groups.append(group)
            user.save()
            key = Key(user=user, application="rest")
            key.save()
            keys[login] = key.key
        admin = User(self.cfg.user)
        for group in Group.find([("name", "in", ["Sales", "Stock", "Accounting"])]):
            admin.groups.append(group)
        admin.save()
        return keys


if __name__ == "__main__":
    main()
