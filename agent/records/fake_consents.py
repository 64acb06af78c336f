"""The ledger's half of `FakeRecords`, as `agent.records.consents` keeps it."""

from collections.abc import Collection

from agent.basis import ConsentRow, digest
from agent.domain import ConsentChange
from agent.receipt import Granted, granted
from agent.records.consents import SURE
from agent.records.fake_case import Case
from agent.records.fake_desk import FakeDesk
from tools.context import ConversationId, CustomerId, TurnId


class FakeConsents(FakeDesk):
    """What customers allowed and took back; methods as in `Consents`."""

    async def consent(self, turn: TurnId, *changes: ConsentChange) -> None:
        case = self._of_turn(turn)
        for change in changes:
            if all((row.turn, row.purpose) != (turn, change.purpose) for row in self._ledger):
                self._note(case, change, turn=turn, actor="customer")

    async def consent_outside(
        self, conversation: ConversationId, *changes: ConsentChange, actor: str = "customer"
    ) -> None:
        for change in changes:
            self._note(self._case(conversation), change, turn=None, actor=actor)

    async def consents(self, conversation: ConversationId) -> tuple[ConsentRow, ...]:
        return await self.ledger(conversation, self._case(conversation).state.customer_id)

    async def ledger(
        self, conversation: ConversationId, customer: CustomerId | None
    ) -> tuple[ConsentRow, ...]:
        return tuple(
            row for row in self._ledger if row.conversation == conversation or self._follows(row, customer)
        )

    async def granted(self, turn: TurnId) -> tuple[Granted, ...]:
        return tuple(granted(row) for row in self._ledger if row.turn == turn and row.granted)

    async def consents_of(self, customer: CustomerId) -> tuple[ConsentRow, ...]:
        return tuple(row for row in self._ledger if self._is_of(row, customer))

    async def wordings(self, versions: Collection[str]) -> tuple[ConsentRow, ...]:
        newest = {
            (row.purpose, row.version, row.language, row.text_sha256): row
            for row in self._ledger
            if row.granted and row.version in versions
        }
        return tuple(sorted(newest.values(), key=lambda row: row.number))

    def _follows(self, row: ConsentRow, customer: CustomerId | None) -> bool:
        if customer is None:
            return False
        if not row.granted:
            return self._is_of(row, customer)
        return row.customer_id == customer and row.assurance in SURE

    def _is_of(self, row: ConsentRow, customer: CustomerId) -> bool:
        return customer in (row.customer_id, self._case(row.conversation).state.customer_id)

    def _note(self, case: Case, change: ConsentChange, *, turn: TurnId | None, actor: str) -> None:
        self._notes.drop(case.state, change)
        self._ledger.append(
            ConsentRow(
                number=len(self._ledger) + 1,
                conversation=case.state.id,
                customer_id=case.state.customer_id,
                assurance=case.state.assurance,
                purpose=change.purpose,
                granted=change.granted,
                version=change.version,
                text=change.text,
                text_sha256=digest(change.text),
                language=change.language,
                channel=case.state.channel,
                address=case.external_id or "",
                actor=actor,
                turn=turn,
                at=self.clock.now(),
            )
        )
