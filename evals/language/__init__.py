"""Whether every reply is in the customer's last language: two hundred turns through the built house.

```yaml
- id: ru-orders                       # evals/language/*.yaml: conversations
  starts: ru                          # the language the conversation is opened in
  customer: anna                      # signed in; without it the visitor is anonymous
  turns:
    - {says: "Где мой заказ 1045-А?", wants: ru}
    - {press: "Разрешить", wants: ru}           # a button of an earlier reply, by its label
    - {action: person, wants: ru}               # a button as the widget sends it
```
Read are the text and the buttons of every answer and whatever else reached the customer's screen in that turn. A
turn counts as right when all of it is in the language wanted; a turn that is rightly silent has nothing wrong.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from agent.language import sentences
from evals.measured import Figure, Findings, Miss, Setting, Tell
from tools.context import Language

ROWS = Path(__file__).parent
SETTLED_SECONDS = 0.3
"""How long nothing more must come before all of a conversation's events are there."""

_ASIDE = re.compile(r"[«“\"][^»”\"]*[»”\"]|\S*[\d@]\S*|\w+\.\w{2,}\S*")
_PLACE = re.compile(r"\b(?:[А-ЯЁ][\w-]*|(?:ул|д|кв|г|обл|пер|пр)\.)")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One turn: what the customer does, and the language of what comes back."""

    wants: Language
    says: str = ""
    press: str = ""
    action: str = ""

    @property
    def shown(self) -> str:
        """The move as a reader of the report sees it."""
        return self.says or f"[{self.press or self.action}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One conversation."""

    id: str
    starts: Language
    turns: tuple[Row, ...]
    customer: str | None = None


def read_talks(folder: Path = ROWS) -> tuple[Talk, ...]:
    """Return every conversation of the folder's files. Raises `TypeError` for a key that does not exist."""
    return tuple(
        Talk(**{**row, "turns": tuple(Row(**turn) for turn in row["turns"])})
        for path in sorted(folder.glob("*.yaml"))
        for row in yaml.safe_load(path.read_text("utf-8"))
    )


def foreign(text: str, wanted: Language) -> str:
    """Return the first sentence of the text in another language than the one wanted, empty when there is none.

    Quoted titles, codes, addresses and brands belong to no language. In an English text a Cyrillic word is a name
    only beside English words.
    """
    for sentence in (one for line in text.splitlines() for one in sentences(line)):
        own = _ASIDE.sub(" ", sentence)
        if wanted == "en" and _LATIN.search(own):
            own = _PLACE.sub(" ", own)
        cyrillic, latin = len(_CYRILLIC.findall(own)), len(_LATIN.findall(own))
        if (wanted == "en" and cyrillic) or (wanted == "ru" and latin > cyrillic):
            return sentence
    return ""


async def measure(setting: Setting, tell: Tell) -> Findings:
    """Hold every conversation and read everything that came back."""
    talks = read_talks()
    total = sum(len(talk.turns) for talk in talks)
    misses: list[Miss] = []
    done = 0
    async with setting.context.house() as house, house.sandbox({}) as sandbox:
        for talk in talks:
            misses += await held(sandbox, talk)
            done += len(talk.turns)
            tell("language", done, total)
    wrong = len({miss.id for miss in misses})
    return Findings(figures=(Figure(name="right", value=1 - wrong / total, of=total),), misses=tuple(misses))


async def held(house: Any, talk: Talk) -> list[Miss]:
    """Hold one conversation; return what of it came back in the wrong language."""
    conversation: str | None = None
    answers: list[Mapping[str, Any]] = []
    misses: list[Miss] = []
    for n, row in enumerate(talk.turns, start=1):
        action = _action(row, answers)
        if row.press and action is None:
            return [*misses, Miss(id=f"{talk.id}-{n}", wanted=row.press, got="no such button")]
        answer = await house.ask(
            row.says, customer=talk.customer, conversation=conversation, language=talk.starts, action=action
        )
        conversation = str(answer["conversation"])
        answers.append(answer)
        misses += _misses(f"{talk.id}-{n}", row, _shown(answer), language=str(answer["language"]))
    wanted = {str(answer["turn"]): row for answer, row in zip(answers, talk.turns, strict=True)}
    async for data in _events(house, str(conversation)):
        if (row_of := wanted.get(str(data.get("turn")))) is not None and data.get("author") != "customer":
            number = talk.turns.index(row_of) + 1
            misses += _misses(f"{talk.id}-{number}", row_of, _shown(data))
    await _leave(house, str(conversation), answers)
    return misses


async def _leave(house: Any, conversation: str, answers: Sequence[Mapping[str, Any]]) -> None:
    """Take back what was allowed: the next conversation may be the same customer's."""
    asked = {
        str(a["waiting"]["target"]) for a in answers if a["waiting"] and a["waiting"]["what"] == "consent"
    }
    for purpose in sorted(asked):
        await house.consent(conversation, purpose, granted=False)


def _action(row: Row, answers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    if row.action:
        return {"kind": row.action, "target": "", "yes": True}
    if not row.press:
        return None
    for answer in reversed(answers):
        for button in answer["buttons"]:
            if row.press in str(button["label"]):
                action: Mapping[str, Any] = button["action"]
                return action
    return None


def _shown(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of an answer or of an event, and its buttons."""
    for name in ("text", "gives", "label"):
        if isinstance(data.get(name), str):
            yield data[name]
    for button in data.get("buttons") or ():
        yield str(button["label"])


def _misses(id: str, row: Row, shown: Iterator[str], *, language: str = "") -> Iterator[Miss]:
    if language and language != row.wants:
        yield Miss(id=id, wanted=row.wants, got=f"said to be {language}", about=row.shown)
    for text in shown:
        if wrong := foreign(text, row.wants):
            yield Miss(id=id, wanted=row.wants, got=wrong, about=row.shown)


async def _events(house: Any, conversation: str) -> AsyncIterator[Mapping[str, Any]]:
    """Yield the data of all events there are by now."""
    events = aiter(house.events(conversation))
    with suppress(TimeoutError, StopAsyncIteration):
        while True:
            event = await asyncio.wait_for(anext(events), SETTLED_SECONDS)
            yield event["data"]
