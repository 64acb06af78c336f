"""Where a sentence and a piece of evidence speak of the same matter: does the sentence say anything else? Pure.

```
sentence ─► clauses, each beside the clause of the evidence it is closest to
   number        a value, date or code that is not there, or stands beside other words there
   negation      one denies, restricts or turns round what the other states
   unsupported   a name that the evidence does not know
```
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Literal

from agent import lexicon
from agent.clauses import Clause, clauses
from agent.naming import first_stem, names, names_across, names_occur, quoted_occur
from knowledge.text.quantities import Quantity, agree, quantities, words_masked

_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
_SUPERSEDED = re.compile(r"\b(?:вместо|instead of|rather than)\s[^,.;:()]{1,40}", re.IGNORECASE)
"""What no longer holds: «2 декабря вместо 28 ноября»."""

_PRONOUN = re.compile(
    r"\W*(?:он|она|оно|они|его|её|ее|их|это|этот|эта|he|she|it|they|his|her|its|their|this|these)\b",
    re.IGNORECASE,
)
RANGE = 4
"""Characters between two numbers up to which they are ends of one range."""

Rarity = Mapping[str, float]
Contradiction = Literal["number", "negation", "unsupported"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a sentence is held against: a place of a passage, the whole passage, and what it stands under.

    `opening` is the first sentence of the passage: codes and names may stand there alone.
    """

    place: str
    whole: str
    title: str = ""
    opening: str = ""

    @property
    def topic(self) -> tuple[Quantity, ...]:
        """Numbers that name the one thing the passage is about: an order, a model."""
        named = [one for one in quantities(f"{self.title}. {self.opening}") if names_thing(one)]
        return tuple(named) if len({one.value for one in named}) == 1 else ()


def contradiction(said: str, ground: Ground) -> Contradiction | None:
    """Return what `said` says against the ground."""
    if not numbers_occur(said, ground):
        return "number"
    foreign = script(said) != script(ground.place)
    return across(said, ground) if foreign else _clause_by_clause(said, ground)


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    """Return the meaningful stems of a text, its numbers left out."""
    return lexicon.meaning(words_masked(text))


def script(text: str) -> str:
    """Return in which alphabet the text is written: "ru" or "en"."""
    return "ru" if len(_CYRILLIC.findall(text)) >= 0.3 * max(1, len(_LATIN.findall(text))) else "en"


# Clauses. ---------------------------------------------------------------------------------------------------


def across(said: str, ground: Ground) -> Contradiction | None:
    """Compare with another language, where only numbers and denials can be."""
    here = clauses(ground.place)
    for claim in clauses(said):
        held = [clause for clause in here if any(clause.holds(number) for number in claim.numbers)]
        if held and all(clause.denied != claim.denied for clause in held):
            return "negation"
    denies, denied = (any(one.denied for one in part) for part in (clauses(said), here))
    if denies != denied and (denies or not quantities(said)):
        return "negation"
    named = names(said)
    there = len(names_across(said, f"{ground.place} {ground.title}"))
    return None if there >= lexicon.threshold("names_across") * len(named) else "unsupported"


def _clause_by_clause(said: str, ground: Ground) -> Contradiction | None:
    given, title = clauses(ground.whole), lexicon.meaning(ground.title)
    if not lexicon.claims(said) <= lexicon.claims(f"{ground.place} {ground.title}"):
        return "negation"
    rare = rarity(given, title)
    topic = frozenset(
        one.value for one in quantities(f"{ground.title}. {ground.opening}") if names_thing(one)
    )
    for claim in clauses(said):
        homes = closest(claim, given, rare, topic=topic)
        found = (
            _against_home(claim, homes, given, ground, rare) if homes else "number" if claim.numbers else None
        )
        if found is not None:
            return found
        for rival in given if homes else ():
            kind = rivalry(claim, rival, homes)
            if kind and belongs(claim, rival, homes, rare):
                return kind
    return None


def _against_home(
    claim: Clause, homes: Sequence[Clause], given: Sequence[Clause], ground: Ground, rare: Rarity
) -> Contradiction | None:
    near = [clause for clause in given if any(clause.sentence == home.sentence for home in homes)]
    if wrong_number(claim, homes, near, given, ground):
        return "number"
    around = "; ".join(clause.text for clause in near)
    if denied_otherwise(claim, near, rare):
        return "negation"
    if lexicon.opposed(claim.text, around) or spared(claim, homes):
        return "negation"
    if begins_with_pronoun(around):
        around += before(near[0], given)
    if claim.sentence == 0 and not claim.before and substituted(claim, homes, ground):
        return "unsupported"
    named = names_occur(claim.text, around, ground) and quoted_occur(claim.text, around, ground)
    return None if named else "unsupported"


def wrong_number(
    claim: Clause, homes: Sequence[Clause], near: Sequence[Clause], given: Sequence[Clause], ground: Ground
) -> bool:
    """Whether a number of the claim is another one at home, or stands with other words."""
    for said in claim.numbers:
        if any(home.holds(said) for home in homes) or any(agree(said, one) for one in ground.topic):
            continue
        rivalled = said.kind != "code" and any(home.rivals(said) for home in homes)
        if rivalled or not joined(claim, said, near, homes, given):
            return True
    return False


def denied_otherwise(claim: Clause, near: Sequence[Clause], rare: Rarity) -> bool:
    """Whether the clause that speaks of the same says "not" where the claim does not, or the other way round.

    Where the claim denies one word, it is held against the clauses with that word.
    """
    able = [clause for clause in near if clause.condition == claim.condition]
    denied = lexicon.denied_first(claim.text)
    about = [clause for clause in able if lexicon.covered(denied, _whole(clause))]
    shared = [_about(claim, clause, rare) for clause in about or able]
    same = [c for c, count in zip(about or able, shared, strict=True) if count and count == max(shared)]
    return bool(same) and all(clause.denies(claim) != claim.denies(clause) for clause in same)


def _whole(clause: Clause) -> tuple[str, ...]:
    return (*clause.words, *clause.before) if clause.heir else clause.words


def _about(claim: Clause, clause: Clause, rare: Rarity) -> float:
    """Return how far two clauses speak of one thing; what a clause inherits counts a little less."""
    own = lexicon.covered(claim.words, clause.words)
    heir = [word for word in lexicon.covered(claim.words, _whole(clause)) if word not in own]
    words = sum(rare.get(w, 0.5) for w in own) + 0.9 * sum(rare.get(w, 0.5) for w in heir)
    return words + 0.5 * sum(clause.holds(number) for number in claim.numbers)


def joined(
    claim: Clause, said: Quantity, near: Sequence[Clause], homes: Sequence[Clause], given: Sequence[Clause]
) -> bool:
    """Whether a number the home lacks stands nearby, or with a word of the claim that the home lacks too."""
    if any(clause.holds(said) for clause in near):
        return True
    left = set(claim.words) - {word for home in homes for word in lexicon.covered(claim.words, home.words)}
    return any(clause.holds(said) and lexicon.covered(left, clause.words) for clause in given)


def begins_with_pronoun(text: str) -> bool:
    """Whether the text speaks of something the sentence before it names."""
    return bool(_PRONOUN.match(text))


def before(clause: Clause, given: Sequence[Clause]) -> str:
    """Return the sentence before the clause's own, which a pronoun points to."""
    return "; ".join(one.text for one in given if one.sentence == clause.sentence - 1)


@lru_cache(maxsize=512)
def rarity(given: tuple[Clause, ...], title: tuple[str, ...]) -> Rarity:
    """Return how much each stem of the evidence tells its clauses apart, 0..1; words of the title tell little."""
    counts = Counter(word for clause in given for word in clause.words)
    return {
        word: lexicon.weight(word) * (lexicon.threshold("title") if word in title else 1.0) / (1 + log(count))
        for word, count in counts.items()
    }


def names_thing(number: Quantity) -> bool:
    """Whether the number is a name rather than a value: of an order, of a model."""
    return number.kind == "code" or (number.kind == "number" and not number.unit and len(number.value) >= 4)


def closest(claim: Clause, given: Sequence[Clause], rare: Rarity, *, topic: frozenset[str]) -> list[Clause]:
    """Return the clauses that share most with the claim, first of all its numbers; none where that tells nothing.

    `topic` are numbers that name what the whole passage is about: they tell no clause from another.
    """
    values = [number for number in claim.numbers if number.value not in topic]
    held = [sum(clause.holds(number) for number in values) for clause in given]
    able = [clause for clause, count in zip(given, held, strict=True) if count == max(held)]
    scored = [(_shared(claim, clause, rare), clause) for clause in able]
    most = max((score for score, _ in scored), default=0.0)
    found = [clause for score, clause in scored if most and score >= most - 1e-6]
    around = {
        word
        for clause in given
        for home in found
        if clause.sentence == home.sentence
        for word in clause.words
    }
    known = sum(rare.get(word, 0.5) for word in lexicon.covered(claim.words, around)) + max(held, default=0)
    return found if known >= lexicon.threshold("comparable") * _size(claim, rare) else []


def _shared(claim: Clause, clause: Clause, rare: Rarity) -> float:
    own = lexicon.covered(claim.words, clause.words)
    heir = [word for word in lexicon.covered(claim.words, clause.before) if word not in own]
    inherited = (0.9 if clause.heir else 0.5) * sum(rare.get(w, 0.5) for w in heir)
    alike = 0.1 * len(own) / max(1, len(clause.words))
    held = sum(clause.holds(number) for number in claim.numbers)
    return sum(rare.get(w, 0.5) for w in own) + inherited + held + alike


def _size(claim: Clause, rare: Rarity) -> float:
    return sum(rare.get(word, lexicon.weight(word)) for word in claim.words) + len(claim.numbers)


def spared(claim: Clause, homes: Sequence[Clause]) -> bool:
    """Whether the evidence leaves something out and the claim does not."""
    return not claim.spared and all(home.spared for home in homes)


def rivalry(claim: Clause, rival: Clause, homes: Sequence[Clause]) -> Contradiction | None:
    """Return in what another clause of the evidence differs from the claim; None where it does not, or is its home."""
    if rival in homes or (_values(claim) > 1 and all(all(map(h.holds, claim.numbers)) for h in homes)):
        return None
    values = [said for said in claim.numbers if not names_thing(said)]
    if any(rival.rivals(said) or rival.nothing(said) for said in values):
        return "number"
    if rival.gapped and not claim.numbers:
        return "number"
    if not rival.cell and (
        any(rival.sentence == home.sentence for home in homes) or (values and not _says(rival, claim))
    ):
        return None
    if rival.denies(claim) != claim.denies(rival) or lexicon.opposed(claim.text, rival.text):
        return "negation"
    return None


def _says(rival: Clause, claim: Clause) -> bool:
    """Whether another clause has every meaningful word of the claim."""
    words = [word for word in claim.words if lexicon.weight(word) == 1.0]
    return len(words) >= 2 and len(lexicon.covered(words, rival.words)) == len(words)


def belongs(claim: Clause, rival: Clause, homes: Sequence[Clause], rare: Rarity) -> bool:
    """Whether the claim's words stand with the rival rather than at home.

    Within a sentence, what an earlier clause says may hold for the later ones too (a common beginning), never the
    other way round.
    """
    if all(rival.sentence != home.sentence for home in homes):
        theirs = set(lexicon.covered(claim.words, (*rival.words, *rival.before)))
        ours = {word for home in homes for word in lexicon.covered(claim.words, (*home.words, *home.before))}
        return bool(theirs - ours) and _weigh(theirs - ours, rare) >= _weigh(ours - theirs, rare)
    at_home = {word for home in homes for word in lexicon.covered(claim.words, (*home.words, *home.spared))}
    inherited = {word for home in homes for word in lexicon.covered(claim.words, home.before)}
    at_rival = set(lexicon.covered(claim.words, (*rival.words, *(rival.before if rival.heir else ()))))
    there, here = at_rival - at_home, at_home - at_rival
    if there <= inherited:
        # All of it is a common beginning, unless nothing of the claim is particular to its home.
        return bool(there) and not here and _values(claim) < 2
    return _weigh(there, rare) >= _weigh(here, rare)


def _weigh(words: Iterable[str], rare: Rarity) -> float:
    return sum(rare.get(word, 1.0) for word in words)


def _values(claim: Clause) -> int:
    """Return how many values the claim has, a range being one."""
    pairs = zip(claim.numbers, claim.numbers[1:], strict=False)
    return len(claim.numbers) - sum(right.start - left.end <= RANGE for left, right in pairs)


def numbers_occur(text: str, ground: Ground) -> bool:
    """Whether every number, date, time, phone and code of `text` stands in the place.

    Codes may also stand in the title or in the opening sentence: a passage about one thing names it once.
    """
    given = ground.whole if script(text) == script(ground.place) else ground.place
    valid = given if _SUPERSEDED.search(text) else _SUPERSEDED.sub(" ", given)
    there = (*quantities(valid), *quantities(ground.title))
    known = {number.value for number in ground.topic}
    return all(
        (said.spelled and said.value == "1" and not said.unit)
        or (names_thing(said) and said.value in known)
        or any(agree(said, quantity) for quantity in there)
        for said in quantities(text)
    )


def substituted(claim: Clause, homes: Sequence[Clause], ground: Ground) -> bool:
    """Whether the claim begins with a thing the passage does not know, where its home begins with another one."""
    first, whole = claim.words[:1], (*lexicon.meaning(ground.whole), *lexicon.meaning(ground.title))
    if (
        not first
        or lexicon.covered(first, whole)
        or first_stem(claim.text) != [*first]
        or not lexicon.is_thing(claim.text)
    ):
        return False
    rest = [word for word in claim.words[1:] if lexicon.weight(word) == 1.0]
    for home in homes:
        known = lexicon.covered(rest, (*home.words, *home.before))
        led = home.words[:1] and not lexicon.covered(home.words[:1], claim.words)
        if (led or _PRONOUN.match(home.text)) and len(known) >= 0.75 * len(rest):
            return True
    return False
