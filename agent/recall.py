"""What a long conversation is remembered by: its last messages in full, the rest in a few lines. Pure.

```
turn 1 … turn n ─► remembered ─► Recall: facts (numbers, names, choices) and what was asked, bounded
messages ─────────► recent ────► the last ones that fit a budget of tokens
                    beyond ────► of the Recall, what those messages do not tell already
```
What a model reads of the two hundredth turn is as long as of the twentieth.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.domain import Fact, FactKind, Incoming, Message, Recall
from agent.gist import gist
from agent.language import content
from knowledge.text.tokens import count

RECENT_TOKENS = 1200
"""Tokens of the last messages a model reads in full."""
RECENT_MESSAGES = 10
"""Messages read at least."""
BLOCK = 10
"""How many are dropped at once: dropping one a turn would move every later word, and a provider's cache would never meet
the same conversation twice."""
LONGEST_MESSAGE = 800
"""Characters of one of them."""
SUMMARY_TOKENS = 300
"""Tokens of what is kept of everything before."""
MOST_FACTS = 12
LONGEST_FACT = 60
LONGEST_LINE = 80

_NUMBER = re.compile(
    r"(?<![\w.,:$€£₽-])(?:[A-Za-zА-Яа-яЁё]{1,4}-?\d{3,10}|\d{4,10})(?:-[A-Za-zА-Яа-яЁё0-9]{1,4})?(?!\w|[.,:]\d)"
)
_MONEY = re.compile(r"\s*(?:₽|руб|р\.|rub|usd|\$|€|%)", re.IGNORECASE)
_NAME = re.compile(
    r"(?i:меня\s+зовут|мо[её]\s+имя|my\s+name\s+is|my\s+name.s|call\s+me)\W+"
    r"(?P<name>[^\W\d_]+(?:[ -][A-ZА-ЯЁ][^\W\d_]+)?)"
)


def remembered(recall: Recall, batch: Sequence[Incoming], *, history: Sequence[Message]) -> Recall:
    """Return the recall with what this turn's messages add; the oldest lines give way, facts stay longest."""
    facts, said = list(recall.facts), list(recall.said)
    for incoming in batch:
        facts = _with(facts, _facts(incoming, history))
        line = " ".join(gist(incoming.text, longest=LONGEST_LINE).split())[:LONGEST_LINE]
        if content(line) and line not in said:
            said.append(line)
    facts = facts[-MOST_FACTS:]
    if _surely_fit((*(fact.text for fact in facts), *said), tokens=SUMMARY_TOKENS):
        return Recall(facts=tuple(facts), said=tuple(said))
    left = SUMMARY_TOKENS - sum(count(fact.text) for fact in facts)
    return Recall(facts=tuple(facts), said=tuple(_last(said, tokens=left)))


def recent(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the last messages within the budget, cut to a bearable length, oldest first; always the very last one."""
    last = messages[-1].seq if messages else 0
    dropped = max(0, last - RECENT_MESSAGES) // BLOCK * BLOCK
    spoken = [m for m in messages if m.seq > dropped and m.author != "system" and m.text.strip()]
    short = [replace(m, text=m.text.strip()[:LONGEST_MESSAGE]) for m in spoken]
    if _surely_fit((m.text for m in short), tokens=RECENT_TOKENS):
        return tuple(short)
    kept: list[Message] = []
    left = RECENT_TOKENS
    for message in reversed(short):
        left -= count(message.text)
        if left < 0 and kept:
            break
        kept.append(message)
    return tuple(reversed(kept))


def beyond(recall: Recall, messages: Sequence[Message]) -> Recall:
    """Return what of the recall the messages do not tell already."""
    told = "\n".join(" ".join(message.text.split()) for message in messages)
    return Recall(
        facts=tuple(fact for fact in recall.facts if fact.text not in told),
        said=tuple(line for line in recall.said if line not in told),
    )


def _facts(incoming: Incoming, history: Sequence[Message]) -> Iterable[Fact]:
    for match in _NUMBER.finditer(incoming.text):
        if not _MONEY.match(incoming.text, match.end()):
            yield _fact("number", match.group())
    for match in _NAME.finditer(incoming.text):
        yield _fact("name", match["name"])
    chosen = _chosen(incoming, history)
    if chosen:
        yield _fact("choice", chosen)


def _chosen(incoming: Incoming, history: Sequence[Message]) -> str:
    """Return the words on the button that was pressed."""
    action = incoming.action
    if action is None or action.kind in ("rate", "person", "ai"):
        return ""
    labels = (b.label for m in reversed(history) for b in m.buttons if b.action == action)
    return next(labels, action.target if action.kind == "say" else "")


def _fact(kind: FactKind, text: str) -> Fact:
    return Fact(kind=kind, text=" ".join(text.split())[:LONGEST_FACT])


def _with(facts: list[Fact], new: Iterable[Fact]) -> list[Fact]:
    """Return the facts with the new ones last; a name said later takes the place of an earlier one."""
    for fact in new:
        facts = [f for f in facts if f != fact and not (fact.kind == f.kind == "name")]
        facts.append(fact)
    return facts


def _surely_fit(texts: Iterable[str], *, tokens: int) -> bool:
    """Tell without counting: no token is shorter than a byte, and the counter takes its time to load."""
    return sum(len(text.encode()) + 1 for text in texts) <= tokens


def _last(lines: Sequence[str], *, tokens: int) -> list[str]:
    kept: list[str] = []
    for line in reversed(lines):
        tokens -= count(line) + 1
        if tokens < 0:
            break
        kept.append(line)
    return kept[::-1]
