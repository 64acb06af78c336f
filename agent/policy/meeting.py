"""How a stranger whose request needs a known customer may become one: what is said, and what is awaited. Pure."""

from dataclasses import dataclass

from agent.terms import Identity
from tools.context import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """A text's key; whether a code is offered by a button, and a name with a postcode is awaited."""

    key: str
    code: bool = False
    name: bool = False


def ways(caller: Caller, assurance: Identity) -> Ways:
    """Return the ways this company counts; a customer who is known proves themselves anew by a code alone."""
    code = assurance.by_code is not None
    if caller.customer_id is not None:
        return Ways(key="answer.step_up" if code else "answer.sign_in", code=code)
    on_site = caller.channel == "widget" and "token" in assurance.factors
    if assurance.by_name is not None:
        return Ways(key="answer.by_name_or_site" if on_site else "answer.by_name", code=code, name=True)
    if code:
        return Ways(key="answer.sign_in_or_code" if on_site else "answer.by_code", code=True)
    return Ways(key="answer.sign_in")
