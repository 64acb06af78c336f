"""Fills the tests' Bitrix24 with a part of the demo shop, as a company would keep it there.

    1051 N, unpaid · 1090 N, cash, unpaid · 1045-А and 1077 shipments in the company's status DT · 1093 in its DP
    1008, 1019 F · 1062 canceled · every other order of the four by what it is; returned ones in RT, which nobody explained

Customers' ids stand in the contacts' field UF_CRM_SITE_ID.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.systems.bitrix24 import Portal
from tests.tools.shop import SHOP
from tools.crm.port import Customer
from tools.orders.port import Order, Product

SITE_ID = "UF_CRM_SITE_ID"
STATES = ("DP=packed", "DT=shipped")
CUSTOMERS = ("c-001", "c-002", "c-003", "c-004")
MOSCOW = ZoneInfo("Europe/Moscow")
GOODS, OFFERS, BASE = 24, 26, 1
FIO, EMAIL, PHONE, ADDRESS, CITY, ZIP, PLACE, FILE = 20, 21, 22, 26, 27, 28, 29, 30
_PROPERTIES = {
    FIO: ("FIO", "STRING", {}),
    EMAIL: ("EMAIL", "STRING", {"isEmail": "Y"}),
    PHONE: ("PHONE", "STRING", {"isPhone": "Y"}),
    ADDRESS: ("ADDRESS", "STRING", {"isAddress": "Y"}),
    CITY: ("CITY", "STRING", {}),
    ZIP: ("ZIP", "STRING", {"isZip": "Y"}),
    PLACE: ("LOCATION", "LOCATION", {"isLocation": "Y"}),
    FILE: ("DOC", "FILE", {}),
}
_FLAGS = ("isAddress", "isAddressFrom", "isAddressTo", "isEmail", "isLocation", "isPayer", "isPhone", "isZip")
_UNPAID = frozenset({"1051", "1090", "1062"})


def portal() -> Portal:
    """Return one with the demo's goods, four of its customers and their orders."""
    made = Portal(properties=[_property(id) for id in _PROPERTIES])
    made.catalogs = [
        {"iblockId": GOODS, "id": GOODS, "lid": "s1", "name": "Каталог", "productIblockId": None, "vatId": 1},
        {
            "iblockId": OFFERS,
            "id": OFFERS,
            "lid": "s1",
            "name": "Вариации",
            "productIblockId": GOODS,
            "vatId": 1,
        },
    ]
    made.price_types = [
        {"id": BASE, "name": "BASE", "base": "Y", "sort": 100, "xmlId": "BASE"},
        {"id": 2, "name": "OPT", "base": "N", "sort": 200, "xmlId": "opt"},
    ]
    for product in SHOP.products:
        _add_product(made, product)
    for n, customer in enumerate((one for one in SHOP.customers if one.id in CUSTOMERS), start=1):
        made.contacts.append(contact(100 + n, customer))
    for n, order in enumerate(sorted(SHOP.orders, key=lambda one: one.placed), start=1):
        if order.owner in CUSTOMERS:
            add_order(made, order, id=1000 + n)
    return made


def contact(id: int, customer: Customer) -> dict[str, Any]:
    """A contact of the CRM as it is shown with its own fields."""
    first, _, last = customer.name.partition(" ")
    phones = {"id": 10 * id, "typeId": "PHONE", "valueType": "MOBILE", "value": customer.phone}
    emails = {"id": 10 * id + 1, "typeId": "EMAIL", "valueType": "WORK", "value": customer.email}
    return {
        "id": id,
        "name": first,
        "lastName": last,
        "secondName": None,
        "companyId": 0,
        "opened": "Y",
        "hasPhone": "Y",
        "hasEmail": "Y",
        "createdTime": "2025-07-22T18:00:08+03:00",
        "updatedTime": "2025-07-22T18:00:08+03:00",
        "fm": [phones, emails],
        "entityTypeId": 3,
        SITE_ID: customer.id,
    }


def add_order(made: Portal, order: Order, *, id: int) -> dict[str, Any]:
    """Keep an order, bound to a deal of its contact; return it."""
    (owner,) = [one for one in made.contacts if one[SITE_ID] == order.owner]
    made.deals.append({"id": id + 5000, "contactId": owner["id"], "title": f"Заказ {order.id}"})
    made.bindings.append({"orderId": id, "ownerId": id + 5000, "ownerTypeId": 2})
    paid = order.payment.state != "due" and order.id not in _UNPAID
    deducted = order.status in ("shipped", "delivered", "returned")
    going = deducted or order.status == "packed"
    placed = _moment(order.placed)
    kept = {
        **_ORDER,
        "id": id,
        "accountNumber": str(order.id),
        "canceled": "Y" if order.status == "cancelled" else "N",
        "dateInsert": placed,
        "dateStatus": placed,
        "dateUpdate": placed,
        "payed": "Y" if paid else "N",
        "price": float(order.total),
        "statusId": {"delivered": "F", "returned": "RT"}.get(order.status, "P" if paid else "N"),
        "clients": [_client(id, owner["id"])],
        "basketItems": [_line(id, n, item) for n, item in enumerate(order.items, start=1)],
        "payments": [_payment(id, order, paid=paid)],
        "shipments": [_shipment(id, order, deducted=deducted, going=going)],
        "propertyValues": _values(id, order, owner),
    }
    made.orders.append(kept)
    return kept


def _moment(at: datetime) -> str:
    return at.astimezone(MOSCOW).replace(microsecond=0).isoformat()


def _client(id: int, contact: int) -> dict[str, Any]:
    return {
        "id": id,
        "entityId": contact,
        "entityTypeId": 3,
        "isPrimary": "Y",
        "orderId": id,
        "roleId": 0,
        "sort": 0,
    }


def _line(id: int, n: int, item: Any) -> dict[str, Any]:
    return {
        "id": str(10 * id + n),
        "orderId": str(id),
        "name": item.title.ru,
        "price": float(item.price),
        "basePrice": float(item.price),
        "quantity": item.quantity,
        "currency": "RUB",
        "measureName": "шт",
        "productId": 3000 + n,
        "productXmlId": item.code,
        "setParentId": "",
        "type": "",
    }


def _payment(id: int, order: Order, *, paid: bool) -> dict[str, Any]:
    back = paid and order.payment.state == "refunded"
    return {
        "id": id,
        "accountNumber": f"{order.id}/1",
        "currency": "RUB",
        "orderId": id,
        "paid": "Y" if paid and not back else "N",
        "datePaid": _moment(order.placed) if paid else None,
        "isReturn": "Y" if back else "N",
        "paySystemId": 48,
        "paySystemIsCash": "Y" if order.payment.method == "cash" else "N",
        "paySystemName": "Оплата",
        "sum": float(order.total),
    }


def _shipment(id: int, order: Order, *, deducted: bool, going: bool) -> dict[str, Any]:
    status = {"packed": "DP", "shipped": "DT", "delivered": "DF", "returned": "DF"}.get(order.status, "DN")
    return {
        "id": id,
        "accountNumber": f"{order.id}/2",
        "allowDelivery": "Y" if going else "N",
        "canceled": "N",
        "currency": "RUB",
        "dateDeducted": _moment(order.fulfilment.shipped or order.placed) if deducted else None,
        "deducted": "Y" if deducted else "N",
        "deliveryId": 1,
        "deliveryName": order.fulfilment.carrier,
        "marked": "N",
        "orderId": id,
        "priceDelivery": float(order.delivery_price),
        "statusId": status,
        "system": "N",
        "trackingNumber": order.fulfilment.tracking or "" if going else "",
    }


def _values(id: int, order: Order, owner: dict[str, Any]) -> list[dict[str, Any]]:
    told = {
        FIO: f"{owner['name']} {owner['lastName']}",
        PHONE: owner["fm"][0]["value"],
        EMAIL: owner["fm"][1]["value"],
        ADDRESS: order.address.line,
        CITY: order.address.city,
        ZIP: order.address.postcode,
    }
    return [
        {
            "id": 100 * id + property,
            "code": _PROPERTIES[property][0],
            "name": _PROPERTIES[property][0],
            "orderPropsId": property,
            "orderPropsXmlId": None,
            "value": told.get(property),
        }
        for property in _PROPERTIES
    ]


def _property(id: int) -> dict[str, Any]:
    code, kind, flags = _PROPERTIES[id]
    own = {flag: "N" for flag in _FLAGS} | flags
    return {
        "id": id,
        "code": code,
        "name": code,
        "type": kind,
        "multiple": "N",
        "active": "Y",
        "sort": id,
        **own,
    }


def _add_product(made: Portal, product: Product) -> None:
    """A product is bought as one of its offers, each with a price and a stock of its own."""
    section = next((one for one in made.sections if one["code"] == product.category), None)
    if section is None:
        section = {"id": 50 + len(made.sections), "name": product.category_title.ru, "code": product.category}
        made.sections.append({**section, "iblockId": GOODS, "active": "Y"})
    id = 2000 + 20 * len(made.skus)
    common = {"active": "Y", "available": "Y"}
    made.skus.append(
        {
            **common,
            "id": id,
            "iblockId": GOODS,
            "iblockSectionId": section["id"],
            "name": product.title.ru,
            "quantity": None,
            "type": 3,
            "xmlId": product.code,
        }
    )
    for n, variant in enumerate(product.variants, start=1):
        offer = {
            **common,
            "id": id + n,
            "iblockId": OFFERS,
            "iblockSectionId": None,
            "name": variant.title.ru,
            "parentId": {"value": str(id), "valueId": str(9000 + id + n)},
            "quantity": variant.stock,
            "quantityTrace": "Y",
            "type": 4,
            "xmlId": variant.code,
        }
        made.offers.append(offer)
        price = {"id": id + n, "productId": id + n, "currency": "RUB"}
        made.prices.append({**price, "catalogGroupId": BASE, "price": float(variant.price)})
        made.prices.append({**price, "id": 90000 + id + n, "catalogGroupId": 2, "price": 1})


_ORDER: dict[str, Any] = {
    "comments": "",
    "companyId": 0,
    "currency": "RUB",
    "dateCanceled": None,
    "deducted": "N",
    "discountValue": 0,
    "lid": "s1",
    "marked": "N",
    "personTypeId": 3,
    "reasonCanceled": "",
    "requisiteLink": [],
    "responsibleId": 1,
    "userId": 1,
    "version": 1,
    "xmlId": "",
}
