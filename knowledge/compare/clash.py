"""Whether two statements speak of the same thing, and then whether they agree. Pure.

same words and headings · same table row ─ no other place, customer, season, product, name, condition
    ─ values: same · differ ─ yes and no: same · differ
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge.compare import conflict_words as words
from knowledge.compare.amounts import Amount, amounts, comparable, relation
from knowledge.compare.statements import Marks, Statement
from knowledge.text.quantities import quantities

ConflictKind = Literal["number", "date", "money", "term", "yes_no"]

_HEADED = frozenset({"place", "customer", "way", "means", "season", "state", "thing"})
_WHEN = frozenset({"date", "weekday"})
_LISTED = 5
_FEW = 2
_ENDED = re.compile(r"[.!…][»”\")]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Two statements of one thing; `kind` None where they agree, `likeness` 0..1 how surely it is one thing."""

    kind: ConflictKind | None
    left: Statement
    right: Statement
    likeness: float


def clash_of(one: Statement, other: Statement) -> Clash | None:
    """Return how two statements of the same thing stand to each other; None when they speak of different things."""
    likeness = _likeness(one, other)
    if likeness < words.threshold("number"):
        return None
    verdict = _values(one, other)
    if verdict == "other":
        return None
    kind: ConflictKind | None = None if verdict == "none" or verdict == "same" else verdict
    if kind is None and _denies(one, other):
        kind = "yes_no"
    if kind is None and verdict == "none":
        return None
    return Clash(kind=kind, left=one, right=other, likeness=likeness)


def _denies(one: Statement, other: Statement) -> bool:
    """Whether one says yes and the other no."""
    if one.excepts or other.excepts or bool(one.conditions) != bool(other.conditions):
        return False
    if _dated(one) or _dated(other) or not _plainly(one, other):
        return False
    if not _ENDED.search(one.quote) or not _ENDED.search(other.quote):
        return False
    turned = sum(one.sides[n] != other.sides[n] for n in one.sides.keys() & other.sides.keys())
    return (turned + one.denials + other.denials) % 2 == 1


def _values(
    one: Statement, other: Statement
) -> Literal["number", "date", "money", "term", "same", "none", "other"]:
    """Compare what both give; "other" when a condition in numbers or a date parts them."""
    limit = not words.limits().isdisjoint({*one.own, *one.frame, *other.own, *other.frame})
    limit = limit or words.says("extreme", one.plain) or words.says("extreme", other.plain)
    across = one.language != other.language
    differing: list[tuple[Amount, Amount]] = []
    agreeing: list[Amount] = []
    for mine in one.amounts:
        met = [
            (relation(mine, his, limit=limit), his)
            for his in other.amounts
            if comparable(mine, his, across=across)
        ]
        if any(how != "differs" for how, _ in met):
            agreeing.append(mine)
        elif met:
            differing.append((mine, met[0][1]))
    if not differing:
        return "same" if agreeing else "none"
    return "other" if _parted_by_values(one, other, differing) else differing[0][0].kind


def _parted_by_values(one: Statement, other: Statement, differing: Sequence[tuple[Amount, Amount]]) -> bool:
    """Whether values that differ are of different cases: another sum to reach, another day, another example."""
    kinds = {(mine.of, mine.needed) for mine, _ in differing}
    first = differing[0][0]
    dated = bool(kinds & {(of, needed) for of in _WHEN for needed in (True, False)})
    if len(differing) > 1 and (len(kinds) == 1 or any(needed for _, needed in kinds) or dated):
        return True
    if len(kinds) > 1 and first.low != first.high:
        return True
    if first.of not in _WHEN and (dated or _dated(one) != _dated(other)):
        return True
    if not first.needed and _reached(one) != _reached(other):
        return True
    return any(_lists(side) for side in (one, other))


def _lists(one: Statement) -> bool:
    """Whether the sentence enumerates values: «бывает на 500, 1 000, 3 000 и 5 000 ₽»."""
    return not one.label and len(quantities(one.quote)) > _LISTED


def _dated(one: Statement) -> bool:
    return any(amount.of == "date" for amount in one.amounts)


def _reached(one: Statement) -> bool:
    return any(amount.needed for amount in one.amounts)


def _plainly(one: Statement, other: Statement) -> bool:
    """Whether two clauses say nearly the same words, headings aside: what a yes and a no must do."""
    shared = [word for word in one.own if words.among(word, other.own)]
    telling = any(words.weight(word) == 1.0 for word in shared)
    if not telling or sum(words.weight(word) for word in shared) < words.threshold("anchor"):
        return False
    most = words.threshold("yes_no")
    denying, stating = (one, other) if one.denials % 2 else (other, one)
    if _missing(denying.own, stating.everything):
        # «Системный диск отключить нельзя» is an exception from «диск отключить можно».
        return False
    if one.conditions and _share(one.conditions, set(other.conditions)) < most:
        return False
    both = {*other.own, *other.conditions}, {*one.own, *one.conditions}
    return _share(one.own, both[0]) >= most and _share(other.own, both[1]) >= most


def _share(said: Sequence[str], there: set[str]) -> float:
    total = sum(words.weight(word) for word in said)
    return sum(words.weight(word) for word in said if words.among(word, there)) / total if total else 0.0


# The same thing? --------------------------------------------------------------------------------------------


def _likeness(one: Statement, other: Statement) -> float:
    """Return how much of each is said by the other, 0..1; 0 when something parts them."""
    across = one.language != other.language
    mine, his = _covered(one, other, across=across), _covered(other, one, across=across)
    least, most = min(mine, his), max(mine, his)
    whole = 0.6 * least + 0.4 * most
    if whole < words.threshold("number") or not _anchored(one, other):
        return 0.0
    cost = _parted(one, other) + _named_apart(one, other)
    common = words.threshold("common")
    if _missing(one.own, other.everything, least=common) and _missing(
        other.own, one.everything, least=common
    ):
        cost += words.threshold("replacing")
    if (
        one.denied.symmetric_difference(other.denied)
        & {*one.conditions, *one.own}
        & {*other.conditions, *other.own}
    ):
        return 0.0
    return max(0.0, whole - cost)


def _covered(one: Statement, other: Statement, *, across: bool) -> float:
    """Return the share of one's meaning that the other says, 0..1."""
    near, far = {*other.own, *other.frame, *other.conditions}, other.heading
    # A word that only headings share may have been replaced by another one.
    back = {*one.own, *one.frame, *one.conditions}
    titled = "replaced" if _missing(one.own, near) and _missing(other.own, back) else "heading"
    total = got = 0.0
    for n, word in enumerate((*one.own, *one.conditions)):
        weight = words.weight(word) * (1.0 if n < len(one.own) else words.threshold("condition"))
        if across and not words.shared(word):
            weight *= words.threshold("unknown")
        total += weight
        got += weight * (
            1.0
            if words.among(word, near, across=across)
            else words.threshold(titled)
            if words.among(word, far)
            else 0.0
        )
    return got / total if total else 0.0


def _missing(said: Iterable[str], there: Iterable[str], *, least: float = 1.0) -> bool:
    """Whether a word of at least this weight is not there."""
    near = set(there)
    return any(not words.among(word, near) and words.weight(word) >= least for word in said)


def _anchored(one: Statement, other: Statement) -> bool:
    """Whether they share what they are about: two telling words, or one and the headings; rows their labels."""
    across = one.language != other.language
    mine, his = {*one.own, *one.frame, *one.conditions}, {*other.own, *other.frame, *other.conditions}
    both = [word for word in mine if words.weight(word) == 1.0 and words.among(word, his, across=across)]
    told = sum(words.weight(word) for word in one.own if words.among(word, other.own))
    if not _labelled(one, other) or not _labelled(other, one):
        return False
    enough = len(both) > 1 or (both and told >= words.threshold("anchor"))
    if across and not enough:
        enough = bool(both) and _known_met(one, his) and _known_met(other, mine)
    if enough and not one.refers and not other.refers:
        return True
    headings = [word for word in one.heading & other.heading if words.weight(word) == 1.0]
    return bool(headings) and bool(both or _headed(one, other) or _headed(other, one))


def _known_met(one: Statement, there: set[str]) -> bool:
    """Whether all telling words that both languages know are met, and the one or two others may be translations."""
    unknown = [word for word in (*one.own, *one.frame, *one.conditions) if not words.shared(word)]
    telling = [word for word in unknown if words.weight(word) == 1.0]
    return 0 < len(telling) <= _FEW and not _missing((word for word in one.own if words.shared(word)), there)


def _labelled(one: Statement, other: Statement) -> bool:
    """Whether the other speaks of what this table row is about; two rows part where each names something else."""
    if one.label and other.label and _missing(one.label, other.label) and _missing(other.label, one.label):
        return False
    there = other.label or {*other.own, *other.frame, *other.conditions, *other.heading}
    return not one.label or _share(tuple(one.label), set(there)) >= words.threshold("label")


def _headed(one: Statement, other: Statement) -> bool:
    heavy = [word for word in one.own if words.weight(word) == 1.0]
    return bool(heavy) and all(word in other.heading for word in heavy)


def _parted(one: Statement, other: Statement) -> float:
    """Return what the marks cost: 1 and more when they speak of different things."""
    cost = 0.0
    for kind in (*((mark.name, mark.alone) for mark in words.mark_kinds()), ("month", 1.0)):
        cost += _mark_cost(kind[0], kind[1], one, other)
        if cost >= 1:
            break
    return cost


def _mark_cost(name: str, alone: float, one: Statement, other: Statement) -> float:
    mine, his = _members(one, name), _members(other, name)
    if mine and his:
        return 0.0 if mine & his else 1.0
    if mine or his:
        bearer, bare = (one, other) if mine else (other, one)
        said = bearer.marks.get(name) or bearer.frame_marks.get(name)
        if not said:
            return 0.0
        return 0.0 if said & bare.around.get(name, frozenset()) else alone
    return 0.0


def _members(one: Statement, name: str) -> frozenset[str]:
    found = one.marks.get(name) or one.frame_marks.get(name)
    return found or (_of(one.heading_marks, name) if name in _HEADED else frozenset())


def _of(marks: Marks | Mapping[str, frozenset[str]], name: str) -> frozenset[str]:
    return marks.get(name, frozenset())


def _named_apart(one: Statement, other: Statement) -> float:
    """Return what names cost: each side has another, or one has a name the other passage does not know."""
    mine = {name for name in one.names if name not in other.said}
    his = {name for name in other.names if name not in one.said}
    if mine and his:
        return 1.0
    # «1080p», "4K": a property rather than a name.
    return 0.5 if any(not name[0].isdigit() for name in mine | his) else 0.0


def clash_told(clash: Clash) -> bool:
    """Whether each sentence gives the other's value too: «за 3 дня, не позже 10» and «за 10 дней, обычно за 3»."""
    mine, his = amounts(clash.left.quote), amounts(clash.right.quote)
    for one, others in ((clash.left.amounts, his), (clash.right.amounts, mine)):
        for value in one:
            met = (value.of == other.of and relation(value, other, limit=True) == "same" for other in others)
            if not any(met):
                return False
    return clash.kind != "yes_no"
