"""Which piece of evidence a sentence rests on; a sentence that rests on none does not leave the house. Pure.

```
Sentence ─► its references ─┬─ none ───────────────────────────────► no_reference
                            ├─ name nothing of this turn ──────────► unknown_reference
                            └─ each in turn ─┬─ its very words ────► quoted
                                             ├─ its sense ─────────► supported   (rebound: other evidence has it)
                                             └─ number | negation | unsupported
```
The sense of a sentence is there when every number, price, date and code of it stands in the evidence and the judge
fitted for the encoder finds the rest there too (`agent.weighed`). With another encoder, or none, rules decide: every
name, its denials and most of its words must stand in one place. Nothing here understands; everything here compares, so
that what passes can be shown to the customer beside the words it rests on.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from agent import lexicon
from agent.closeness import closeness
from agent.contradiction import Ground, contradiction, numbers_occur, script, words_of
from agent.domain import Citation, Evidence, Sentence
from agent.language import sentences
from agent.naming import names_across
from agent.ports import Encoder, Similarity
from agent.weighed import weigh
from agent.weighing import Judge, judge_of
from knowledge.text.quantities import agree, quantities, words_masked

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
TRIED = 3
"""Places whose sense is compared, those with the greatest share of the sentence's words."""
WIDEST = 3
"""Neighbouring sentences of one passage that may carry a sentence together."""

_SIGNS = "%‰°₽€$£¥₸₴₼"
"""Marks at the end of a sentence that belong to its number: 50 % is not 50 ₽."""
_OUTER = re.compile(rf"^(?:(?![{_SIGNS}]|-\d)[\W_])+|(?:(?![{_SIGNS}])[\W_])+$")


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
    if not verdict.ok and len(named) > 1:
        joint = _jointly(sentence.text, named, similarity)
        verdict = joint if joint.ok else verdict
    if verdict.ok or verdict.reason != "unsupported":
        return verdict
    for item in evidence.values():
        if item not in named:
            other = _against(sentence.text, item, similarity)
            if other.ok:
                return Verdict(ok=True, reason="rebound", citations=other.citations, score=other.score)
    return verdict


def warm() -> None:
    """Load and compile the data, which the first sentence would otherwise wait for: about half a second."""
    _against(
        "Да, 2 дня. Not 3.", Evidence(ref="", kind="passage", title="", text="Нет, 3 дня. 4 days."), None
    )


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
    if isinstance(similarity, Encoder) and units and (judge := judge_of(similarity.name)) is not None:
        return _weighed(text, item, units, encoder=similarity, judge=judge)
    places = sorted(_places(text, item, units), key=lambda place: _share(text, place), reverse=True)
    near = _near(text, places, similarity)
    if near is None:
        return _elsewhere(text, places, units)
    # From here on the evidence speaks of the same matter: what differs now contradicts.
    return _judge(text, near, units[0])


def _weighed(text: str, item: Evidence, units: Sequence[str], *, encoder: Encoder, judge: Judge) -> Verdict:
    known = max((_share(words_masked(text), place) for place in _places(text, item, units)), default=0.0)
    if not words_of(text) and not quantities(text):
        return Verdict(ok=False, reason="unsupported")
    found = weigh(text, item, near=known >= lexicon.threshold("coverage"), encoder=encoder, judge=judge)
    if found.objection is not None:
        return Verdict(ok=False, reason=found.objection, score=found.probability)
    citation = Place(item=item, text=found.place).citation
    return Verdict(ok=True, reason="supported", citations=(citation,), score=found.probability)


def _jointly(text: str, named: Sequence[Evidence], similarity: Similarity | None) -> Verdict:
    """Try the best place of each named piece together: one sentence may join two facts."""
    places = [
        max(_places(text, item, units), key=lambda place: _share(text, place))
        for item in named
        if (units := _units(item.text))
    ]
    joined = " ".join(place.text for place in places)
    whole = Place(item=replace(named[0], text=joined), text=joined)
    if isinstance(similarity, Encoder) and (judge := judge_of(similarity.name)) is not None:
        verdict = _weighed(text, whole.item, _units(joined), encoder=similarity, judge=judge)
        cited = tuple(place.citation for place in places) if verdict.ok else ()
        return replace(verdict, citations=cited)
    if _near(text, [whole], similarity) is None:
        return Verdict(ok=False, reason="unsupported", score=_share(text, whole))
    verdict = _judge(text, whole, "")
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


@lru_cache(maxsize=8192)
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


def _judge(text: str, place: Place, opening: str) -> Verdict:
    """Compare one sentence with one place of the evidence. `opening` is the first sentence of its passage."""
    share = _share(text, place)
    contradicted = contradiction(
        text, Ground(place=place.text, whole=place.item.text, title=place.item.title, opening=opening)
    )
    if contradicted is not None:
        return Verdict(ok=False, reason=contradicted, score=share)
    return Verdict(ok=True, reason="supported", citations=(place.citation,), score=share)


def _elsewhere(text: str, places: Sequence[Place], units: Sequence[str]) -> Verdict:
    """Tell a sentence whose words are there with another number from one that is not there at all."""
    for place in places[:1]:
        ground = Ground(place=place.text, whole=place.item.text, title=place.item.title, opening=units[0])
        known = _share(words_masked(text), place) >= lexicon.threshold("coverage")
        differs = bool(quantities(text)) and known and not numbers_occur(text, ground)
        return Verdict(ok=False, reason="number" if differs else "unsupported", score=_share(text, place))
    return Verdict(ok=False, reason="unsupported")


def _near(text: str, places: Sequence[Place], similarity: Similarity | None) -> Place | None:
    """Return the place that says what the text says, whatever it says of it; `places` come by share, best first."""
    across = bool(places) and script(text) != script(places[0].text)
    tried = places if across else [place for place in places[:TRIED] if _clauses_covered(text, place)]
    sure = lexicon.threshold("alone" if similarity else "coverage")
    if not tried or (not across and _share(text, tried[0]) >= sure):
        return tried[0] if tried else None
    least = 0.0 if across else lexicon.threshold("with_similarity")
    tried = [place for place in tried if _share(text, place) >= least]
    if similarity is None or not tried:
        return None
    found = closeness(text, [place.text for place in tried], similarity=similarity)
    if not found:
        return tried[0] if not across and _share(text, tried[0]) >= lexicon.threshold("coverage") else None
    if across:
        rated = [
            (close / lexicon.threshold(_needed(text, p)), p) for close, p in zip(found, tried, strict=True)
        ]
    else:
        whole = lexicon.threshold("together")
        rated = [((close + _share(text, p)) / whole, p) for close, p in zip(found, tried, strict=True)]
    best, place = max(rated, key=lambda one: one[0])
    return place if best >= 1 else None


def _needed(text: str, place: Place) -> Literal["across", "anchored"]:
    """Return which threshold holds for a translation: numbers and names that stay make a lesser closeness enough."""
    given = (*quantities(place.text), *quantities(place.item.title))
    numbers = sum(any(agree(number, other) for other in given) for number in quantities(text))
    return "anchored" if numbers + len(names_across(text, place.text)) >= 2 else "across"


def _share(text: str, place: Place) -> float:
    """Return the share of the sentence's meaningful words and quantities that stand in the place, by weight."""
    return _share_of(text, place.text, place.item.title)


@lru_cache(maxsize=16_384)
def _share_of(text: str, given: str, title: str) -> float:
    said, numbers = words_of(text), quantities(text)
    there = (*quantities(given), *quantities(title))
    found = sum(any(agree(number, other) for other in there) for number in numbers) + 0.0
    whole = len(numbers) + 0.0
    here, named = (set(lexicon.covered(said, words)) for words in (words_of(given), lexicon.meaning(title)))
    for word in said:
        weight = lexicon.weight(word) * (lexicon.threshold("title") if word in named else 1.0)
        whole += weight
        found += weight if word in here or word in named else 0.0
    return found / whole if whole else 0.0


def _clauses_covered(text: str, place: Place) -> bool:
    """Whether no clause beside others says something of its own."""
    parts = lexicon.clauses(words_masked(text))
    there = (*lexicon.meaning(place.text), *lexicon.meaning(place.item.title))
    for clause in parts if len(parts) > 1 else ():
        said = lexicon.meaning(clause)
        if len(said) >= 2 and len(lexicon.covered(said, there)) < lexicon.threshold("clause") * len(said):
            return False
    return True
