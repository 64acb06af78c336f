"""Which purposes have a live basis: the one place where consent is decided. Pure."""

from collections.abc import Iterable, Mapping

from agent.domain import ConsentChange
from agent.pack import Purpose
from tools.context import Language


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
