"""Which purposes have a live basis: the one place where consent is decided. Pure.

```
the purpose in the pack ─┬─ unknown ───────────────────────────────────────────────► none
                         ├─ legal ─────────────────────────────────────────────────► legal
                         ├─ contract ─┬─ the latest row takes it back ─────────────► none
                         │            └─ otherwise ────────────────────────────────► contract
                         └─ consent ──┬─ the latest row grants exactly these words ► consent, with the row
                                      └─ otherwise ────────────────────────────────► none
```
"""

from collections.abc import Iterable, Mapping

from agent.basis import Basis, ConsentRow, digest
from agent.domain import ConsentChange, Draft
from agent.ports import Situation
from agent.terms import Purpose
from tools.context import ConversationId, Language

EXTERNAL_MODEL = "model:external"
"""The purpose under which a customer's words may be given to a model outside the company."""


def bases(purposes: Mapping[str, Purpose], rows: Iterable[ConsentRow]) -> Mapping[str, Basis]:
    """Return the live basis of each purpose that has one; `rows` are those that count for the customer, oldest first.

    A purpose the pack does not know never has a basis, whatever the ledger says.
    """
    latest = {row.purpose: row for row in rows}
    found = {name: _basis(purpose, latest.get(name)) for name, purpose in purposes.items()}
    return {name: basis for name, basis in found.items() if basis is not None}


def _basis(purpose: Purpose, last: ConsentRow | None) -> Basis | None:
    if purpose.basis == "legal":
        return Basis(purpose=purpose.name, kind="legal")
    if purpose.basis == "contract":
        # Nobody was asked, but whoever says no is heard.
        objected = last is not None and not last.granted
        return None if objected else Basis(purpose=purpose.name, kind="contract")
    if last is None or not last.granted or not is_current(purpose, last):
        return None
    return Basis(purpose=purpose.name, kind="consent", row=last)


def is_current(purpose: Purpose, row: ConsentRow) -> bool:
    """Return whether the row agrees to the very words the pack has now: version and text."""
    words = purpose.text.get(row.language)
    return words is not None and row.version == purpose.version and row.text_sha256 == digest(words)


def declined(rows: Iterable[ConsentRow], conversation: ConversationId) -> frozenset[str]:
    """Return the purposes last declined in this conversation."""
    latest = {row.purpose: row for row in rows}
    return frozenset(
        purpose for purpose, row in latest.items() if not row.granted and row.conversation == conversation
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


def reworded(purposes: Mapping[str, Purpose], rows: Iterable[ConsentRow]) -> tuple[str, ...]:
    """Return the purposes whose words differ from those somebody agreed to under the same version."""
    found = {
        row.purpose
        for row in rows
        if (known := purposes.get(row.purpose)) is not None
        and row.version == known.version
        and not is_current(known, row)
    }
    return tuple(name for name in purposes if name in found)


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
