"""Where a sentence and a piece of evidence speak of the same matter: does the sentence say anything else? Pure.

number        a value, date or code that is not there, or stands beside other words there
negation      one denies or restricts what the other states
unsupported   a name that the evidence does not know
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from agent import lexicon
from agent.language import sentences, stem
from knowledge.text.quantities import Quantity, agree, quantities, words_masked

_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
_CAPITAL = re.compile(r"(?<![\w-])[A-ZА-ЯЁ][^\W\d_]*(?:-[^\W\d_]+)*")
_SENTENCE_START = re.compile(r"^[\W_]*$|[.!?…:]\s*[\W_]*$|[«\"“„(]$")
_TURN = re.compile(
    r";|,\s+(?=(?:а|однако|зато|while|whereas|however|yet)\b)|,?\s+(?=(?:но|but)\b)|(?<=[.!?])\s+"
)
_AND = re.compile(
    r"\s(?:и|and)\s+(?=(?:[^\W\d_]+\s+)?(?:не|нельзя|нет|not|never|cannot|can't|don't|doesn't|isn't|aren't)\b)"
)
_SUPERSEDED = re.compile(r"\b(?:вместо|instead of|rather than)\s[^,.;:()]{1,40}", re.IGNORECASE)
"""What no longer holds: «2 декабря вместо 28 ноября»."""

Contradiction = Literal["number", "negation", "unsupported"]


def contradiction(said: str, given: str, *, title: str, opening: str) -> Contradiction | None:
    """Return what `said` says against `given`, which stands under `title` in a passage that begins with `opening`."""
    if not numbers_agree(said, given, title=title, opening=opening):
        return "number"
    if not _denials_agree(said, given):
        return "negation"
    return None if _names_occur(said, given, title=title, opening=opening) else "unsupported"


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[str, ...]:
    """Return the meaningful stems of a text, its numbers left out."""
    return lexicon.meaning(words_masked(text))


def script(text: str) -> str:
    """Return in which alphabet the text is written: "ru" or "en"."""
    return "ru" if len(_CYRILLIC.findall(text)) >= 0.3 * max(1, len(_LATIN.findall(text))) else "en"


# Numbers. ---------------------------------------------------------------------------------------------------


def numbers_agree(text: str, given: str, *, title: str, opening: str) -> bool:
    """Whether every number, date, time, phone and code of `text` stands in `given`, beside the same words.

    Codes may also stand in the title or in the opening sentence: a passage about one thing names it once.
    """
    valid = given if _SUPERSEDED.search(text) else _SUPERSEDED.sub(" ", given)
    there = (*quantities(valid), *quantities(title))
    known = {quantity.value for quantity in quantities(opening) if quantity.kind == "code"}
    for said in quantities(text):
        if said.spelled and said.value == "1" and not said.unit:
            continue
        if said.kind == "code" and said.value in known:
            continue
        if not any(agree(said, quantity) for quantity in there):
            return False
    return _numbers_belong(text, given)


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
    return (*words_of(text), *lexicon.denied_words(text), *(f"{q.kind}:{q.value}:{q.unit}" for q in others))


def _same_kind(one: Quantity, other: Quantity) -> bool:
    return one.kind == other.kind and one.unit == other.unit


def _numbered(text: str) -> list[str]:
    """Return the clauses of a text, those without a number joined to the one before them, or after."""
    parts: list[str] = []
    for part in re.split(r"[,;]\s|(?<=[.!?])\s+|\s(?:и|а|но|или|and|but|or)\s", text):
        if parts and (not quantities(part) or not quantities(parts[-1])):
            parts[-1] = f"{parts[-1]}, {part}"
        else:
            parts.append(part)
    return parts


# Denials and names. -----------------------------------------------------------------------------------------


def _denials_agree(text: str, evidence: str) -> bool:
    given = _aligned(text, evidence)
    if lexicon.opposed(text, given):
        return False
    if script(text) != script(given):
        return bool(lexicon.negations(text)) == bool(lexicon.negations(given))
    if not lexicon.claims(text) <= lexicon.claims(evidence):
        return False
    if lexicon.has_exception(given) and not lexicon.negations(text):
        return False
    if _denies(text, given) or _denies(given, text):
        return False
    return lexicon.negations(text) == lexicon.negations(given)


def _denies(one: str, other: str) -> bool:
    """Whether `one` says "not" of a word that `other` says plainly, in a clause without any denial."""
    denied = set(lexicon.denied_first(one))
    if (set(lexicon.denied_first(other)) - denied) & set(lexicon.meaning(one)):
        return False
    for word in denied:
        clauses = [clause for clause in lexicon.clauses(other) if word in lexicon.meaning(clause)]
        if clauses and not any(lexicon.negations(clause) for clause in clauses):
            return True
    return False


def _aligned(text: str, given: str) -> str:
    """Return the parts of the evidence that the sentence speaks of, cut where the evidence turns («…, но»)."""
    said = (*words_of(text), *(q.value for q in quantities(text)))
    turns = [half for part in _TURN.split(given) if part and part.strip() for half in _halves(part)]
    parts = [part for turn in turns for part in _numbered(turn)]
    found = [(len(_touched(said, part)), part) for part in parts]
    most = max((count for count, _ in found), default=0)
    kept = [part for count, part in found if count * 2 > most or _wholly(part, count)]
    return "; ".join(kept) or given


def _wholly(part: str, touched: int) -> bool:
    """Whether a short part holds nothing but words and numbers of the sentence."""
    return len(words_of(part)) > 0 and len(words_of(part)) + len(quantities(part)) <= touched


def _halves(part: str) -> list[str]:
    """Cut at an "and" that joins a denial to another statement; one that joins two words stays."""
    for joint in _AND.finditer(part):
        before, after = part[: joint.start()], part[joint.end() :]
        if len(words_of(before)) >= 2:
            return [before, after]
    return [part]


def _touched(said: Sequence[str], part: str) -> list[str]:
    there = (*lexicon.meaning(words_masked(part)), *(q.value for q in quantities(part)))
    return lexicon.covered(said, there)


def _names_occur(text: str, given: str, *, title: str, opening: str) -> bool:
    """Whether every name of the sentence stands in the evidence, its title, or the sentence that opens its passage."""
    names = _names(text)
    if not names:
        return True
    here = _stems_of(f"{given} {title}")
    if script(text) != script(given):
        return len(names_across(text, f"{given} {title}")) >= lexicon.threshold("names_across") * len(names)
    missing = {name for name in names if not _occurs(name, here)}
    if not missing:
        return True
    others = [name for name in _names(given) if not _occurs(name, names)]
    others += [q.value for q in quantities(given) if q.kind == "code" and q.value not in _codes(text)]
    return not others and all(_occurs(name, _stems_of(opening)) for name in missing)


def names_across(text: str, given: str) -> list[str]:
    """Return the names of `text` that stand in `given` in another alphabet."""
    here = frozenset(lexicon.romanised(word) for word in _stems_of(given))
    return [name for name in _names(text) if _occurs(lexicon.romanised(name), here)]


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


def _codes(text: str) -> frozenset[str]:
    return frozenset(quantity.value for quantity in quantities(text) if quantity.kind == "code")


@lru_cache(maxsize=4096)
def _stems_of(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in re.findall(r"[^\W\d_]+", lexicon.plain(words_masked(text))))


def _occurs(name: str, there: frozenset[str]) -> bool:
    shortest = max(3, len(name) - 2)
    return name in there or any(len(o) >= shortest and o[:shortest] == name[:shortest] for o in there)
