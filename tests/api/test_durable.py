"""Durable turns: finished steps are not repeated, faults come back as they were, changed code starts afresh."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.errors import WriterFailed
from agent.ports import Steps
from agent.records.errors import Superseded
from api.durable import JsonSerializer, Stopped, Turns, executor_id, open_turns
from api.steps import StepFailed, fault_json, fault_of
from tools.context import TurnId
from tools.errors import NotFound, ToolFault

TURN = TurnId("turn-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    words: tuple[str, ...]
    weight: float


class Diary:
    """Counts how often each effect really ran; may stop for good inside one of them."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.hang_in = ""
        self.reached = asyncio.Event()

    async def note(self, name: str) -> Parcel:
        self.ran.append(name)
        if name == self.hang_in:
            self.reached.set()
            await asyncio.Event().wait()
        return Parcel(words=(name, "слово"), weight=1.5)


def steps_named(diary: Diary, *names: str) -> Callable[[TurnId, Steps], Awaitable[str]]:
    async def run(turn: TurnId, steps: Steps) -> str:
        seen = []
        for name in names:
            parcel = await steps.run(name, lambda name=name: diary.note(name), of=Parcel)
            assert isinstance(parcel, Parcel)
            seen.append(parcel.words[0])
        return ",".join(seen)

    return run


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'durable.sqlite'}"


async def interrupted(folder: Path, diary: Diary, run: Callable[[TurnId, Steps], Awaitable[str]]) -> None:
    """Start the turn, let it reach the step it hangs in, and close the engine under it."""
    async with open_turns(run, url=url(folder), data=folder) as turns:
        waiting = asyncio.create_task(turns.run(TURN))
        await diary.reached.wait()
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
    diary.hang_in = ""


async def test_a_turn_runs_its_steps_and_returns_its_result(tmp_path: Path) -> None:
    diary = Diary()
    async with open_turns(steps_named(diary, "a", "b"), url=url(tmp_path), data=tmp_path) as turns:
        assert await turns.run(TURN) == "a,b"
        assert await turns.run(TURN) == "a,b"
    assert diary.ran == ["a", "b"]


async def test_an_interrupted_turn_goes_on_without_repeating_finished_steps(tmp_path: Path) -> None:
    diary = Diary()
    diary.hang_in = "c"
    run = steps_named(diary, "a", "b", "c", "d")
    await interrupted(tmp_path, diary, run)
    async with open_turns(run, url=url(tmp_path), data=tmp_path) as turns:
        assert await turns.run(TURN) == "a,b,c,d"
    assert diary.ran == ["a", "b", "c", "c", "d"]


async def test_a_turn_left_by_another_executor_is_taken_over(tmp_path: Path) -> None:
    diary = Diary()
    diary.hang_in = "b"
    run = steps_named(diary, "a", "b")
    await interrupted(tmp_path, diary, run)
    (tmp_path / "executor.id").write_text("somebody-else", "ascii")
    async with open_turns(run, url=url(tmp_path), data=tmp_path) as turns:
        assert await turns.run(TURN) == "a,b"
    assert diary.ran == ["a", "b", "b"]


async def test_a_turn_whose_code_changed_meanwhile_starts_afresh_and_is_finished(tmp_path: Path) -> None:
    diary = Diary()
    diary.hang_in = "b"
    await interrupted(tmp_path, diary, steps_named(diary, "a", "b"))
    newer = steps_named(diary, "first", "a", "b")
    async with open_turns(newer, url=url(tmp_path), data=tmp_path) as turns:
        assert await turns.run(TURN) == "first,a,b"
    assert diary.ran == ["a", "b", "first", "a", "b"]


async def test_a_turn_whose_results_have_another_shape_now_starts_afresh(tmp_path: Path) -> None:
    diary = Diary()
    diary.hang_in = "b"
    await interrupted(tmp_path, diary, steps_named(diary, "a", "b"))

    async def newer(turn: TurnId, steps: Steps) -> str:
        async def count() -> int:
            return 7

        return str(await steps.run("a", count, of=int))

    async with open_turns(newer, url=url(tmp_path), data=tmp_path) as turns:
        assert await turns.run(TURN) == "7"


async def test_code_that_catches_every_error_cannot_swallow_a_change_of_the_code(tmp_path: Path) -> None:
    diary = Diary()
    diary.hang_in = "b"
    await interrupted(tmp_path, diary, steps_named(diary, "a", "b"))

    async def newer(turn: TurnId, steps: Steps) -> str:
        try:
            parcel = await steps.run("other", lambda: diary.note("other"), of=Parcel)
        except Exception:
            return "swallowed"
        return parcel.words[0]

    async with open_turns(newer, url=url(tmp_path), data=tmp_path) as turns:
        assert await turns.run(TURN) == "other"


async def test_a_fault_of_the_house_is_the_same_fault_on_a_replay(tmp_path: Path) -> None:
    diary = Diary()
    diary.hang_in = "after"
    caught: list[Exception] = []

    async def fail() -> int:
        diary.ran.append("fail")
        raise WriterFailed("no model answered", remedy="look at the model")

    async def run(turn: TurnId, steps: Steps) -> str:
        try:
            await steps.run("fail", fail, of=int)
        except WriterFailed as fault:
            caught.append(fault)
        await steps.run("after", lambda: diary.note("after"), of=Parcel)
        return "done"

    await interrupted(tmp_path, diary, run)
    async with open_turns(run, url=url(tmp_path), data=tmp_path) as turns:
        assert await turns.run(TURN) == "done"
    assert diary.ran == ["fail", "after", "after"]
    assert [(str(f), getattr(f, "remedy", "")) for f in caught] == [
        ("no model answered", "look at the model")
    ] * 2


async def test_what_a_turn_raises_reaches_whoever_runs_it_now_and_later(tmp_path: Path) -> None:
    async def run(turn: TurnId, steps: Steps) -> str:
        raise WriterFailed("broken")

    async with open_turns(run, url=url(tmp_path), data=tmp_path) as turns:
        with pytest.raises(WriterFailed, match="broken"):
            await turns.run(TURN)
    async with open_turns(run, url=url(tmp_path), data=tmp_path) as turns:
        with pytest.raises(WriterFailed, match="broken"):
            await turns.run(TURN)


async def test_a_cancelled_turn_is_reported_as_stopped(tmp_path: Path) -> None:
    diary = Diary()
    diary.hang_in = "a"

    async def run(turn: TurnId, steps: Steps) -> str:
        await steps.run("a", lambda: asyncio.wait_for(diary.note("a"), 0.5), of=Parcel)
        return "never"

    async with open_turns(run, url=url(tmp_path), data=tmp_path) as turns:
        waiting = asyncio.create_task(turns.run(TURN))
        await diary.reached.wait()
        await turns.cancel(TURN)
        with pytest.raises((Stopped, TimeoutError)):
            await waiting


async def test_a_superseded_attempt_is_stopped_in_the_middle_and_the_next_one_runs_every_step(
    tmp_path: Path,
) -> None:
    diary = Diary()
    diary.hang_in = "b"
    attempts: list[int] = []
    inner = steps_named(diary, "a", "b")

    async def run(turn: TurnId, steps: Steps) -> str:
        attempts.append(steps.attempt)
        return await inner(turn, steps)

    async with open_turns(run, url=url(tmp_path), data=tmp_path) as turns:
        waiting = asyncio.create_task(turns.run(TURN))
        await diary.reached.wait()
        turns.supersede(TURN, 1)
        with pytest.raises(Superseded):
            await waiting
        diary.hang_in = ""
        assert await turns.run(TURN, attempt=2) == "a,b"
        assert await turns.ended() == {TURN}
        await turns.forget(TURN)
        assert await turns.ended() == frozenset()
    assert diary.ran == ["a", "b", "a", "b"]
    assert attempts == [1, 2]


async def test_what_a_crash_left_of_an_earlier_attempt_is_not_gone_on_with(tmp_path: Path) -> None:
    diary = Diary()
    diary.hang_in = "b"
    await interrupted(tmp_path, diary, steps_named(diary, "a", "b", "c"))
    (tmp_path / "executor.id").write_text("somebody-else", "ascii")
    async with open_turns(steps_named(diary, "a", "b", "c"), url=url(tmp_path), data=tmp_path) as turns:
        assert await turns.run(TURN, attempt=2) == "a,b,c"
        with pytest.raises(Stopped):
            await turns.run(TURN)
    assert diary.ran == ["a", "b", "a", "b", "c"]


async def test_an_attempt_that_finds_itself_replaced_says_so_now_and_later(tmp_path: Path) -> None:
    async def run(turn: TurnId, steps: Steps) -> str:
        async def commit() -> bool:
            raise Superseded()

        await steps.run("commit", commit, of=bool)
        return "never"

    for _ in range(2):
        async with open_turns(run, url=url(tmp_path), data=tmp_path) as turns:
            with pytest.raises(Superseded):
                await turns.run(TURN)


async def test_turns_run_side_by_side(tmp_path: Path) -> None:
    diary = Diary()

    async def many(turns: Turns) -> list[str]:
        return await asyncio.gather(*(turns.run(TurnId(f"t{n}")) for n in range(20)))

    async with open_turns(steps_named(diary, "a", "b"), url=url(tmp_path), data=tmp_path) as turns:
        assert set(await many(turns)) == {"a,b"}
    assert len(diary.ran) == 40


async def test_nothing_in_the_engines_tables_is_pickled(tmp_path: Path) -> None:
    diary = Diary()
    async with open_turns(steps_named(diary, "a"), url=url(tmp_path), data=tmp_path) as turns:
        await turns.run(TURN)
    with sqlite3.connect(tmp_path / "durable.sqlite") as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        used = set()
        for table in tables:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            if "serialization" in columns:
                used |= {r[0] for r in connection.execute(f"SELECT serialization FROM {table}")}
    assert used - {None} == {JsonSerializer().name()}


def test_an_executor_keeps_its_id_with_its_data_folder(tmp_path: Path) -> None:
    assert executor_id(tmp_path) == executor_id(tmp_path)
    assert executor_id(tmp_path) != executor_id(tmp_path / "other")


def test_a_recorded_fault_is_rebuilt_only_from_the_rooms_of_the_house() -> None:
    rebuilt = fault_of(fault_json(NotFound("order 77"))["fault"])
    assert isinstance(rebuilt, NotFound)
    assert isinstance(rebuilt, ToolFault)
    foreign = fault_of(fault_json(OSError(5, "disk"))["fault"])
    assert isinstance(foreign, StepFailed)
    assert foreign.kind == "OSError"
    made_up = {"module": "agent.language", "name": "stem", "args": ["x"], "state": {}, "message": "m"}
    assert isinstance(fault_of(made_up), StepFailed)
    assert isinstance(fault_of({**made_up, "module": "os", "name": "system"}), StepFailed)
