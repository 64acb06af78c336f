"""The arguments of the tools: what a model is told of each, in both languages."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from tools.orders.match import codes_in
from tools.phrases import LANGUAGES, Phrases
from tools.texts import TEXTS

ORDER_PATTERN = r"^[A-Za-zА-Яа-яЁё]?\d{1,10}(-?[A-Za-zА-Яа-яЁё])?$"
ADDRESS_PARTS = ("new_extra", "new_city", "new_region", "new_country", "new_postcode")

_HELP = Phrases(TEXTS)


def described(argument: str) -> str:
    """Both languages in one description: customers write in either, whatever the model was taught in."""
    return " · ".join(_HELP.say(f"argument.{argument}", language) for language in LANGUAGES)


def _one_by_one(said: Any) -> Any:
    """Take a list written in one string apart: codes each by itself, words as they are."""
    if not isinstance(said, str):
        return said
    parts = [part.strip() for part in said.replace(";", ",").split(",")]
    if len(parts) > 1 and all(part.isdigit() or codes_in(part) for part in parts):
        return parts
    return [said.strip()] if said.strip() else []


def _text(argument: str) -> Any:
    return Field(description=described(argument))


# The pattern tells planners what to look for; it does not validate, so that a badly written number is still read.
_NUMBER: Mapping[str, Any] = {
    "type": "string",
    "title": "Order number",
    "pattern": ORDER_PATTERN,
    "description": described("order_id"),
}

OrderNumber = Annotated[str, WithJsonSchema(dict(_NUMBER))]
Reason = Annotated[str, _text("reason")]
Query = Annotated[str, _text("query")]
Code = Annotated[str, _text("code")]
Items = Annotated[tuple[str, ...], BeforeValidator(_one_by_one), _text("items")]
NewItems = Annotated[tuple[str, ...], BeforeValidator(_one_by_one), _text("new_items")]
Payment = Annotated[str, _text("payment")]
NewPayment = Annotated[str, _text("new_payment")]
NewAddress = Annotated[str, _text("new_address")]
NewExtra = Annotated[str, _text("new_extra")]
NewCity = Annotated[str, _text("new_city")]
NewRegion = Annotated[str, _text("new_region")]
NewCountry = Annotated[str, _text("new_country")]
NewPostcode = Annotated[str, _text("new_postcode")]
