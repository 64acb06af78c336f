"""What a customer is told could not be done when a tool got no answer: "see how order 1051 stands"."""

from collections.abc import Mapping

from tools.context import Language
from tools.orders.number import order_number
from tools.phrases import Phrases


def unreached(tool: str, arguments: Mapping[str, object], *, phrases: Phrases, language: Language) -> str:
    """Return the tool's words for it, "" where it has none.

    Only an order's number is ever put into them, as we write it: any other argument may be anybody's words.
    """
    key = f"unreached.{tool}"
    if not phrases.has(key, language):
        return ""
    order = order_number(str(arguments.get("order_id", "")))
    facts = {"order": order} if order is not None else {}
    if any(place.name not in facts for place in phrases.placeholders(key, language)):
        return ""
    return phrases.say(key, language, **facts)
