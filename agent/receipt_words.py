"""A receipt in the customer's words: sections of lines, each line with what it rests on. Pure; sentences are texts' keys.

```
Receipt ─► told ────► documents · data · models · remembered      a panel, the API, the console
        └► answer ──► a few lines in the chat                     «откуда вы это знаете?»
```
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from agent.policy.consent import EXTERNAL_MODEL
from agent.receipt import (
    EXTRACTIVE,
    UNDER_WAY,
    Basis,
    DocumentUse,
    FieldUse,
    ModelRead,
    Receipt,
    left,
)
from tools.context import Language
from tools.phrases import Phrases


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was used; `note` says under what, or what became of it. `passage` can be opened, where given."""

    text: str
    note: str = ""
    passage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One kind of things, by `name` for programs and `title` for people.

    The last `aside` lines did not get into the answer: a screen may fold them under `folded`, "" where there are none.
    """

    name: str
    title: str
    lines: tuple[Line, ...]
    aside: int = 0
    folded: str = ""


class Reciting:
    """Words of one receipt in one language."""

    def __init__(self, receipt: Receipt, *, phrases: Phrases, language: Language) -> None:
        self.receipt = receipt
        self.phrases = phrases
        self.language = language

    def told(self) -> tuple[Section, ...]:
        """Return all sections in their order; one of which nothing was used says so."""
        parts = (("data", self._data()), ("models", self._models()), ("remembered", self._remembered()))
        return (self._of_documents(), *(self._section(name, tuple(lines)) for name, lines in parts))

    def _section(self, name: str, lines: tuple[Line, ...]) -> Section:
        told = lines or (Line(text=self._say(f"no_{name}")),)
        return Section(name=name, title=self._say(name), lines=told)

    def _of_documents(self) -> Section:
        section = self._section("documents", tuple(self._documents()))
        read = sum(not use.cited for use in self.receipt.documents)
        return replace(section, aside=read, folded=self._say("read_aside", n=read)) if read else section

    def warning(self) -> str:
        """Return that something may be missing, "" for a whole receipt."""
        return "" if self.receipt.whole else self._say("broken")

    def answer(self) -> str:
        """Return the receipt as an answer in the chat: a line each for data, models and the documents cited."""
        lines = [self._say("intro"), *(f"— {line.text} {line.note}".rstrip() for line in self._short())]
        return "\n".join(filter(None, (*lines, self.warning())))

    def _short(self) -> Iterator[Line]:
        told = {section.name: section.lines for section in self.told()}
        yield from told["data"]
        yield from told["models"]
        cited = [self._document(use).text for use in self.receipt.documents if use.cited]
        if cited:
            yield Line(text=self._say("cited", documents=cited))
        else:
            yield Line(text=self._say("no_documents"))

    def _documents(self) -> Iterator[Line]:
        # What the answer rests on comes first.
        for use in sorted(self.receipt.documents, key=lambda use: not use.cited):
            note = "" if use.cited else self._say("only_read")
            yield Line(text=self._document(use).text, note=note, passage=use.passage)

    def _document(self, use: DocumentUse) -> Line:
        return Line(text=self._say("document", title=use.title, version=use.version))

    def _data(self) -> Iterator[Line]:
        for use in _joined(self.receipt.data):
            fields = tuple(dict.fromkeys(map(self._field, use.fields)))
            key = ("changed" if use.changed else "read") if fields else "touched"
            text = self._say(key, what=self._name("what", use.what), fields=fields)
            yield Line(text=text, note=self._basis(self.receipt.basis(use.purpose)))

    def _field(self, name: str) -> str:
        """Return the name of a field in words: its own, that of the same field elsewhere, or as the system has it."""
        for key in (name.replace(".", "_"), name.rpartition(".")[2]):
            if self.phrases.has(f"receipt.field.{key}", self.language):
                return self._say(f"field.{key}")
        return name.rpartition(".")[2].replace("_", " ")

    def _basis(self, basis: Basis) -> str:
        row = basis.granted
        if row is not None:
            try:
                version = self._say("edition", day=date.fromisoformat(row.version))
            except ValueError:
                version = row.version
            return self._say("basis.granted", at=row.at, version=version)
        return self._say(f"basis.{basis.kind}")

    def _models(self) -> Iterator[Line]:
        for read in self.receipt.models:
            yield self._model(read)
        for reason in dict.fromkeys(map(_why, self.receipt.withheld)):
            if reason:
                yield Line(text=self._say(f"withheld.{reason}"))
        if self.receipt.models and not left(self.receipt.models):
            yield Line(text=self._say("stayed"))

    def _model(self, read: ModelRead) -> Line:
        place = (
            "encoder"
            if read.encoder
            else "outside"
            if read.external
            else "program"
            if read.model == EXTRACTIVE
            else "own"
        )
        name = read.model.partition(":")[2] or read.model
        parts = tuple(self._say(f"part.{part}") for part in read.parts)
        notes = [self._say("saw", parts=parts)] if parts else []
        if read.external:
            notes += [self._seen(read), self._basis(self.receipt.basis(EXTERNAL_MODEL))]
        if not (read.answered or read.encoder):
            notes.append(self._say("unanswered"))
        return Line(text=self._say(f"model.{place}", model=name), note=" ".join(notes))

    def _seen(self, read: ModelRead) -> str:
        if not read.masked:
            return self._say("plain")
        kinds = tuple(self._say(f"kind.{kind}", n=n) for kind, n in read.kinds.items())
        return self._say("masked", kinds=kinds) if kinds else self._say("nothing_to_mask")

    def _remembered(self) -> Iterator[Line]:
        for where in ("conversation", "notes"):
            kept = [self._say(f"kept.{one.what}") for one in self.receipt.remembered if one.where == where]
            if kept:
                yield Line(text=self._say(f"kept_in.{where}", what=kept))

    def _name(self, kind: str, name: str) -> str:
        key = f"receipt.{kind}.{name}"
        return self.phrases.say(key, self.language) if self.phrases.has(key, self.language) else name

    def _say(self, key: str, **facts: Any) -> str:
        return self.phrases.say(f"receipt.{key}", self.language, **facts)


def _joined(data: Sequence[FieldUse]) -> tuple[FieldUse, ...]:
    """Return one line for all that was read of one thing for one purpose, whichever tools did it."""
    found: dict[tuple[str, str, bool], list[str]] = {}
    for use in data:
        found.setdefault((use.what, use.purpose, use.changed), []).extend(use.fields)
    return tuple(
        FieldUse(what=what, fields=tuple(dict.fromkeys(fields)), purpose=purpose, changed=changed)
        for (what, purpose, changed), fields in found.items()
    )


def _why(reason: str) -> str:
    return {EXTERNAL_MODEL: "consent", UNDER_WAY: ""}.get(reason, "budget")
