"""Random grants, withdrawals, texts that change, messages, buttons, hand-overs and restarts: nothing leaves without a live row.

Every edge asks a watch that reads the table by itself at the moment something leaves (`tests.agent.consent_house`).
"""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from agent.handoff import NotPossible
from agent.records.errors import NotYours, TakenAlready
from tests.agent.consent_house import House
from tools.context import ConversationId

PURPOSES = ("orders:read", "orders:write", "profile:read", "model:external")
TALKS = st.sampled_from((0, 0, 0, 1, 2))
PURPOSE = st.sampled_from(PURPOSES)
SAYS = (
    "Где мой заказ 1051?",
    "возвраты товаров",
    "отмените заказ 1051",
    "да",
    "нет",
    "отзываю согласие",
    "больше не смотрите мои заказы",
    "не передавайте мои вопросы внешней модели",
    "позовите человека",
)
PLANS = st.sampled_from(
    (("order_status",), ("my_profile",), ("list_orders", "order_status"), ("cancel_order",), ())
)
"""What the model wants to look up or change; a watch at a door that nobody passes sees nothing."""

EXAMPLES, STEPS = 6, 8


class Living(RuleBasedStateMachine):
    """A customer in three conversations: signed in, in a messenger, and as nobody."""

    loop: asyncio.AbstractEventLoop
    house: House

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    @initialize(trusting=st.sampled_from((True, True, True, False)))
    def opened(self, trusting: bool) -> None:
        self.talks: tuple[ConversationId, ...] = self.run(self.house.begin(*(PURPOSES if trusting else ())))

    @rule(talk=TALKS, purpose=PURPOSE, granted=st.booleans())
    def chooses(self, talk: int, purpose: str, granted: bool) -> None:
        self.run(self.house.choose(self.talks[talk], purpose, granted=granted))

    @rule(talk=TALKS, purposes=st.frozensets(PURPOSE, min_size=2))
    def allows_much(self, talk: int, purposes: frozenset[str]) -> None:
        for purpose in sorted(purposes):
            self.run(self.house.choose(self.talks[talk], purpose, granted=True))

    @rule(purpose=PURPOSE, anew=st.booleans())
    def words_change(self, purpose: str, anew: bool) -> None:
        known = self.house.purposes[purpose]
        text = {language: f"{words} Да?" for language, words in known.text.items()}
        version = f"{known.version}+" if anew else known.version
        self.house.purposes[purpose] = known.model_copy(update={"text": text, "version": version[:60]})

    @rule(talk=TALKS, text=st.sampled_from(SAYS), plan=PLANS, racing=st.sampled_from(["", "", *PURPOSES]))
    def says(self, talk: int, text: str, plan: tuple[str, ...], racing: str) -> None:
        self.house.plan, self.house.racing = plan, racing
        self.run(self.house.said(self.talks[talk], text))

    @rule(talk=TALKS, back=st.integers(0, 5), plan=PLANS, racing=st.sampled_from(["", *PURPOSES]))
    def presses(self, talk: int, back: int, plan: tuple[str, ...], racing: str) -> None:
        """Press any button that was ever shown: new, answered, of an older text, of an older turn."""
        lines = self.run(self.house.records.messages(self.talks[talk]))
        shown = [button.action for line in lines for button in line.buttons]
        if shown:
            self.house.plan, self.house.racing = plan, racing
            self.run(self.house.said(self.talks[talk], action=shown[-1 - back % len(shown)]))

    @rule(talk=TALKS, back=st.booleans())
    def hands_over(self, talk: int, back: bool) -> None:
        records, id = self.house.records, self.talks[talk]
        try:
            if back:
                self.run(records.return_to_ai(id, operator="olga"))
            else:
                self.run(records.claim(id, operator="olga", name="Ольга"))
        except (NotPossible, NotYours, TakenAlready):
            pass

    @rule()
    def restarts(self) -> None:
        self.house.restart()

    @invariant()
    def nothing_left_without_a_live_row(self) -> None:
        assert self.house.watch.wrong == []


def run_machine(examples: int, steps: int) -> dict[str, int]:
    """Run the machine; return how often each edge was reached."""
    folder = Path(tempfile.mkdtemp(prefix="mayak-consent-"))
    loop, reached = asyncio.new_event_loop(), dict[str, int]()
    house = House(folder / "ledger.sqlite")
    loop.run_until_complete(house.open())

    class Machine(Living):
        def teardown(self) -> None:
            for edge, count in self.house.watch.reached.items():
                reached[edge] = reached.get(edge, 0) + count

    Machine.loop, Machine.house = loop, house
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(Machine, settings=chosen)
    finally:
        loop.run_until_complete(house.engine.dispose())
        house.watch.ledger.close()
        loop.close()
        shutil.rmtree(folder, ignore_errors=True)
    return reached


def test_nothing_leaves_without_a_live_row() -> None:
    run_machine(EXAMPLES, STEPS)


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_nothing_leaves_without_a_live_row_in_many_lives() -> None:
    reached = run_machine(2000, 6)
    # A watch at a door that nobody passes sees nothing.
    assert (
        min(reached.get(edge, 0) for edge in ("model", "encoder", "orders.get", "profile.customer")) >= 40
    ), reached
