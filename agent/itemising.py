"""From what a turn used to the receipt of its answer. Pure.

Of personal data only names of fields are written down: a receipt can be shown, kept and exported without being one more
copy of what it speaks of.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from agent.domain import DataUse, Recall, Reply, ToolUse, TurnRecord
from agent.policy.consent import EXTERNAL_MODEL
from agent.receipt import (
    IDENTITY,
    Basis,
    DocumentUse,
    FieldUse,
    Receipt,
    Remembered,
    left,
    together,
)
from agent.tally import Tally
from agent.terms import Purpose
from knowledge.types import version_of

Scope = Callable[[str], str | None]

_FIELD = re.compile(r"[^\W\d_][^\W\d]{0,39}\d?")
"""What may be the name of a field; systems use numbers and names of people as keys, too."""
DEEPEST = 2
NOTES = "notes"
"""What is remembered of a customer: whoever shows or uses it says so in the record, for no tool does."""
ANYTHING = "other"


def itemised(
    record: TurnRecord,
    tally: Tally,
    *,
    purposes: Mapping[str, Purpose],
    scope: Scope,
    before: Recall,
    at: datetime,
) -> Receipt:
    """Return the receipt of a finished turn; `before` is what was remembered when it began."""
    noted = (FieldUse(what=NOTES, fields=(), purpose=u.purpose) for u in record.data_used if u.what == NOTES)
    data = (*_data(tally, scope), *noted)
    models = together(tally.reads)
    used = [*(use.purpose for use in data), *([EXTERNAL_MODEL] if left(models) else ())]
    return Receipt(
        documents=documents(record.replies, tally.shown),
        data=data,
        bases=tuple(_basis(name, purposes, tally) for name in dict.fromkeys(used)),
        models=models,
        withheld=tuple(dict.fromkeys(tally.withheld)),
        remembered=(*_remembered(before, record.recall), *_noted(record)),
        at=at,
    )


def uses(receipt: Receipt, *, purposes: Mapping[str, Purpose]) -> tuple[DataUse, ...]:
    """Return the receipt's data in the short lines of the public answer object."""
    under = EXTERNAL_MODEL if EXTERNAL_MODEL in purposes else ""
    gone = [
        DataUse(what="question_masked" if read.masked else "question", purpose=under)
        for read in left(receipt.models)
    ]
    read = [
        DataUse(what=use.what, purpose=use.purpose, tool=use.tool)
        for use in receipt.data
        if use.tool or use.what == NOTES
    ]
    return tuple(dict.fromkeys((*gone, *read)))


def receipt_of(record: TurnRecord) -> Receipt:
    """Return the record's receipt; of a record of earlier releases what can still be told, marked as not whole."""
    if record.receipt is not None:
        return record.receipt
    data = tuple(
        FieldUse(what=use.what, fields=(), purpose=use.purpose, tool=use.tool)
        for use in record.data_used
        if use.tool
    )
    return Receipt(documents=documents(record.replies, {}), data=data, whole=False)


def documents(replies: Iterable[Reply], shown: Mapping[str, DocumentUse]) -> tuple[DocumentUse, ...]:
    """Return the passages the answer cites, then those that were only read."""
    cited = {
        citation.passage: DocumentUse(
            document=citation.document,
            version=version_of(citation.passage),
            passage=citation.passage,
            title=citation.title,
            cited=True,
        )
        for reply in replies
        for citation in reply.citations
    }
    return (*cited.values(), *(use for id, use in shown.items() if id not in cited))


def fields_of(facts: object) -> tuple[str, ...]:
    """Return the names of the fields that hold something, `payment.state` for one inside another, in order."""
    return tuple(dict.fromkeys(_fields(facts, prefix="", depth=1)))


def _fields(facts: object, *, prefix: str, depth: int) -> Iterator[str]:
    if not isinstance(facts, Mapping):
        return
    for key, value in facts.items():
        if value in (None, "", [], {}, ()):
            continue
        name = str(key)
        if not _FIELD.fullmatch(name):
            yield f"{prefix}{ANYTHING}"
            continue
        inner = [
            found
            for each in (value if isinstance(value, list | tuple) else [value])
            for found in _fields(each, prefix=f"{prefix}{name}.", depth=depth + 1)
            if depth < DEEPEST
        ]
        yield from inner or [f"{prefix}{name}"]


def _data(tally: Tally, scope: Scope) -> Iterator[FieldUse]:
    if tally.proofs:
        yield FieldUse(what="identity", fields=tuple(dict.fromkeys(tally.proofs)), purpose=IDENTITY)
    # A call that failed read nothing, and a tool a model invented has no purpose to look up.
    for use in (use for use in tally.tools if use.ok):
        yield from _use(use, scope, fields=fields_of(_facts(use.result)), changed=False)
    for use in (use for use in tally.changes if use.ok):
        yield from _use(use, scope, fields=fields_of(use.arguments), changed=True)


def _use(use: ToolUse, scope: Scope, *, fields: tuple[str, ...], changed: bool) -> Iterator[FieldUse]:
    purpose = scope(use.name)
    if purpose is not None:
        what = purpose.partition(":")[0]
        yield FieldUse(what=what, fields=fields, purpose=purpose, tool=use.name, changed=changed)


def _facts(result: Mapping[str, Any]) -> Mapping[str, Any]:
    facts = result.get("facts")
    return facts if isinstance(facts, Mapping) else {}


def _basis(name: str, purposes: Mapping[str, Purpose], tally: Tally) -> Basis:
    if name == IDENTITY:
        return Basis(purpose=name, kind="request")
    purpose = purposes.get(name)
    if purpose is None:
        return Basis(purpose=name, kind="none")
    granted = tally.granted.get(name) if purpose.basis == "consent" else None
    return Basis(purpose=name, kind=purpose.basis, granted=granted)


def _noted(record: TurnRecord) -> Iterator[Remembered]:
    if record.notes.keep:
        yield Remembered(what="fact", where="notes")


def _remembered(before: Recall, after: Recall) -> Iterator[Remembered]:
    for kind in dict.fromkeys(fact.kind for fact in after.facts if fact not in before.facts):
        yield Remembered(what=kind)
    if any(line not in before.said for line in after.said):
        yield Remembered(what="question")
