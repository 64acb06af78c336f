"""Customer, model, operators, messenger, clock and crashes in any order: nobody is lost, and there is one voice.

The promises are checked after every step by `tests.agent.handoff_world`; at the end of each life everything that is
open must come to its end.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agent.domain import Action
from agent.records.engine import connect
from agent.records.sql import create_tables
from agent.records.tables import audit_head, metadata
from tests.agent.handoff_world import BEGINNINGS, OPERATORS, SqlDesks, World, fake_world
from tests.contracts.memory import PURPOSES, Clock, card

PRESSES = st.sampled_from(
    (
        None,
        None,
        Action(kind="person"),
        Action(kind="ai"),
        Action(kind="rate", target="t"),
        Action(kind="consent", target="orders:read"),
    )
)
ENDS = st.sampled_from(("answers", "offers", "escalates", "escalates", "changes"))
WHO = st.sampled_from(("olga", "olga", "ivan"))
HERE = st.sampled_from(((), ("olga",), OPERATORS))
TIMES = st.sampled_from(
    (timedelta(0), timedelta(seconds=130), timedelta(seconds=310), timedelta(hours=12), timedelta(days=2))
)


class Living(RuleBasedStateMachine):
    """One conversation."""

    make: Callable[[], World]

    @initialize(at=st.sampled_from(BEGINNINGS))
    def opened(self, at: str) -> None:
        self.world = type(self).make()
        self.world.open()
        self.world.begins(at)

    @property
    def thinking(self) -> bool:
        return self.world.thinking is not None

    @rule(action=PRESSES)
    def the_customer_writes(self, action: Action | None) -> None:
        self.world.writes(action)

    @precondition(lambda self: not self.thinking)
    @rule(ends=ENDS)
    def the_model_begins(self, ends: str) -> None:
        self.world.thinks(ends)

    @precondition(lambda self: self.thinking)
    @rule()
    def the_model_says_a_sentence(self) -> None:
        self.world.says()

    @precondition(lambda self: self.thinking)
    @rule()
    def the_model_ends(self) -> None:
        self.world.ends()

    @precondition(lambda self: not self.thinking)
    @rule(action=PRESSES, ends=ENDS)
    def a_whole_turn(self, action: Action | None, ends: str) -> None:
        self.world.writes(action)
        self.world.thinks(ends)
        self.world.ends()

    @rule(operator=WHO)
    def an_operator_claims(self, operator: str) -> None:
        self.world.acts("claims", operator)

    @rule(act=st.sampled_from(("speaks", "returns", "returns", "closes")), operator=WHO)
    def an_operator_acts(self, act: str, operator: str) -> None:
        self.world.acts(act, operator)

    @rule(
        act=st.sampled_from(("passes on", "passes to a colleague", "snoozes", "snoozes", "wakes")),
        operator=WHO,
    )
    def an_operator_lets_it_rest_or_go(self, act: str, operator: str) -> None:
        self.world.acts(act, operator)

    @rule(time=TIMES, present=HERE)
    def time_passes(self, time: timedelta, present: tuple[str, ...]) -> None:
        self.world.passes(time, present=present)

    @rule(end=st.sampled_from(("arrives", "fails", "is cut off")))
    def a_message_is_carried(self, end: str) -> None:
        self.world.carries(end)

    @precondition(lambda self: self.thinking)
    @rule()
    def the_process_dies(self) -> None:
        self.world.dies()

    @invariant()
    def every_promise_is_kept(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.over()


def run_machine(make: Callable[[], World], *, examples: int, steps: int) -> int:
    """Run the machine; return how many lives were lived."""
    lives = 0

    class Machine(Living):
        def teardown(self) -> None:
            nonlocal lives
            lives += 1
            super().teardown()

    Machine.make = staticmethod(make)
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=chosen)
    return lives


def run_on_sqlite(*, examples: int, steps: int) -> int:
    """Run the machine on the real records, one file for all lives."""
    shared = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="mayak-handoff-", dir=shared if shared.is_dir() else None))
    loop, clock = asyncio.new_event_loop(), Clock()
    engine = connect(f"sqlite:///{folder / 'records.sqlite'}")
    loop.run_until_complete(create_tables(engine))

    async def empty() -> None:
        """Leave nothing of an earlier life: its due events would crowd those of this one out of a look."""
        async with engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                if table.name != "audit_head":
                    await connection.execute(table.delete())
            await connection.execute(audit_head.update().values(n=0, link=""))

    def make() -> World:
        loop.run_until_complete(empty())
        records = SqlDesks(engine, clock=clock, card=card, purposes=PURPOSES)
        return World(records=records, clock=clock, run=loop.run_until_complete)

    try:
        return run_machine(make, examples=examples, steps=steps)
    finally:
        loop.run_until_complete(engine.dispose())
        loop.close()
        shutil.rmtree(folder, ignore_errors=True)


def test_nobody_is_lost_and_there_is_one_voice() -> None:
    assert run_machine(fake_world, examples=500, steps=10) >= 500


def test_the_same_on_real_records() -> None:
    assert run_on_sqlite(examples=6, steps=14) >= 6


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_nobody_is_lost_in_ten_thousand_lives() -> None:
    assert run_machine(fake_world, examples=10_000, steps=9) >= 10_000


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_nobody_is_lost_on_real_records_in_hundreds_of_lives() -> None:
    assert run_on_sqlite(examples=200, steps=10) >= 200
