"""Which piece of evidence a sentence rests on; a sentence that rests on none does not leave the house. Pure.

```
Sentence ─► its references ─┬─ none ───────────────────────────────► no_reference
                            ├─ name nothing of this turn ──────────► unknown_reference
                            └─ each in turn ─┬─ its very words ────► quoted
                                             ├─ its sense ─────────► supported   (rebound: other evidence has it)
                                             └─ number | negation | unsupported
```
The sense of a sentence is there when every number, price, date and code of it, every name, its denials and most
of its words stand in one place of the evidence. Nothing here understands; everything here compares, so that what
passes can be shown to the customer beside the words it rests on.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from agent import lexicon
from agent.domain import Citation, Evidence, Sentence
from agent.language import sentences, stem
from agent.ports import Similarity
from agent.quantities import Quantity, agree, quantities, words_masked

Reason = Literal[
    "quoted",
    "supported",
    "rebound",
    "no_reference",
    "unknown_reference",
    "number",
    "negation",
    "unsupported",
]
WIDEST = 3
"""Neighbouring sentences of one passage that may carry a sentence together."""

_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
_CAPITAL = re.compile(r"(?<![\w-])[A-ZА-ЯЁ][^\W\d_]*(?:-[^\W\d_]+)*")
_SENTENCE_START = re.compile(r"^[\W_]*$|[.!?…:]\s*[\W_]*$|[«\"“„(]$")
_TURN = re.compile(r";|,\s+(?=(?:а|но|однако|зато|but|while|whereas|however|yet)\b)|(?<=[.!?])\s+")
_AND = re.compile(r"\s(?:и|and)\s+(?=(?:[^\W\d_]+\s+)?(?:не|нельзя|нет|not|never|cannot|can't|don't|doesn't|isn't|aren't)\b)")
_OUTER = re.compile(r"^[\W_]+|[\W_]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the sentence may leave, why, and the words it rests on; `score` is the share of it found, 0..1."""

    ok: bool
    reason: Reason
    citations: tuple[Citation, ...] = ()
    score: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Neighbouring sentences of one piece of evidence, with the title they stand under."""

    item: Evidence
    text: str

    @property
    def citation(self) -> Citation:
        return Citation(
            document=self.item.document, passage=self.item.ref, title=self.item.title, quote=self.text
        )


def verify(
    sentence: Sentence, evidence: Mapping[str, Evidence], *, similarity: Similarity | None = None
) -> Verdict:
    """Return whether `sentence` is carried by the evidence it names, or else by another piece of this turn.

    `evidence` is all of the turn's evidence by reference. Other evidence is tried only when the named one is
    silent: a sentence that contradicts what it names is refused.
    """
    if not sentence.refs:
        return Verdict(ok=False, reason="no_reference")
    named = [evidence[ref] for ref in dict.fromkeys(sentence.refs) if ref in evidence]
    if not named:
        return Verdict(ok=False, reason="unknown_reference")
    verdict = _best([_against(sentence.text, item, similarity) for item in named])
    if verdict.ok or verdict.reason != "unsupported":
        return verdict
    if len(named) > 1 and (joint := _jointly(sentence.text, named, similarity)).ok:
        return joint
    for item in evidence.values():
        if item not in named:
            other = _against(sentence.text, item, similarity)
            if other.ok:
                return Verdict(ok=True, reason="rebound", citations=other.citations, score=other.score)
    return verdict


def _best(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict that lets the sentence go, or else the one that came closest."""
    return max(verdicts, key=lambda verdict: (verdict.ok, verdict.score))


def _against(text: str, item: Evidence, similarity: Similarity | None) -> Verdict:
    units = _units(item.text)
    quoted = _quoted(text, units)
    if quoted:
        return Verdict(
            ok=True, reason="quoted", citations=(Place(item=item, text=quoted).citation,), score=1.0
        )
    tried = [_judge(text, place, units[0], similarity) for place in _places(text, item, units)]
    denied = max((verdict.score for verdict in tried if verdict.reason == "negation"), default=0.0)
    # What one sentence of the evidence denies, no lesser likeness to another one may carry.
    return _best([v for v in tried if not v.ok or v.score >= denied] or [Verdict(ok=False, reason="unsupported")])


def _jointly(text: str, named: Sequence[Evidence], similarity: Similarity | None) -> Verdict:
    """Try the best place of each named piece together: one sentence may join two facts."""
    places = [
        max(_places(text, item, units), key=lambda place: _share(text, place))
        for item in named
        if (units := _units(item.text))
    ]
    whole = Place(item=named[0], text=" ".join(place.text for place in places))
    verdict = _judge(text, whole, "", similarity)
    if not verdict.ok:
        return verdict
    citations = tuple(place.citation for place in places)
    return Verdict(ok=True, reason="supported", citations=citations, score=verdict.score)


@lru_cache(maxsize=1024)
def _units(text: str) -> tuple[str, ...]:
    return tuple(sentences(text))


def _quoted(text: str, units: Sequence[str]) -> str:
    """Return the whole sentences of the evidence that `text` repeats word for word; empty if it does not."""
    said = _bare(text)
    for first in range(len(units)):
        for last in range(first + 1, min(first + WIDEST, len(units)) + 1):
            if said and said == _bare(" ".join(units[first:last])):
                return " ".join(units[first:last])
    return ""


def _bare(text: str) -> str:
    folded = re.sub(r"[«»“”„\"*_`]", "", lexicon.plain(text)).replace("–", "-").replace("—", "-")
    return _OUTER.sub("", folded)


def _places(text: str, item: Evidence, units: Sequence[str]) -> Iterator[Place]:
    """Yield each sentence of the evidence, then the neighbourhoods of the best one."""
    single = [Place(item=item, text=unit) for unit in units]
    yield from single
    if len(single) < 2:
        return
    best = max(range(len(single)), key=lambda n: _share(text, single[n]))
    alone = _share(text, single[best])
    for width in range(2, WIDEST + 1):
        for first in range(max(0, best - width + 1), min(best, len(units) - width) + 1):
            wider = Place(item=item, text=" ".join(units[first : first + width]))
            if _share(text, wider) > alone:
                yield wider


def _judge(text: str, place: Place, opening: str, similarity: Similarity | None) -> Verdict:
    """Compare one sentence with one place of the evidence. `opening` is the first sentence of its passage."""
    share = _share(text, place)
    near = _near(text, place, share, similarity)
    if not near:
        return Verdict(ok=False, reason="unsupported", score=share)
    # From here on the place speaks of the same matter: what differs now contradicts.
    contradiction = _contradiction(text, place, opening)
    if contradiction is not None:
        return Verdict(ok=False, reason=contradiction, score=share)
    return Verdict(ok=True, reason="supported", citations=(place.citation,), score=share)


def _near(text: str, place: Place, share: float, similarity: Similarity | None) -> bool:
    across = _script(text) != _script(place.text)
    if not across and share >= lexicon.threshold("coverage") and _clauses_covered(text, place):
        return True
    least = 0.0 if across else lexicon.threshold("with_similarity")
    if similarity is None or share < least:
        return False
    return similarity(text, [place.text])[0] >= lexicon.threshold("across" if across else "similarity")


def _share(text: str, place: Place) -> float:
    """Return the share of the sentence's meaningful words and quantities that stand in the place, by weight."""
    said = lexicon.meaning(words_masked(text))
    numbers = quantities(text)
    title = lexicon.meaning(place.item.title)
    given = (*quantities(place.text), *quantities(place.item.title))
    found = sum(any(agree(number, other) for other in given) for number in numbers) + 0.0
    whole = len(numbers) + 0.0
    here, named = (set(lexicon.covered(said, words)) for words in (_meaning_of(place.text), title))
    for word in said:
        weight = lexicon.weight(word) * (lexicon.threshold("title") if word in named else 1.0)
        whole += weight
        found += weight if word in here or word in named else 0.0
    return found / whole if whole else 0.0


def _meaning_of(text: str) -> tuple[str, ...]:
    return lexicon.meaning(words_masked(text))


def _clauses_covered(text: str, place: Place) -> bool:
    """Whether no clause of the sentence says something of its own."""
    there = (*lexicon.meaning(place.text), *lexicon.meaning(place.item.title))
    for clause in lexicon.clauses(words_masked(text)):
        said = lexicon.meaning(clause)
        if len(said) >= 2 and len(lexicon.covered(said, there)) < lexicon.threshold("clause") * len(said):
            return False
    return True


def _contradiction(text: str, place: Place, opening: str) -> Reason | None:
    if not _numbers_agree(text, place, opening):
        return "number"
    if not _denials_agree(text, place):
        return "negation"
    if not _names_occur(text, place, opening):
        return "unsupported"
    return None


# Numbers. ---------------------------------------------------------------------------------------------------


def _numbers_agree(text: str, place: Place, opening: str) -> bool:
    given = (*quantities(place.text), *quantities(place.item.title))
    known = {quantity.value for quantity in quantities(opening) if quantity.kind == "code"}
    for said in quantities(text):
        if said.spelled and said.value == "1" and not said.unit:
            continue
        if said.kind == "code" and said.value in known:
            continue
        if not any(agree(said, quantity) for quantity in given):
            return False
    return _numbers_belong(text, place.text)


def _numbers_belong(text: str, given: str) -> bool:
    """Whether each number stands beside the words it stands beside in the evidence.

    «Курьер — 300 ₽, почта — 250 ₽» does not carry «курьер — 250 ₽»: the clause of 250 lacks the courier, and the
    courier's clause has another price.
    """
    for parts in (sentences(given), _numbered(given)):
        homes = [Clause(text=part, numbers=quantities(part)) for part in parts]
        clauses = _numbered(text) if len(homes) > 1 else ()
        if any(_stands_elsewhere(said, clause, homes) for clause in clauses for said in quantities(clause)):
            return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A part of the evidence with numbers of its own."""

    text: str
    numbers: tuple[Quantity, ...]

    def holds(self, said: Quantity) -> bool:
        return any(agree(said, number) for number in self.numbers)

    def rivals(self, said: Quantity) -> bool:
        """Whether it has another value of the same kind instead."""
        return not self.holds(said) and any(_same_kind(said, number) for number in self.numbers)


def _stands_elsewhere(said: Quantity, clause: str, parts: Sequence[Clause]) -> bool:
    """Whether the words around a number belong to a clause with another number of its kind.

    What an earlier clause says may hold for the later ones too (a common beginning), never the other way round.
    """
    marks = _marks(clause, said)
    homes = [n for n, part in enumerate(parts) if part.holds(said)]
    if not homes:
        return False
    at_home = {mark for n in homes for mark in lexicon.covered(marks, _marks(parts[n].text, said))}
    for n, part in enumerate(parts):
        if part.rivals(said):
            only_there = set(lexicon.covered(marks, _marks(part.text, said))) - at_home
            common = set(lexicon.covered(marks, _marks(part.text, said)))
            if only_there and (n > max(homes) or not at_home - common):
                return True
    return False


def _marks(text: str, said: Quantity) -> tuple[str, ...]:
    """Return what tells one clause from another: its words, days and codes, and numbers of other kinds."""
    others = (q for q in quantities(text) if not _same_kind(q, said))
    return (*lexicon.meaning(words_masked(text)), *(f"{q.kind}:{q.value}:{q.unit}" for q in others))


def _same_kind(one: Quantity, other: Quantity) -> bool:
    return one.kind == other.kind and one.unit == other.unit


def _numbered(text: str) -> list[str]:
    """Return the clauses of a text, those without a number joined to the one before them, or after."""
    parts: list[str] = []
    for part in re.split(r"[,;]\s|(?<=[.!?])\s+|\s(?:и|а|но|или|and|but|or)\s", text):
        if parts and (not quantities(part) or not quantities(parts[-1])):
            parts[-1] = f"{parts[-1]} {part}"
        else:
            parts.append(part)
    return parts


# Denials and names. -----------------------------------------------------------------------------------------


def _denials_agree(text: str, place: Place) -> bool:
    given = _aligned(text, place.text)
    if lexicon.opposed(text, given):
        return False
    if _script(text) != _script(given):
        return bool(lexicon.negations(text)) == bool(lexicon.negations(given))
    if not lexicon.restrictions(text) <= lexicon.restrictions(place.text):
        return False
    if lexicon.has_exception(given) and not lexicon.negations(text):
        return False
    return lexicon.negations(text) == lexicon.negations(given)


def _aligned(text: str, given: str) -> str:
    """Return the parts of the evidence that the sentence speaks of, cut where the evidence turns («…, но»)."""
    said = (*_meaning_of(text), *(q.value for q in quantities(text)))
    parts = [half for part in _TURN.split(given) if part and part.strip() for half in _halves(part)]
    found = [(len(_touched(said, part)), part) for part in parts]
    most = max((count for count, _ in found), default=0)
    return " ".join(part for count, part in found if count * 2 > most) or given


def _halves(part: str) -> list[str]:
    """Cut at an "and" that joins a denial to another statement; one that joins two words stays."""
    for joint in _AND.finditer(part):
        before, after = part[: joint.start()], part[joint.end() :]
        if len(_meaning_of(before)) >= 2:
            return [before, after]
    return [part]


def _touched(said: Sequence[str], part: str) -> list[str]:
    there = (*lexicon.meaning(words_masked(part)), *(q.value for q in quantities(part)))
    return lexicon.covered(said, there)


def _names_occur(text: str, place: Place, opening: str) -> bool:
    """Whether every name of the sentence stands in the place, its title, or the sentence that opens its passage."""
    names = _names(text)
    if not names:
        return True
    here = _stems_of(f"{place.text} {place.item.title}")
    missing = {name for name in names if not _occurs(name, here)}
    if _script(text) != _script(place.text):
        missing = {name for name in missing if _LATIN.match(name)}
    if not missing:
        return True
    others = {name for name in _names(place.text) if not _occurs(name, names)}
    return not others and all(_occurs(name, _stems_of(opening)) for name in missing)


@lru_cache(maxsize=4096)
def _names(text: str) -> frozenset[str]:
    """Return the stems of words with a capital letter that do not open a sentence, and of those in quotes."""
    masked = words_masked(text)
    found: set[str] = set()
    for match in _CAPITAL.finditer(masked):
        before = masked[: match.start()]
        quoted = before.endswith(("«", "“", "„", '"'))
        opens = bool(_SENTENCE_START.search(before)) and not quoted
        foreign = bool(_LATIN.match(match.group())) and bool(_CYRILLIC.search(text))
        if (opens and not foreign) or lexicon.is_ignored_name(match.group()):
            continue
        found.update(stem(part) for part in lexicon.plain(match.group()).split("-") if part)
    return frozenset(found)


@lru_cache(maxsize=4096)
def _stems_of(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in re.findall(r"[^\W\d_]+", lexicon.plain(text)))


def _occurs(name: str, there: frozenset[str]) -> bool:
    shortest = max(3, len(name) - 2)
    return name in there or any(len(o) >= shortest and o[:shortest] == name[:shortest] for o in there)


def _script(text: str) -> str:
    return "ru" if len(_CYRILLIC.findall(text)) >= 0.3 * max(1, len(_LATIN.findall(text))) else "en"
