"""A confirmed write in a system that takes no keys: never blindly repeated, never called done when nobody knows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.tools.loaded import NOW
from tests.tools.shop import ANNA, BORIS, Clock
from tools.errors import Expired, Rejected, Unavailable, Unsent
from tools.intents.fake import FakeIntents
from tools.intents.once import PATIENCE, Once
from tools.proposal import Effect, Proposal

PROPOSAL = Proposal.made(
    "cancel_order", owner=ANNA, arguments={"order_id": "1051"}, facts={"total": 4290}, version="v1", now=NOW
)

KINDS = frozenset({"cancel_order", "change_address"})


class Thing:
    """Something that can be written to: how the call ends, whether it took effect, and whether it can be seen."""

    def __init__(self, *, ends: Exception | None = None, effect: bool = True, seen: bool = True) -> None:
        self.ends, self.effect, self.seen = ends, effect, seen
        self.performed, self.changed = 0, False

    async def perform(self) -> None:
        self.performed += 1
        self.changed = self.changed or self.effect
        if self.ends is not None:
            raise self.ends

    async def happened(self) -> bool:
        if not self.seen:
            raise Unavailable()
        return self.changed


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def intents() -> FakeIntents:
    return FakeIntents()


@pytest.fixture
def once(intents: FakeIntents, clock: Clock) -> Once:
    async def sleep(seconds: float) -> None:
        clock.now += timedelta(seconds=seconds)

    return Once(intents, system="tryton", kinds=KINDS, now=clock, sleep=sleep)


async def carried(once: Once, thing: Thing, proposal: Proposal = PROPOSAL, key: str = "k") -> Effect:
    return await once.carry_out(proposal, thing, owner=proposal.owner, key=key, thing="sale 1051@v1")


async def test_a_write_happens_once_and_its_key_repeats_its_facts(once: Once, clock: Clock) -> None:
    thing = Thing()
    assert (await carried(once, thing)).state == "done"
    clock.now += timedelta(hours=2)
    again = await carried(once, thing)
    assert (again.state, again.facts, thing.performed) == ("already_done", {"total": 4290}, 1)


async def test_an_answer_that_got_lost_is_looked_up(once: Once) -> None:
    thing = Thing(ends=Unavailable(), effect=True)
    assert (await carried(once, thing)).state == "done"
    assert (await carried(once, thing)).state == "already_done"
    assert thing.performed == 1


@pytest.mark.parametrize("seen", [True, False])
async def test_what_nobody_can_tell_is_unknown(once: Once, seen: bool) -> None:
    thing = Thing(ends=Unavailable(), effect=False, seen=seen)
    assert (await carried(once, thing)).state == "unknown"
    assert thing.performed == 1


@pytest.mark.parametrize("fault", [Unsent(), Rejected("changed")])
async def test_what_certainly_did_not_happen_leaves_the_key_free(
    once: Once, intents: FakeIntents, fault: Exception
) -> None:
    with pytest.raises(type(fault)):
        await carried(once, Thing(ends=fault, effect=False))
    assert intents.kept == {}
    assert (await carried(once, Thing())).state == "done"


@pytest.mark.parametrize(("effect", "state", "performed"), [(True, "already_done", 1), (False, "done", 2)])
async def test_after_a_crash_the_thing_is_looked_at_before_anything_is_repeated(
    once: Once, clock: Clock, effect: bool, state: str, performed: int
) -> None:
    thing = Thing(ends=Killed(), effect=effect)  # type: ignore[arg-type]
    with pytest.raises(Killed):
        await carried(once, thing)
    clock.now += PATIENCE
    thing.ends, thing.effect = None, True
    assert (await carried(once, thing)).state == state
    assert thing.performed == performed


async def test_a_crash_halfway_is_left_to_a_person(once: Once, clock: Clock) -> None:
    thing = Thing(ends=Killed(), effect=False)  # type: ignore[arg-type]
    with pytest.raises(Killed):
        await carried(once, thing)
    clock.now += PATIENCE
    # Neither as it was nor as it should be.
    thing.ends = Rejected("changed")
    assert (await carried(once, thing)).state == "unknown"
    assert (await carried(once, thing)).state == "unknown"


async def test_what_another_is_carrying_out_is_waited_for_and_not_done_beside_it(
    once: Once, intents: FakeIntents, clock: Clock
) -> None:
    thing = Thing(ends=Killed(), effect=True)  # type: ignore[arg-type]
    with pytest.raises(Killed):
        await carried(once, thing)
    assert (await carried(once, thing)).state == "unknown", "it may still be at it"
    assert thing.performed == 1
    await intents.done("k", now=clock.now)
    assert (await carried(once, thing)).state == "already_done"


async def test_a_key_belongs_to_one_customer_and_one_proposal(once: Once) -> None:
    await carried(once, Thing())
    other = Proposal.made(
        "cancel_order", owner=BORIS, arguments={"order_id": "1"}, facts={}, version="", now=NOW
    )
    mine = Proposal.made(
        "change_address", owner=ANNA, arguments={"order_id": "1051"}, facts={}, version="", now=NOW
    )
    for proposal in (other, mine):
        with pytest.raises(Rejected) as wrong:
            await carried(once, Thing(), proposal)
        assert wrong.value.reason == "key_reused"


async def test_what_is_done_stays_done_and_what_is_not_expires(once: Once, clock: Clock) -> None:
    await carried(once, Thing())
    clock.now = PROPOSAL.expires
    assert (await carried(once, Thing())).state == "already_done"
    late, thing = replace(PROPOSAL), Thing()
    with pytest.raises(Expired):
        await carried(once, thing, late, key="late")
    assert thing.performed == 0


async def test_without_the_book_nothing_is_done(once: Once, intents: FakeIntents) -> None:
    intents.fail_with = Unavailable()
    thing = Thing()
    with pytest.raises(Unavailable):
        await carried(once, thing)
    assert thing.performed == 0
