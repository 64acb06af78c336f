"""Messages in one breath, at a real server: one reply to a burst, and every message of any rhythm is answered once."""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agent.domain import TurnRecord
from api.settings import Settings
from tests.api.desk import Door, RuleTurn, Visit, open_door, settings_in

QUIET_MS = 120
AT_ONCE = 4


class Model:
    """What the rule turn takes for a model: it needs its time, and counts the answers it finished."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, seed: int = 0, slowest: float = 0.0) -> None:
        self.finished: Counter[str] = Counter()
        chance, decide = random.Random(seed), RuleTurn._decide

        async def think(turn: RuleTurn, id: Any, situation: Any, text: str, *, attempt: int) -> TurnRecord:
            await asyncio.sleep(chance.uniform(0, slowest))
            self.finished[str(situation.conversation.id)] += 1
            return await decide(turn, id, situation, text, attempt=attempt)

        monkeypatch.setattr(RuleTurn, "_decide", think)


def rhythm(folder: Path, *, quiet_ms: int) -> Settings:
    return settings_in(folder, quiet_ms=quiet_ms)


async def test_five_messages_in_three_seconds_of_typing_get_one_reply_for_one_model_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Model(monkeypatch)
    async with open_door(rhythm(tmp_path, quiet_ms=700)) as door:
        visit = await door.visit()
        for text in ("hello", "I have", "a question", "about my", "order"):
            last = await visit.say(text)
            for _ in range(2):
                await visit.post("/typing", {})
                await asyncio.sleep(0.26)
        reply = await visit.answered(last)
        assert reply["text"] == "You said: hello\nI have\na question\nabout my\norder"
        assert [author for author, _ in await visit.lines()].count("ai") == 2, "the greeting and one reply"
        assert model.finished[visit.id] == 1


async def test_fragments_without_typing_signals_get_one_reply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Model(monkeypatch)
    async with open_door(rhythm(tmp_path, quiet_ms=700)) as door:
        visit = await door.visit()
        for text in ("здравствуйте", "у меня", "вопрос"):
            last = await visit.say(text)
            await asyncio.sleep(0.3)
        assert (await visit.answered(last))["text"] == "You said: здравствуйте\nу меня\nвопрос"
        assert [author for author, _ in await visit.lines()].count("ai") == 2
        assert model.finished[visit.id] == 1


async def talk(door: Door, chance: random.Random) -> tuple[Visit, list[tuple[int, str]]]:
    """One customer of a random rhythm: pauses, typing signals, a message that is shown as it is written."""
    visit = await door.visit()
    said = []
    for n in range(chance.randint(1, 6)):
        text = chance.choice(("one", "two words", "stream one two", "a whole question?", "…")) + f" m{n}"
        said.append((await visit.say(text), f"m{n}"))
        if chance.random() < 0.4:
            await visit.post("/typing", {})
        await asyncio.sleep(chance.choice((0, 0.01, 0.05, 0.1, 0.2, 0.4)) * chance.random())
    return visit, said


async def answered_once(visit: Visit, said: list[tuple[int, str]]) -> None:
    """Every message stands in exactly one reply, and there are as many replies as turns."""
    turns = [await visit.answered(seq) for seq, _ in said]
    replies = [text for author, text in (await visit.lines())[1:] if author == "ai"]
    assert len(replies) == len({turn["turn"] for turn in turns}), (said, replies)
    for (_, mark), turn in zip(said, turns, strict=True):
        own = [text for text in replies if mark in text.replace(".", " ").split()]
        assert own == [turn["text"]], (mark, replies)


async def interleaved(folder: Path, monkeypatch: pytest.MonkeyPatch, *, talks: int, seed: int) -> Model:
    model = Model(monkeypatch, seed=seed, slowest=0.3)
    gate = asyncio.Semaphore(AT_ONCE)
    async with open_door(rhythm(folder, quiet_ms=QUIET_MS)) as door:

        async def one(n: int) -> None:
            async with gate:
                await answered_once(*await talk(door, random.Random(f"{seed}-{n}")))

        await asyncio.gather(*(one(n) for n in range(talks)))
    return model


async def test_whatever_the_rhythm_every_message_is_answered_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await interleaved(tmp_path, monkeypatch, talks=12, seed=7)


@pytest.mark.heavy
async def test_two_hundred_interleavings_never_get_no_reply_and_never_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await interleaved(tmp_path, monkeypatch, talks=200, seed=11)
    assert len(model.finished) == 200
