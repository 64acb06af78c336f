"""A text as clauses, each with its words, its numbers and whether it denies what it says. Pure.

```
«Курьер стоит 290 ₽, по Москве — 390 ₽; почту не оплачивают»
   Курьер стоит 290 ₽        words, 290 rub, said plainly
   по Москве — 390 ₽         heir to «Курьер стоит»
   почту не оплачивают       denied
```
A cut is made where both sides have a predicate or a number of their own; a side with neither goes on with what
stands before it, and is denied with it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from agent import lexicon
from agent.language import sentences
from knowledge.text.quantities import Quantity, agree, quantities, words_masked

_HARD = re.compile(
    r";\s|,?\s+(?:но|зато|однако|but|whereas|while|although|though|хотя)\s+|,\s+(?:а|yet)\s+|(?<=[.!?])\s+"
    r"|,\s+(?=[^\W\d_][^,.:;()«»“”\"]{0,40}:\s)"
)
_SOFT = re.compile(
    r",\s+|(?<=\w)(?=:\s)|\s+(?=(?:and|or|и|или)\s)|\s+(?=(?:if|when|unless|если|когда|пока|because|since|so)\s)"
)
_JOINS = re.compile(r"(?:and|or|и|или)\s|:\s")
_OR = re.compile(r"(?:or|или)\s")
_CONDITION = re.compile(
    r"\W*(?:если|когда|пока|хотя|if|when|unless|until|once|while|although)\b", re.IGNORECASE
)
_MODAL = frozenset({"нельзя", "можно"})
"""Words that stand at the end of what they allow or deny: «картой или баллами нельзя» is one statement."""
_LACKING = re.compile(r"(?:без|не|without|not)\s")
_APART = re.compile(r"(?:только|лишь|only)\s|[^:]{1,40}:\s")
"""Parts that are not denied with what stands before them: an exception, a cell of a table with its head."""
_WITHOUT = re.compile(r"\b(?:без|without)\s(?P<what>[^,.;:()]+)", re.IGNORECASE)
_RELATIVE = re.compile(r"(?:(?:в|на|с|к|из|о|по|для|of|in|to) )?(?:котор\w+|which|that|who|whose|whom)\b")
_LETTER = re.compile(r"[^\W\d_]")
_CELL = re.compile(r"[^:]{1,40}:\s")
_ONLY = re.compile(r"(?:только|лишь|only)\s")
_ANSWER = re.compile(r"^\W*(?:да|нет|конечно|yes|no|sure)\s*[,.!—–-]+\s+", re.IGNORECASE)
_REMARK = re.compile(r"\[[^\]]{1,40}\]")
_EXCEPT = re.compile(
    r",?\s*\(?\b(?:кроме|за исключением|исключая|except(?: for| in)?|excluding|apart from|other than|unless)\b\s+(?P<what>[^.;:()]+)",
    re.IGNORECASE,
)


_MEASURES = {
    "term": frozenset({"second", "minute", "hour", "day", "workday", "week", "month", "year"}),
    "mass": frozenset({"g", "kg"}),
    "length": frozenset({"mm", "cm", "m", "km"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A part of a text that says one thing; `before` are words of its sentence it may go on with."""

    text: str
    sentence: int
    words: tuple[str, ...]
    numbers: tuple[Quantity, ...]
    denied: bool
    before: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()
    """Words of what the clause is said not to hold for: «кроме Сибири»."""

    lacking: tuple[str, ...] = ()
    """Words of what the clause says there is none of: «без лифта»."""
    condition: bool = False
    heir: bool = False
    """Whether it has no predicate and goes on with what stands before it: «…, но не чеки»."""
    cell: bool = False
    """Whether it is a cell of a table told with its head: «самолётом: нет»."""
    gapped: bool = False
    """Whether it has a number and no predicate of its own: «…, по Москве — 390 ₽»."""

    def holds(self, said: Quantity) -> bool:
        alike = [number for number in self.numbers if said.unit and number.unit == said.unit]
        return any(agree(said, number) for number in alike or self.numbers)

    def denies(self, other: "Clause") -> bool:
        """Whether it says "not" of what the other clause speaks of."""
        return self.denied != bool(lexicon.covered(self.lacking, other.words))

    def rivals(self, said: Quantity) -> bool:
        """Whether it has another value of the same kind instead."""
        return not self.holds(said) and any(same_kind(said, number) for number in self.numbers)

    def nothing(self, said: Quantity) -> bool:
        """Whether it says "none" where `said` is a value: «бесплатно» beside a price, «сразу» beside a term."""
        return lexicon.says_none(self.text, unit=said.unit)


def same_kind(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities could answer the same question: two prices, two terms, two days."""
    return _kind(one) == _kind(other)


def _kind(number: Quantity) -> str:
    """Return what the number measures: terms in days and months are of one kind, a year of the calendar is a date."""
    if number.unit == "year" and len(number.value) == 4:
        return "date"
    measured = next((name for name, units in _MEASURES.items() if number.unit in units), number.unit)
    return measured if number.kind == "number" and measured else f"{number.kind} {measured}".strip()


@lru_cache(maxsize=4096)
def clauses(text: str) -> tuple[Clause, ...]:
    """Return the clauses of a text in order, sentence by sentence."""
    return tuple(clause for n, sentence in enumerate(sentences(text)) for clause in _of_sentence(sentence, n))


def without_answer(text: str) -> str:
    """Return the text without a «да,» or "no," it begins with, which answers a question and denies nothing."""
    return _ANSWER.sub("", text)


def _of_sentence(sentence: str, n: int) -> Iterator[Clause]:
    bare = _REMARK.sub(" ", without_answer(sentence))
    spared = tuple(word for match in _EXCEPT.finditer(bare) for word in lexicon.meaning(match["what"]))
    before: tuple[str, ...] = ()
    carried = False
    for part in _parts(_EXCEPT.sub(" ", bare)):
        words, numbers = lexicon.meaning(words_masked(part)), quantities(part)
        denied, condition = lexicon.negations(part) > 0, bool(_CONDITION.match(part))
        predicate = _has_predicate(part)
        if not denied and before and not predicate and not _APART.match(part):
            # A part with no predicate, such as a point of a list, is denied with what it goes on with.
            denied = carried
        elif not condition:
            carried = denied
        yield Clause(
            text=part,
            sentence=n,
            words=words,
            numbers=numbers,
            denied=denied,
            before=before,
            spared=spared,
            lacking=tuple(
                word for match in _WITHOUT.finditer(part) for word in lexicon.meaning(match["what"])[:2]
            ),
            condition=condition,
            gapped=bool(before) and bool(numbers) and not predicate and not _CELL.match(part),
            heir=bool(before) and not predicate,
            cell=bool(before) and bool(_CELL.match(part)),
        )
        before = (*before, *words)


def _parts(sentence: str) -> list[str]:
    return [
        part
        for whole in _HARD.split(sentence)
        if whole and whole.strip()
        for part in _glued(_SOFT.split(whole))
    ]


def _glued(pieces: Sequence[str]) -> list[str]:
    """Join what says nothing by itself to what stands before it; after "and" a number alone is no statement."""
    parts: list[str] = []
    loose = ""
    for piece in pieces:
        joins = _JOINS.match(piece)
        alone = (
            _has_predicate(piece) or bool(parts and _shares_out(parts[-1], piece))
            if joins
            else _stands(piece)
        )
        if joins and loose:
            # «…, на кухне и за столом — 250»: what "and" joins belongs together.
            piece, loose = f"{loose} {piece}", ""
        elif loose:
            parts[-1], loose = f"{parts[-1]}, {loose}", ""
        if parts and alone and not joins and not lexicon.meaning(piece) and not quantities(piece):
            alone = False
        if not parts or (alone and _stands(parts[-1])):
            parts += [piece] if piece.strip() else []
        elif joins or alone:
            parts[-1] += piece if piece[0] == ":" else f" {piece}" if joins else f", {piece}"
        else:
            loose = piece
    return [*parts[:-1], f"{parts[-1]}, {loose}"] if loose else parts


def _shares_out(left: str, right: str) -> bool:
    """Whether two values are given out to two things: "290 in Moscow and 390 in Perm"."""
    ours, theirs = quantities(left), quantities(right)
    told = bool(lexicon.meaning(words_masked(right))) or any(number.kind == "rate" for number in theirs)
    return told and any(same_kind(a, b) for a in ours for b in theirs if a.kind != "rate")


def _stands(part: str) -> bool:
    """Whether a part says something by itself."""
    if _RELATIVE.match(part) or not (lexicon.meaning(words_masked(part)) or _LETTER.search(part)):
        return False
    return (
        " — " in part
        or bool(quantities(part))
        or _has_predicate(part)
        or bool(_LACKING.match(part) or _ONLY.match(part))
    )


@lru_cache(maxsize=8192)
def _has_predicate(part: str) -> bool:
    return any(lexicon.is_predicate(word) for word in lexicon.spelled(part) if word not in _MODAL)
