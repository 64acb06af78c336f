"""What an operator reads first of a conversation: at most five lines, in the customer's own words. Pure.

```
customer's messages ─► sentences, talk left out ─► the one that asks    ─► asks | tells | wordless
                                                └► the one that tells most beside it ─► adds
numbers, things in «quotes», cards ────────────────────────────────────► names
last answer of the AI ─────────────────────────────────────────────────► answered
reason, refusals, identity ────────────────────────────────────────────► lacks
```
Nothing is phrased here: a line is a quotation, or names of what is missing that have words in the console's texts.
The same conversation always gives the same lines, and reading it costs no more for its length.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agent import language as words
from agent.cues import cues
from agent.domain import Message, Reason
from agent.gist import gist
from agent.policy.measure import mood_of
from agent.unanswered import ANSWERS, Open, only_talk
from agent.wording import asks
from tools.context import Assurance, TurnId

LINES = 5
LONGEST_QUOTE = 220
LONGEST_NAME = 60
MOST_NAMES = 5
MESSAGES = 40
"""Messages of the customer that are read: the first, and the latest; what matters is at either end."""
RICH = 9
"""Words that carry meaning from which a sentence tells no more for being longer."""

Kind = Literal["asks", "tells", "wordless", "adds", "names", "answered", "lacks"]
Lack = Literal[
    "document", "certainty", "system", "outcome", "decision", "number", "identity", "consent", "model"
]
"""What stood between the question and an answer; its words are the console's."""

_LACKS: Mapping[Reason, Lack] = {
    "ungrounded": "document",
    "not_sure": "certainty",
    "tool_failed": "system",
    "effect_unknown": "outcome",
    "needs_approval": "decision",
    "model_failed": "model",
    "budget_spent": "model",
    "internal_error": "model",
}
_CODE = re.compile(
    r"(?<![\w.,:$€£₽@+-])(?:[A-Za-zА-Яа-яЁё]{1,4}-?\d{2,14}|\d{3,14})(?:-[A-Za-zА-Яа-яЁё0-9]{1,4})?(?!\w|[.,:@-]\w)"
)
_MEASURE = re.compile(
    r"\s*(?:₽|руб|р\.|rub|usd|eur|\$|€|%|°|см|мм|вт|кг|лм|люмен|градус|кельвин|[кk]\b|cm|mm|kg|lm\b|lumen|w\b|degree)",
    re.IGNORECASE,
)
"""What counts money or things: the number before it names nothing."""
_TITLE = re.compile(r"(?:[^\W\d_]+\s+)?[«“\"]([^«»“”\"\n]{2,50})[»”\"]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: a quotation in the customer's language, names, or what is missing."""

    kind: Kind
    quote: str = ""
    names: tuple[str, ...] = ()
    lacks: tuple[Lack, ...] = ()


def brief(
    messages: Sequence[Message],
    *,
    waiting: Open | None = None,
    outcomes: Mapping[TurnId, str],
    reason: Reason | None = None,
    refused: Collection[str] = (),
    assurance: Assurance = "anonymous",
) -> tuple[Line, ...]:
    """Return the lines for a transcript (oldest first), none for one in which the customer said nothing.

    `waiting` are the words without an answer, `refused` the purposes the customer declined, `reason` why a person came.
    """
    said = _read([m for m in messages if m.author == "customer" and m.text.strip()])
    if not said:
        return ()
    wanted, beside = _telling(said, waiting)
    if not wanted:
        return (Line(kind="wordless", quote=_cut(said[-1].text)),)
    names = tuple(_names(messages, said, first=waiting.first if waiting is not None else 0))
    last = _answered(messages, outcomes)
    found = [
        Line(kind="asks" if _asking(wanted) else "tells", quote=_cut(wanted)),
        *([Line(kind="adds", quote=_cut(beside))] if beside else ()),
        *([Line(kind="names", names=names[:MOST_NAMES])] if names else ()),
        *([Line(kind="answered", quote=last)] if last else ()),
    ]
    wants = "\n".join((wanted, beside))
    lacks = tuple(_lacks(reason, refused=refused, assurance=assurance, wants=wants, names=names))
    return (*found, *([Line(kind="lacks", lacks=lacks)] if lacks else ()))[:LINES]


def _read(said: list[Message]) -> list[Message]:
    """Return the messages that are looked at."""
    return said if len(said) <= MESSAGES else [said[0], *said[1 - MESSAGES :]]


def _telling(said: Sequence[Message], waiting: Open | None) -> tuple[str, str]:
    """Return the sentence that says what is wanted, and the one that adds most to it; "" where there is none."""
    found: list[tuple[int, str]] = []
    for message in said:
        for line in gist(message.text).splitlines():
            found += [(message.seq, one) for one in words.sentences(line) if not only_talk(one)]
    if not found:
        return "", ""
    first, last = (waiting.first, waiting.seq) if waiting is not None else (found[-1][0], found[-1][0])
    open_ones = [one for one in found if first <= one[0] <= last] or found
    wanted = max(open_ones, key=lambda one: (_asking(one[1]), _weight(one[1]), one[0]))
    rest = [one for one in found if not _same(one[1], wanted[1])]
    beside = max(rest, key=lambda one: (_weight(one[1]), one[0]), default=(0, ""))
    return wanted[1], beside[1]


def _weight(sentence: str) -> float:
    """Return how much a sentence tells: words with a meaning, a number, a complaint."""
    stems = set(words.content(sentence))
    number = 3.0 if _CODE.search(sentence) else 0.0
    moved = 2.0 if mood_of([sentence]) != "calm" else 0.0
    return min(len(stems), RICH) + number + moved + (2.0 if _asking(sentence) else 0.0)


def _asking(sentence: str) -> bool:
    """Tell whether a sentence asks for something; «Сколько можно!» only begins as if it did."""
    said = sentence.rstrip()
    return said.endswith("?") or (not said.endswith("!") and asks(said))


def _same(one: str, other: str) -> bool:
    """Tell whether one sentence says nothing beyond the other."""
    stems, known = set(words.content(one)), set(words.content(other))
    return not stems - known or (len(stems - known) == 1 and len(stems) > 2)


def _names(messages: Sequence[Message], said: Sequence[Message], *, first: int) -> Iterable[str]:
    """Return what the talk is about by name, each once: of the open question (from `first`), before it, on cards."""
    found: list[str] = []
    for message in (*(m for m in said if m.seq >= first), *(m for m in reversed(said) if m.seq < first)):
        text = gist(message.text)
        for match in _CODE.finditer(text):
            if not _MEASURE.match(text, match.end()):
                found.append(match.group())
        found += [match.group() for match in _TITLE.finditer(text)]
    found += [card.title for m in messages[-MESSAGES:] if m.author == "ai" for card in m.cards]
    known: set[str] = set()
    for name in found:
        short = " ".join(name.split())[:LONGEST_NAME]
        key = frozenset(words.words(short))
        if key and not any(key <= earlier for earlier in map(frozenset, map(words.words, known))):
            known.add(short)
            yield short


def _answered(messages: Sequence[Message], outcomes: Mapping[TurnId, str]) -> str:
    """Return how the last answer of the AI began, "" where it gave none."""
    told = (
        m.text
        for m in reversed(messages)
        if m.author == "ai" and m.turn is not None and outcomes.get(m.turn, "") in ANSWERS
    )
    return _cut(next(told, ""))


def _lacks(
    reason: Reason | None,
    *,
    refused: Collection[str],
    assurance: Assurance,
    wants: str,
    names: Sequence[str],
) -> Iterable[Lack]:
    if reason is not None and reason in _LACKS:
        yield _LACKS[reason]
    if assurance == "anonymous" and cues(words.script(wants), name="briefing").find("order", wants):
        # Whoever is known has orders that can be looked up without a number.
        if not any(mark.isdigit() for name in names for mark in name):
            yield "number"
        yield "identity"
    if refused:
        yield "consent"


def _cut(text: str) -> str:
    """Return a quotation in one line, cut where a word ends."""
    flat = " ".join(text.split())
    if len(flat) <= LONGEST_QUOTE:
        return flat
    head, *_ = flat[:LONGEST_QUOTE].rsplit(maxsplit=1)
    return f"{head} …"
