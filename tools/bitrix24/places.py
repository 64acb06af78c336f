"""Where an order goes: which of its properties are the street, the town and the postcode, and how they are changed. Pure.

Bitrix24 writes all properties of an order at once and forgets what it is not given: so each keeps its value, and an
order with a value that cannot be given back as it came – a file, a place on a map – is left to people.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tools.address import Address
from tools.bitrix24.rows import OrderRow, PropertyRow

Properties = Mapping[int, PropertyRow]
"""The properties that orders of the portal have, by their ids."""

_CITY = "CITY"
_TEXT = "STRING"


def address_of(order: OrderRow, *, properties: Properties) -> Address:
    """Return where the order goes as far as its properties say it in words; an empty line where they do not."""
    line, city, postcode = (_said(order, place) for place in _places(order, properties=properties))
    return Address(line=line, city=city, postcode=postcode)


def kept_as(order: OrderRow, address: Address, *, properties: Properties) -> Address:
    """Return the address as the order can hold it: town and postcode in fields of their own where it has them."""
    said = address.tidy()
    _, city, postcode = _places(order, properties=properties)
    own = {"city": said.city if city else "", "postcode": said.postcode if postcode else ""}
    rest = ("" if postcode else said.postcode, said.country, said.region, "" if city else said.city)
    street = ", ".join(part for part in (*rest, said.line, said.extra) if part)
    # Without a street and a house the rest leads nowhere.
    return Address(line=street if said.line else "", **own)


def movable(order: OrderRow, *, properties: Properties) -> bool:
    """Say whether a new address can be written without losing or contradicting anything else of the order."""
    if order.property_values is None:
        return False
    said = [one for one in order.property_values if one.value not in _NOTHING]
    kinds = [properties.get(one.order_props_id) for one in said]
    # A place chosen from a list stays when the street changes, and tells the price of the delivery.
    if any(kind is None or kind.type not in _PLAIN for kind in kinds):
        return False
    line, _, _ = _places(order, properties=properties)
    plain = all(_plain(one.value) for one in said)
    return plain and line is not None and bool(_said(order, line))


def rewritten(order: OrderRow, address: Address, *, properties: Properties) -> list[dict[str, Any]]:
    """Return all values of the order's properties, with this address in its places."""
    line, city, postcode = _places(order, properties=properties)
    new = {
        place: part
        for place, part in ((line, address.line), (city, address.city), (postcode, address.postcode))
    }
    values = (
        (one.order_props_id, new.get(one.order_props_id, one.value)) for one in order.property_values or ()
    )
    return [{"orderPropsId": id, "value": value} for id, value in values if value not in (None, [])]


def goes_to(order: OrderRow, address: Address, *, properties: Properties) -> bool:
    """Say whether the order goes to exactly this address."""
    return address_of(order, properties=properties) == address


def others(order: OrderRow, *, properties: Properties) -> list[tuple[int, str]]:
    """Return what the order's other properties say: a change of address leaves them as they are."""
    places = set(_places(order, properties=properties))
    return sorted(
        (one.order_props_id, repr(one.value))
        for one in order.property_values or ()
        if one.order_props_id not in places and one.value not in _NOTHING
    )


_PLAIN = frozenset({_TEXT, "Y/N", "NUMBER", "ENUM", "DATE"})
_NOTHING: tuple[Any, ...] = (None, "", [])


def _places(order: OrderRow, *, properties: Properties) -> tuple[int | None, int | None, int | None]:
    """Return the ids of the order's only property for the street, the town and the postcode; None for none or several."""
    own = [
        properties[one.order_props_id]
        for one in order.property_values or ()
        if one.order_props_id in properties
    ]
    text = [one for one in own if one.type == _TEXT and one.multiple != "Y"]
    kinds = (
        [one.id for one in text if one.is_address == "Y"],
        [one.id for one in text if one.code == _CITY],
        [one.id for one in text if one.is_zip == "Y"],
    )
    line, city, postcode = (_only(order, ids) for ids in kinds)
    return line, city, postcode


def _only(order: OrderRow, ids: Sequence[int]) -> int | None:
    """Return the only one, or the only one that says anything."""
    said = [id for id in ids if _said(order, id)]
    return ids[0] if len(ids) == 1 else said[0] if len(said) == 1 else None


def _said(order: OrderRow, place: int | None) -> str:
    values = [one.value for one in order.property_values or () if one.order_props_id == place]
    return " ".join(values[0].split()) if len(values) == 1 and isinstance(values[0], str) else ""


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(one, str | int) for one in value)
    return value is None or isinstance(value, str | int)
