"""What is remembered of a customer and what they may do with it: rules over their own words. Pure; data in `texts/memory.*`.

```
message ─┬─ asked ──► Show | Forget | ForgetAll | Keep | Correct       about memory itself, answered without a model
         └─ stated ─► typed facts about oneself ─┬─ anything of a special category in the message ─► nothing
                                                 ├─ personal data in the fact ─────────────────────► not this one
                                                 └─ changes: what it takes the place of, until when
```
A fact is the customer's own clause and no conclusion from it. A question, a denial, a supposition states nothing.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, get_args

from agent.cues import TEXTS
from agent.domain import Action
from agent.language import content, script
from agent.notes import PURPOSE, Keeping, Note, NoteChanges, NoteId, NoteKind, Stated
from agent.privacy.detect import quick
from agent.privacy.special import special
from agent.terms import Memory
from tools.context import Caller, Language

MOST = 30
"""Notes of one customer; the oldest give way."""
SINGLE: frozenset[NoteKind] = frozenset(("language", "contact_time", "delivery"))
"""Kinds of which the latest counts alone."""
LONGEST = 80
"""Characters of a note; a longer clause is cut at a word."""
LONGEST_REQUEST = 400
"""Characters of a message that asks something of memory; a longer one tells a story."""
LIKE = 4
"""Letters two stems share to be one word in another form."""

_CLAUSE = re.compile(r"(?P<said>(?:[^;!?\n.,]|[.,](?=\d))+)(?P<end>[;!?\n.,]?)")
_EDGES = " \t,.;:!?—–-«»\"“”'()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """What is remembered?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetAll:
    """Nothing shall be remembered of what is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget:
    """These notes shall go."""

    notes: tuple[NoteId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Remember this, in the customer's words."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Correct:
    """A note is put right: `text` takes the place of what it says."""

    note: NoteId
    text: str


Request = Show | Forget | ForgetAll | Keep | Correct


def asked(text: str, notes: Sequence[Note]) -> Request | None:
    """Return what the message asks of memory, None when it asks something else.

    A note is forgotten or put right only where the words name one that is there: «забудь» alone is said of many things.
    """
    said = _folded(text.strip())
    if not said or len(said) > LONGEST_REQUEST:
        return None
    if _found("show", said):
        return Show()
    if _found("forget_all", said):
        return ForgetAll()
    return _corrected(text.strip(), notes) or _kept(text.strip()) or _forgotten(said, notes)


def wanted(text: str, action: Action | None, notes: Sequence[Note]) -> Request | None:
    """Return what words, or a button that forgets one note or all, ask of memory; a note that is gone is none of these."""
    if action is None:
        return asked(text, notes)
    if action.kind != "forget":
        return None
    named = of_ids([action.target], notes)
    return Forget(notes=tuple(note.id for note in named)) if action.target else ForgetAll()


def stated(text: str, *, terms: Memory) -> tuple[Stated, ...]:
    """Return the facts of kinds the company remembers that the message states of its writer, in its order.

    Nothing is taken of a message that tells anything of a special category.
    """
    found = [fact for fact in _facts(text, terms) if fact.kind in terms.kinds]
    if not found or special(text) is not None:
        return ()
    return tuple(dict.fromkeys(fact for fact in found if not _personal(fact.text)))


def may_keep(caller: Caller) -> bool:
    """Return whether anything may be kept of this caller: consented to, and known as somebody."""
    known = caller.customer_id is not None and caller.assurance != "anonymous"
    return known and PURPOSE in caller.purposes


def changes(
    facts: Sequence[tuple[int, Stated]],
    notes: Sequence[Note],
    *,
    language: Language,
    now: datetime,
    terms: Memory,
    instead: Sequence[NoteId] = (),
) -> NoteChanges:
    """Return what keeping these facts (message number, fact) does to the notes, oldest first; `instead` give way.

    Of a kind that has one value the latest stays; what is known already is kept anew, so that its time begins again.
    """
    keep: dict[tuple[NoteKind, str], Keeping] = {}
    expires = now + timedelta(days=terms.days)
    for seq, fact in facts:
        if fact.kind in SINGLE:
            keep = {key: kept for key, kept in keep.items() if kept.kind != fact.kind}
        keep[fact.kind, _bare(fact.text)] = Keeping(
            kind=fact.kind, text=fact.text, language=language, seq=seq, expires=expires
        )
    new = list(keep.values())[-MOST:]
    gone = [note.id for note in notes if note.id in instead or _replaced(note, new)]
    left = [note.id for note in notes if note.id not in gone]
    most = max(0, MOST - len(new))
    gone += left[: max(0, len(left) - most)]
    return NoteChanges(keep=tuple(new), forget=tuple(gone))


def of_ids(ids: Iterable[str], notes: Sequence[Note]) -> tuple[Note, ...]:
    """Return those of the notes that have one of the ids."""
    wanted = frozenset(ids)
    return tuple(note for note in notes if note.id in wanted)


def matching(what: str, notes: Sequence[Note]) -> tuple[Note, ...]:
    """Return the notes that the words name: every word that carries anything stands in the note or names its kind."""
    wanted = content(what)
    return tuple(note for note in notes if wanted and all(_names(note, one) for one in wanted))


def about(question: str, note: Note) -> bool:
    """Tell whether the question and the note share a word that carries something, or the question names its kind."""
    return any(_names(note, one) for one in content(question))


def _corrected(text: str, notes: Sequence[Note]) -> Correct | None:
    said = _folded(text)
    for match in _found("instead", said):
        for note in reversed(matching(match["old"], notes)):
            old, new = match["old"].strip(), text[match.start("new") : match.end("new")].strip(_EDGES)
            literal = new.replace("\\", r"\\")
            put_right = re.sub(re.escape(old), literal, _folded(note.text), flags=re.IGNORECASE)
            return Correct(note=note.id, text=put_right if put_right != _folded(note.text) else new)
    for match in _found("correct", said):
        new = text[match.start("new") : match.end("new")].strip(_EDGES)
        kinds = [fact.kind for fact in _facts(new, Memory())]
        for note in reversed(notes):
            if note.kind in kinds:
                return Correct(note=note.id, text=new)
    return None


def _kept(text: str) -> Keep | None:
    for match in _found("keep", _folded(text)):
        return Keep(what=text[match.start("what") : match.end("what")].strip(_EDGES))
    return None


def _forgotten(said: str, notes: Sequence[Note]) -> Forget | None:
    for match in _found("forget", said):
        named = matching(match["what"], notes)
        if named:
            return Forget(notes=tuple(note.id for note in named))
    return None


def _facts(text: str, terms: Memory) -> Iterable[Stated]:
    language = script(text)
    never = re.compile(_raw(language)["words"]["never"], re.IGNORECASE)
    for clause in _CLAUSE.finditer(text):
        said = clause["said"]
        if clause["end"] == "?" or never.search(_folded(said)):
            continue
        fact = next(_of_kinds(said, language, terms.things.get(language, ())), None)
        if fact is not None:
            yield fact


def _of_kinds(said: str, language: Language, things: Sequence[str]) -> Iterator[Stated]:
    for kind in get_args(NoteKind):
        for pattern in _patterns(language, kind, tuple(things)):
            match = pattern.search(_folded(said))
            if match is not None:
                yield Stated(kind=kind, text=_cut(said[match.start() : match.end()]))


def _personal(text: str) -> bool:
    """Tell whether the fact names or reaches a person; a single name is most often that of a lamp."""
    return any(span.kind != "name" or " " in text[span.start : span.end] for span in quick().find(text))


def _cut(text: str) -> str:
    text = " ".join(text.split()).strip(_EDGES)
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0]


def _replaced(note: Note, new: Sequence[Keeping]) -> bool:
    same = (kept for kept in new if kept.kind == note.kind)
    return any(kept.kind in SINGLE or _bare(kept.text) == _bare(note.text) for kept in same)


def _bare(text: str) -> str:
    return " ".join(_folded(text).lower().split())


def _names(note: Note, one: str) -> bool:
    named = content(f"{note.text} {_raw(note.language)['names'][note.kind]}")
    return any(one == other or (len(one) >= LIKE and one[:LIKE] == other[:LIKE]) for other in named)


def _folded(text: str) -> str:
    """Return the text with one letter for two that are written for each other; places stay."""
    return text.replace("ё", "е").replace("Ё", "Е")


def _found(kind: str, said: str) -> list[re.Match[str]]:
    """Return how the message asks for this, in either language: names of goods are often in the other one."""
    patterns = (pattern for language in get_args(Language) for pattern in _requests(language, kind))
    return [match for pattern in patterns if (match := pattern.search(said))]


@cache
def _requests(language: Language, kind: str) -> tuple[re.Pattern[str], ...]:
    raw = _raw(language)
    written = (
        one.replace("{lead}", raw["lead"]).replace("{tail}", raw["tail"]) for one in raw["requests"][kind]
    )
    return tuple(re.compile(one, re.IGNORECASE | re.DOTALL) for one in written)


@cache
def _patterns(language: Language, kind: NoteKind, things: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    goods = "|".join(rf"{re.escape(thing.lower())}\w*" for thing in map(_folded, things))
    written = [one for one in _raw(language)["facts"][kind] if goods or "{things}" not in one]
    return tuple(
        re.compile(rf"(?<!\w){one.replace('{things}', goods)}(?!\w)", re.IGNORECASE) for one in written
    )


@cache
def _raw(language: Language) -> Mapping[str, Any]:
    read: Callable[[str], dict[str, Any]] = tomllib.loads
    return read((TEXTS / f"memory.{language}.toml").read_text("utf-8"))
