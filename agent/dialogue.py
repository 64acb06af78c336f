"""What a message says about the conversation itself, or that it is no question at all. Pure, data in `texts/dialogue.*`.

```
«повтори» · "shorter"                    ─► Repeat(short)
«это не помогло»                         ─► Unhelpful
«нет, не 1042, а 1043» · "I meant 1043"  ─► Corrected: the question before it, put right
«вернёмся к доставке»                    ─► Returned: what was asked about it before, or goes on with it
«ок», "got it", «нет»                    ─► Noted, while nothing is open
«помогите», "I have a problem"           ─► Vague
```
Only whole messages count: words beside them make a message a question again.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import Any, Literal

from agent.cues import TEXTS, Cues, cues
from agent.domain import Message
from agent.language import content, readable, script, stem, words
from agent.wording import asks
from tools.context import Language

LONGEST = 12
"""Words of a message about the conversation; a longer one tells something of its own."""
WHOLE = 3
"""Words that carry meaning from which what was meant is a question by itself."""
LIKE = 4
"""Letters two stems share to be one topic: «доставк» and «доставит»."""

Danger = Literal["harm", "threat"]

_NUMBER = re.compile(r"#?№?\b\w*\d[\w-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """The last answer once more; `short`: only how it begins."""

    short: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unhelpful:
    """The last answer was of no use; `again`: neither was the one before it."""

    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Restated:
    """A question put together from what was said: corrected, or taken up again. It stands by itself."""

    question: str
    corrects: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Nothing is asked: the customer has read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vague:
    """Something is the matter, and not a word of what."""


Aside = Repeat | Unhelpful | Restated | Noted | Vague


def aside(text: str, history: Sequence[Message]) -> Aside | None:
    """Return what the message says about the conversation so far, None when it is a question like any other.

    Without anything said before there is nothing to repeat, correct or go back to.
    """
    said = readable(text)
    spoken = len(words(said))
    if not spoken:
        return None
    if spoken <= LONGEST and (short := _short(said, history)) is not None:
        return short
    return _restated(said, questions(history), history)


def danger(text: str) -> Danger | None:
    """Return whether somebody may come to harm: the customer, or one of us."""
    said = readable(text)
    for kind in ("harm", "threat"):
        if any(_lists(said).find(kind, line) for line in (said, *said.splitlines())):
            return kind
    return None


def only_abuse(text: str) -> bool:
    """Tell whether the message is abuse and nothing else: no question, no matter to look into."""
    said = readable(text).lower()
    if "?" in said or any(mark.isdigit() for mark in said):
        return False
    rest = said
    for pattern in _patterns(said, "abuse"):
        rest = pattern.sub(" ", rest)
    if rest == said or asks(rest):
        return False
    for pattern in _patterns(said, "abuse_leaves"):
        rest = pattern.sub(" ", rest)
    return len(content(rest)) <= 1


def questions(history: Sequence[Message]) -> tuple[str, ...]:
    """Return what the customer asked so far, oldest first, as it was meant in the end, without remarks."""
    return tuple(question for _, question in _asked(history))


def answers(history: Sequence[Message]) -> tuple[Message, ...]:
    """Return all that the assistant said to the last question: the answer, and what came of remarks about it."""
    asked = _asked(history)
    return tuple(m for m in history[asked[-1][0] + 1 if asked else 0 :] if m.author == "ai")


def _asked(history: Sequence[Message]) -> list[tuple[int, str]]:
    """Return the questions with their places; buttons that answer something of ours are none."""
    pressed: set[str] = set()
    found: list[tuple[int, str]] = []
    for n, message in enumerate(history):
        pressed |= {b.label for b in message.buttons if b.action.kind != "say"}
        if message.author != "customer" or message.text in pressed or is_remark(message.text):
            continue
        before = [question for _, question in found]
        restated = _restated(readable(message.text), before, history[:n])
        if restated is not None or content(message.text):
            found.append((n, message.text if restated is None else restated.question))
    return found


def _restated(said: str, asked: Sequence[str], history: Sequence[Message]) -> Restated | None:
    """Return the question the message puts right or goes back to, if it does."""
    if not asked:
        return None
    return _corrected(said, asked[-1], history) or _returned(said, asked, history)


def digresses(reply: str) -> bool:
    """Tell whether the reply to a question of ours is a question by itself, about something else."""
    said = readable(reply).strip()
    return said.endswith("?") and asks(said) and len(content(said)) > 1


def last_answer(history: Sequence[Message]) -> Message | None:
    """Return the last thing the assistant said; None when a person spoke after it, or nobody yet."""
    last = next((m for m in reversed(history) if m.author in ("ai", "person")), None)
    return last if last is not None and last.author == "ai" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An open proposal as the customer read it, and its arguments; `passed`: something else was asked since, or a person spoke."""

    text: str
    values: tuple[str, ...]
    passed: bool


def proposed(history: Sequence[Message], proposal: Mapping[str, Any]) -> Shown:
    """Return what the customer read of the open proposal, and whether the next yes is still an answer to it."""
    # Facts are more than was shown: the old address has a flat of its own, and "only flat 12" may mean that one.
    values = tuple(str(value) for value in dict(proposal.get("arguments") or {}).values())
    passed = False
    for message in reversed(history):
        if message.author not in ("ai", "person"):
            continue
        if confirms(message, proposal):
            return Shown(text=message.text, values=values, passed=passed)
        passed = passed or message.author == "person" or message.text.rstrip().endswith("?")
    # Its message is older than what is kept at hand: there is nothing to hold a later question against.
    return Shown(text="", values=values, passed=bool(history) and passed)


def confirms(message: Message, proposal: Mapping[str, Any]) -> bool:
    """Tell whether the message asks for the yes to this proposal."""
    return any(
        button.action.kind == "confirm" and button.action.target == str(proposal["id"])
        for button in message.buttons
    )


def _short(said: str, history: Sequence[Message]) -> Aside | None:
    """Read remarks that are whole messages."""
    if _only(said, "vague"):
        return Vague()
    if last_answer(history) is None:
        return None
    if _only(said, "repeat"):
        return Repeat()
    if _only(said, "shorter"):
        return Repeat(short=True)
    if "?" in said:
        return None
    if _only(said, "unhelpful"):
        return Unhelpful(again=_was_unhelpful(history)) if questions(history) else None
    return Noted() if _only(said, "noted") else None


def _was_unhelpful(history: Sequence[Message]) -> bool:
    """Tell whether the customer's last words were the same remark."""
    last = next((m.text for m in reversed(history) if m.author == "customer"), "")
    return _only(readable(last), "unhelpful")


def is_remark(text: str) -> bool:
    """Tell whether the whole message is about the talk: once more, shorter, no help, understood, "I have a problem"."""
    said = readable(text)
    kinds = ("repeat", "shorter", "unhelpful", "noted", "vague")
    return len(words(said)) <= LONGEST and any(_only(said, kind) for kind in kinds)


def _only(said: str, kind: str) -> bool:
    lists = _lists(said)
    own = f"{kind}_fillers"
    return lists.only(said, kind=kind, fillers=own if own in lists.words else "fillers")


def _corrected(said: str, before: str, history: Sequence[Message]) -> Restated | None:
    for pattern in _patterns(said, "instead"):
        if match := pattern.search(said):
            old, new = (_bare(match[name], said) for name in ("old", "new"))
            mended = _exchanged(before, old, new)
            if mended is None and _mentioned(old, history):
                mended = _exchanged_number(before, new) or f"{before}\n{new}"
            if mended is not None:
                return Restated(question=mended, corrects=True)
    for pattern in _patterns(said, "meant"):
        if match := pattern.search(said):
            new = match["new"].strip(" ,.;:!—–-«»\"'")
            if content(new) or _NUMBER.search(new):
                return Restated(question=_put_right(before, new, said), corrects=True)
    return None


def _put_right(before: str, new: str, said: str) -> str:
    """Return the question as it was meant: `new` alone, or instead of the number it corrects, or beside it."""
    if asks(new) or len(content(_NUMBER.sub(" ", new))) >= WHOLE:
        return new
    return _exchanged_number(before, _bare(new, said)) or f"{before}\n{new}"


def _exchanged(before: str, old: str, new: str) -> str | None:
    """Return the question with `new` in the place of `old`, by its stems; None when `old` is not in it."""
    wanted = [stem(word) for word in words(old)]
    found = [(match, words(match.group())) for match in re.finditer(r"[^\W_]+(?:[-'’][^\W_]+)*", before)]
    stems = [stem(said[0]) if said else "" for _, said in found]
    for n in range(len(stems) - len(wanted) + 1):
        if wanted and stems[n : n + len(wanted)] == wanted:
            first, last = found[n][0], found[n + len(wanted) - 1][0]
            return f"{before[: first.start()]}{new}{before[last.end() :]}"
    return None


def _exchanged_number(before: str, new: str) -> str | None:
    """Return the question with its only number exchanged for the one in `new`."""
    given, known = _NUMBER.search(new), list(_NUMBER.finditer(before))
    if given is None or len(known) != 1:
        return None
    return f"{before[: known[0].start()]}{given.group()}{before[known[0].end() :]}"


def _mentioned(old: str, history: Sequence[Message]) -> bool:
    """Tell whether what is put right was said by anybody since the last question."""
    recent = {one for message in history[-4:] for one in map(stem, words(message.text))}
    wanted = {stem(word) for word in words(old)}
    return bool(wanted) and wanted <= recent


def _bare(piece: str, said: str) -> str:
    """Return the piece without the small words in front of it."""
    piece = piece.strip(" ,.;:!—–-«»\"'")
    small = _small(script(said))
    while (shorter := small.sub("", piece)) != piece and words(shorter):
        piece = shorter
    return piece


def _returned(said: str, asked: Sequence[str], history: Sequence[Message]) -> Restated | None:
    for pattern in _patterns(said, "back"):
        if match := pattern.search(said):
            topic, rest = match["topic"].strip(), match["rest"].strip()
            if content(rest):
                return Restated(question=f"{topic}: {rest}")
            return Restated(question=_earlier(topic, asked, history, said))
    return None


def _earlier(topic: str, asked: Sequence[str], history: Sequence[Message], said: str) -> str:
    """Return the last question about the topic; without a topic the one before the last; else the topic."""
    none = _lists(said).words["no_topic"]
    named = {stem(word) for word in words(topic) if word not in none}
    if not named:
        return asked[-2] if len(asked) > 1 else asked[-1]
    about = (q for q in reversed(asked) if _touches(named, content(q)))
    return next(about, _answered_about(named, history) or topic)


def _answered_about(named: set[str], history: Sequence[Message]) -> str:
    """Return the question whose answer was about the topic, empty when there is none."""
    for n in range(len(history) - 1, -1, -1):
        if history[n].author == "ai" and _touches(named, content(history[n].text)):
            before = [m.text for m in history[:n] if m.author == "customer" and not is_remark(m.text)]
            return before[-1] if before else ""
    return ""


def _touches(named: set[str], said: Sequence[str]) -> bool:
    return any(_alike(one, other) for one in named for other in said)


def _alike(one: str, other: str) -> bool:
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    return one == other or same >= max(LIKE, min(len(one), len(other)) - 1)


def _lists(text: str) -> Cues:
    return cues(script(text), name="dialogue")


def _patterns(text: str, name: str) -> tuple[re.Pattern[str], ...]:
    return _compiled(script(text), name)


@cache
def _compiled(language: Language, name: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(one, re.IGNORECASE) for one in _raw(language)[name])


@cache
def _small(language: Language) -> re.Pattern[str]:
    return re.compile(_raw(language)["small"], re.IGNORECASE)


@cache
def _raw(language: Language) -> dict[str, Any]:
    read: Callable[[str], dict[str, Any]] = tomllib.loads
    return read((TEXTS / f"dialogue.{language}.toml").read_text("utf-8"))["patterns"]  # type: ignore[no-any-return]
