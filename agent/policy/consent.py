"""Which purposes have a live basis: the one place where consent is decided. Pure."""

from collections.abc import Iterable, Mapping

from agent.domain import ConsentChange, Draft
from agent.ports import Situation
from agent.terms import Purpose
from tools.context import Language

EXTERNAL_MODEL = "model:external"
"""The purpose under which a customer's words may be given to a model outside the company."""


def live_purposes(purposes: Mapping[str, Purpose], consented: Iterable[str]) -> frozenset[str]:
    """Return the purposes that may be acted under: consented ones, and those that rest on a contract or law.

    A purpose the pack does not know never has a basis, whatever the ledger says.
    """
    granted = frozenset(consented)
    return frozenset(
        name for name, purpose in purposes.items() if name in granted or purpose.basis != "consent"
    )


def change(purpose: Purpose, *, granted: bool, language: Language) -> ConsentChange:
    """Return the ledger row for the customer's answer, with the exact text that was shown."""
    return ConsentChange(
        purpose=purpose.name,
        granted=granted,
        version=purpose.version,
        text=purpose.text[language],
        language=language,
    )


def may_leave(purposes: Mapping[str, Purpose], live: Iterable[str]) -> bool:
    """Return whether a caller's words may be given to a model outside the company.

    A pack that does not list the purpose has decided so by not asking; one that does is held to it.
    """
    return EXTERNAL_MODEL not in purposes or EXTERNAL_MODEL in live


def worth_asking(situation: Situation, draft: Draft) -> str:
    """Return the purpose to ask for instead of calling a person, "" when there is none.

    Asked where the house could not answer by itself and a model it may not use might; once a conversation,
    whatever the customer said or left unsaid. A broken tool is not mended by another model.
    """
    spent = situation.asked | situation.refused
    broken = any(use.fault == "unavailable" for use in draft.tools)
    return (
        EXTERNAL_MODEL
        if EXTERNAL_MODEL in draft.withheld and not spent & {EXTERNAL_MODEL} and not broken
        else ""
    )
