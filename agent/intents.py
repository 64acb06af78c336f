"""What each part of a message wants: one of the tools on offer, or an answer from the documents. Pure.

```
“Где заказ 1045 и как вернуть лампу?”
   └─ parts ─┬─ “Где заказ 1045”        cue «где заказ» of a tool, own number   ─► Intent(tool)
             └─ “как вернуть лампу”     asks for the way, nothing of one's own  ─► no intent: documents
```
A cue counts by its rarer words; typing slips and other endings are forgiven (`agent.likeness`).
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from agent.language import content, readable, sentences, stem, stems, words
from agent.likeness import nearest
from agent.ports import Similarity
from agent.wording import (
    asks,
    before_a_request,
    denied,
    has_word,
    names_by_number,
    opens_with,
    split_requests,
)
from tools.context import Language

SURE = 0.72
"""Score from which a cue alone decides."""
CLEAR = 0.9
"""Score of a message that says hardly anything but the cue."""
SUPPORTED = 0.55
"""Score that is enough with a number or a word of one's own beside it."""
DOCUMENTED = 0.8
"""Share of a question found in the documents from which a cue without anything of one's own gives way."""
HALF_DOCUMENTED = 0.5
"""The same where the cue itself is weak."""
BEHIND = 0.4
"""The same for what stays behind a sign-in or a consent: before asking for either, what everybody may know is said."""
TOPIC = 0.6
"""Share of what a public tool would look for that a title must meet for the documents to answer instead."""
FUNCTION_WORD = 0.45
"""What «где», "my" weigh beside a word that carries meaning."""
MEANING = 0.4
SPREAD = 5
"""Words that may stand between the words of a cue without loss."""

_AROUND = " \t\n.,;:!?«»\"'()"
_NAMES_A_THING = re.compile(r"(?=.*\d)[\w-]{3,}|[^\W\d]+-?\d+|\d+-?[^\W\d]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a tool: its schema as a planner needs it, and how to find it in free text."""

    name: str
    required: bool = True
    pattern: str = ""
    description: str = ""
    choices: tuple[str, ...] = ()
    expressions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something the model may call. `fixed` arguments belong to the offer; `control` ends the model's work."""

    tool: str
    cues: Mapping[Language, tuple[str, ...]] = field(default_factory=dict)
    arguments: tuple[Argument, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    fills: tuple[str, ...] = ()
    scope: str | None = None
    writes: bool = False
    control: bool = False

    @property
    def personal(self) -> bool:
        """Whether it is about the customer's own things rather than public ones."""
        return self.control or self.scope is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The offer a part of the message asks for. `score` 0..1."""

    offer: Offer
    score: float
    said: int = 0
    """Words of the cue it rests on: of two cues that are said in full, the longer one is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """How well the documents meet a question: its best answer, and the title nearest to it; each 0..1."""

    fit: float = 0.0
    topic: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How messages are read: what is on offer, how much the documents know, what was said before."""

    language: Language
    offers: tuple[Offer, ...]
    documented: Callable[[str], Documented]
    similarity: Similarity | None = None
    earlier: str = ""
    """An identifier of the conversation so far can be meant: the earlier messages that name it."""

    def intent(self, part: str) -> Intent | None:
        """Return what the part wants of the offers, or None when it is a question for the documents."""
        part = readable(part)
        own = self._own(part) and (self._numbered(part) or not has_word(part, "imagined"))
        manner = not own and (opens_with(part, "manner") or has_word(part, "imagined"))
        found = [i for i in self._scored(part) if not (manner and i.offer.personal)]
        best = max(found, key=lambda intent: (round(intent.score, 2), intent.said), default=None)
        if best is None or best.score < (SUPPORTED if own else SURE):
            return None if opens_with(part, "manner") else self._by_number(part)
        if own and not self._numbered(part):
            return None if self._asks_for_a_rule(best, part) else best
        return None if not own and self._gives_way(best, part) else best

    def _asks_for_a_rule(self, intent: Intent, part: str) -> bool:
        """Tell whether «мой», "my" is only said in passing: the rest of the question is what the documents know.

        «Когда сгорают мои баллы?» asks for a rule, «сколько у меня баллов» for one's own account.
        """
        if intent.offer.writes or not (asks(part) or part.rstrip().endswith("?")):
            return False
        rest = unexplained(intent.offer, part)
        if intent.offer.control:
            return _of_no_one_thing(rest) and self.documented(part).fit >= BEHIND
        enough = DOCUMENTED if intent.score >= SURE else HALF_DOCUMENTED
        if self.documented(part).fit < enough:
            return False
        return opens_with(part, "manner") or (bool(rest) and self.documented(" ".join(rest)).fit >= enough)

    def _gives_way(self, intent: Intent, part: str) -> bool:
        """Tell whether the documents answer better: they have a text about what a public tool would look for."""
        fit = self.documented(part).fit
        if intent.offer.control and fit >= BEHIND and _of_no_one_thing(unexplained(intent.offer, part)):
            return True
        if intent.offer.personal:
            return fit >= DOCUMENTED and intent.score < 1
        if fit < (DOCUMENTED if intent.score >= CLEAR else HALF_DOCUMENTED):
            return False
        sought = " ".join(unexplained(intent.offer, part))
        return bool(sought) and self.documented(sought).topic >= TOPIC

    def _scored(self, part: str) -> list[Intent]:
        found: list[Intent] = []
        said, carrying = tuple(stems(part)) + self._pointed_at(part), frozenset(content(part))
        named = bool(self.numbers(part))
        weights = _weights(tuple(c for offer in self.offers for cues in offer.cues.values() for c in cues))
        # Cues have few stems in all, and each is in many of them.
        heard = cache(lambda one: nearest(one, said))
        for offer in self.offers:
            if named and offer.personal and not offer.control and not any(map(identifies, offer.arguments)):
                continue  # a list is not what is asked for when one thing is named
            cues = [cue for own in offer.cues.values() for cue in own]
            if offer.writes:
                cues = [cue for cue in cues if _denies_alike(cue, part)]
            scored = [
                (_score(cue, said, carrying, weights, heard=heard), len(_cue(cue)), cue) for cue in cues
            ]
            score, length, cue = max(scored, default=(0.0, 0, ""))
            if self.similarity is not None and 0.4 <= score < SURE:
                score += MEANING * max(0.0, self.similarity(part, [cue])[0] - 0.5)
            found.append(Intent(offer=offer, score=score, said=length))
        return found

    def _own(self, part: str) -> bool:
        """Tell whether the part is about something of the customer's own, named, owned or pointed at."""
        if self._numbered(part) or has_word(part, "own"):
            return True
        return self._points(part) and bool(self.numbers(self.earlier))

    def _numbered(self, part: str) -> bool:
        return bool(self.numbers(part)) or names_by_number(part)

    def _points(self, part: str) -> bool:
        return has_word(part, "that_one") or opens_with(part, "goes_on", strip=False)

    def _pointed_at(self, part: str) -> tuple[str, ...]:
        """Return the stems of the thing a follow-up points at with «его», "it": the nouns tools have in common."""
        if not self._points(part) or not self.numbers(self.earlier):
            return ()
        return tuple(sorted(_nouns(self.offers) & set(content(self.earlier)) - set(content(part))))

    def numbers(self, text: str) -> list[str]:
        """Return the identifiers of any tool that the text names."""
        arguments = {a.name: a for offer in self.offers for a in offer.arguments if identifies(a)}
        return list(dict.fromkeys(v for a in arguments.values() for v in values(a, text)))

    def _by_number(self, part: str) -> Intent | None:
        """A thing that is named, by its number or code, is looked up by it whatever is said about it."""
        for offer in self.offers:
            needs = [a for a in offer.arguments if a.required]
            if not offer.writes and len(needs) == 1 and any(map(_is_code, values(needs[0], part))):
                return Intent(offer=offer, score=SUPPORTED)
        return None


def _of_no_one_thing(rest: Sequence[str]) -> bool:
    """Tell whether what a cue leaves unexplained is there and names no one thing: «1045», "L12"; «5» may be days."""
    return bool(rest) and not any(_NAMES_A_THING.fullmatch(word) for word in rest)


def parts(text: str, wanted: Callable[[str], Intent | None]) -> tuple[str, ...]:
    """Return the requests a message consists of; statements stay with the request they lead to."""
    pieces = [
        piece for line in text.splitlines() for s in sentences(line) or [line] for piece in split_requests(s)
    ]
    pieces = [piece for piece in pieces if words(piece)]
    found: list[str] = []
    carried = ""
    for n, piece in enumerate(pieces):
        comma = "," if carried[-1:].isalnum() else ""
        joined = f"{carried}{comma} {piece}".strip()
        is_request = bool(content(piece)) and (asks(piece) or _clearly(wanted(piece)))
        if is_request or n == len(pieces) - 1:
            if not is_request and found and not carried:
                found[-1] = f"{found[-1]} {piece}"
            else:
                found.append(joined)
            carried = ""
        else:
            carried = joined
    return tuple(found)


def _clearly(intent: Intent | None) -> bool:
    """Tell whether an intent rests on words, not on a number alone: a statement may name one, too."""
    return intent is not None and intent.score > SUPPORTED


def values(argument: Argument, text: str) -> list[str]:
    """Return what the text gives for the argument: identifiers each once, in order; of a free text one, by the first expression that
    is there or else the longest."""
    found: dict[tuple[str, ...], tuple[int, str]] = {}
    for n, expression in enumerate(argument.expressions):
        for match in _compiled(expression).finditer(text):
            start, value = match.start("value"), match.group("value").strip(_AROUND)
            inside = start > 0 and text[start - 1].isalnum() and text[start].isalpha()
            if value and not inside and _allowed(argument, value):
                found.setdefault(tuple(words(value)), (start, value))
        if found and n == 0 and not identifies(argument):
            break
    if found and not identifies(argument):
        longest = max(found.values(), key=lambda place: len(place[1]))[1]
        return [_told(before_a_request(longest))]
    if not found and argument.pattern:
        bare = text.strip(_AROUND + "#№")
        if re.fullmatch(argument.pattern, bare) and _allowed(argument, bare):
            return [bare]
    for choice in argument.choices:
        if choice.lower() in text.lower():
            found.setdefault((choice,), (text.lower().index(choice.lower()), choice))
    return [value for _, value in sorted(found.values())]


def _told(value: str) -> str:
    """Drop what introduces a free text: “the right one is: Lesnaya 14”."""
    head, colon, tail = value.partition(": ")
    introduces = colon and ":" not in tail and tail.strip() and not any(mark.isdigit() for mark in head)
    return tail.strip() if introduces else value


def _is_code(value: str) -> bool:
    return " " not in value and any(mark.isdigit() for mark in value)


def identifies(argument: Argument) -> bool:
    """Whether the argument is an identifier: its schema says what it looks like and that has digits."""
    return bool(argument.pattern) and (r"\d" in argument.pattern or "0-9" in argument.pattern)


def _allowed(argument: Argument, value: str) -> bool:
    """An identifier needs a digit; the pattern tells what to look for and is not held against spellings."""
    return not identifies(argument) or any(mark.isdigit() for mark in value)


def unexplained(offer: Offer, text: str) -> list[str]:
    """Return the words of the text that carry meaning and belong to no cue of the offer: what is asked about."""
    own = frozenset(s for cues in offer.cues.values() for cue in cues for s in _cue(cue))
    return [word for word in words(text) if _carries(word) and stem(word) not in own]


@lru_cache(maxsize=512)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE)


@lru_cache(maxsize=8192)
def _cue(cue: str) -> tuple[str, ...]:
    return tuple(stems(cue))


@lru_cache(maxsize=8192)
def _carries(word: str) -> bool:
    return bool(content(word))


@lru_cache(maxsize=64)
def _weights(cues: tuple[str, ...]) -> Mapping[str, float]:
    """Return for each stem of the cues how much it tells: rare stems more, function words less."""
    frequency: dict[str, int] = {}
    meaning: dict[str, bool] = {}
    for cue in cues:
        for word in words(cue):
            meaning[stem(word)] = meaning.get(stem(word), False) or _carries(word)
        for one in set(_cue(cue)):
            frequency[one] = frequency.get(one, 0) + 1
    return {
        one: math.log(2 + len(cues) / n) * (1.0 if meaning[one] else FUNCTION_WORD)
        for one, n in frequency.items()
    }


def _denies_alike(cue: str, part: str) -> bool:
    """Tell whether cue and message deny the same words: “do not cancel” is no wish to cancel."""
    mine, theirs = denied(cue), denied(part)
    denied_here = all(nearest(one, theirs) > 0 for one in mine)
    return denied_here and not any(nearest(one, set(_cue(cue)) - mine) > 0 for one in theirs)


def _score(
    cue: str,
    said: tuple[str, ...],
    carrying: frozenset[str],
    weights: Mapping[str, float],
    *,
    heard: Callable[[str], float],
) -> float:
    """Return how well a message says the cue, 0..1: all of it, close together, little else.

    `said` are the message's stems in order, `carrying` those that carry meaning; `heard` tells how near any of them
    comes to a stem.
    """
    wanted = _cue(cue)
    if not wanted:
        return 0.0
    total = sum(weights[one] for one in wanted)
    recall = sum(weights[one] * heard(one) for one in wanted) / total
    if recall < 0.4:
        return 0.0
    places = [n for n, one in enumerate(said) if nearest(one, wanted) > 0]
    spread = max(places) - min(places) + 1 - len(wanted) if places else 0
    close = 1.0 if spread <= SPREAD else 0.85
    there = sum(1 for n, one in enumerate(said) if one in carrying or n in places)
    return float(recall * close * (0.8 + 0.2 * len(places) / max(1, there)))


@lru_cache(maxsize=16)
def _nouns_of(cues: tuple[str, ...]) -> frozenset[str]:
    """Return stems that most tools' cues share: the nouns everybody means (order, parcel)."""
    frequency: dict[str, int] = {}
    for cue in cues:
        for one in set(map(stem, (w for w in words(cue) if _carries(w)))):
            frequency[one] = frequency.get(one, 0) + 1
    return frozenset(one for one, n in frequency.items() if n >= max(2, len(cues) // 12))


def _nouns(offers: Sequence[Offer]) -> frozenset[str]:
    return _nouns_of(tuple(c for offer in offers for cues in offer.cues.values() for c in cues))
