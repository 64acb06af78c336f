"""One contract for every memory of the agent: what of whom no program may process."""

from tests.contracts.memory import Store, clock, opened, records, rung, turn_for
from tools.context import CustomerId

__all__ = ["clock", "records", "rung"]

ANNA = CustomerId("anna")


class TestRestriction:
    async def test_a_customers_restriction_holds_in_every_conversation_of_theirs_and_is_lifted(
        self, records: Store
    ) -> None:
        id = await opened(records, customer_id=ANNA, assurance="verified")
        turn = await turn_for(records, id)
        assert not (await records.situation(turn)).restricted
        assert await records.freeze(ANNA, known=True, by="vera", why="a dispute")
        assert not await records.freeze(ANNA, known=True, by="vera", why="again")
        later = await opened(records, customer_id=ANNA, assurance="verified")
        other = await opened(records, customer_id=CustomerId("boris"), assurance="verified")
        assert (await records.situation(turn)).restricted
        assert await records.restricted(later)
        assert not await records.restricted(other)
        assert await records.frozen(ANNA)
        assert not await records.frozen(CustomerId("boris"))
        assert await records.thaw(ANNA, known=True, by="vera")
        assert not await records.thaw(ANNA, known=True, by="vera")
        assert not await records.restricted(id)

    async def test_a_conversation_of_nobody_known_is_restricted_alone(self, records: Store) -> None:
        one, other = await opened(records), await opened(records)
        assert await records.freeze(one, known=False, by="vera", why="")
        assert await records.restricted(one)
        assert not await records.restricted(other)
