"""The half of `FakeRecords` that reads the ledger of promises and moves conversations by it."""

import secrets
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from agent.domain import Reply
from agent.overdue import Lateness, Overdue, renewed
from agent.pledge import MARKS, STANDING, End, Owed, PledgeId, State
from agent.records.errors import UnknownPromise
from agent.records.fake_case import Case
from agent.records.fake_queue import FakeQueue
from agent.records.rules import OpenTicket
from tools.context import ConversationId, TurnId


class FakePromising(FakeQueue):
    """The ledger's methods as in `Promising`."""

    async def promises(self, conversation: ConversationId) -> tuple[Owed, ...]:
        return tuple(sorted(self._promises.of(conversation), key=lambda one: (one.due, one.seq)))

    async def standing(self, *, within: Collection[ConversationId] | None = None) -> tuple[Owed, ...]:
        rows = (
            one
            for one in self._promises.rows.values()
            if one.state in STANDING and (within is None or one.conversation in within)
        )
        return tuple(sorted(rows, key=lambda one: (one.due, one.seq)))

    async def overdue(self) -> tuple[Overdue, ...]:
        now, found = self.clock.now(), []
        for one in await self.standing():
            if (one.state == "open" and one.due <= now) or (one.state == "late" and one.told == ""):
                talk = self._case(one.conversation).state
                found.append(
                    Overdue(
                        owed=one,
                        stage=talk.stage,
                        operator=talk.operator,
                        language=talk.language,
                        restricted=await self.restricted(one.conversation),
                    )
                )
        return tuple(found)

    async def be_late(self, one: Overdue, late: Lateness, *, said: Reply | None = None) -> bool:
        case, owed = self._case(one.owed.conversation), one.owed
        row = self._promises.rows[owed.id]
        if (row.state, row.told, row.due) != (owed.state, owed.told, owed.due):
            return False
        if (case.state.stage, case.state.operator) != (
            one.stage,
            one.operator,
        ) or None in case.turns.values():
            return False
        now = self.clock.now()
        self._promises.rows[row.id] = replace(row, state="late", late=row.late or now, told=late.tells)
        if row.state == "open":
            self._move(case, owed, late)
        if said is not None:
            message = self._say(case, "system", said, key=f"{case.state.id}:late:{row.id}")
            again = renewed(late, said)
            if again is not None:
                self._promises.make(case.state, again, message, department=late.department, renews=row.id)
        return True

    def _move(self, case: Case, owed: Owed, late: Lateness) -> None:
        if case.state.stage == "snoozed":
            self._pass_on(case, "wake", cause="promise_late")
        if late.move == "stays":
            return
        if late.move == "let_go":
            self._pass_on(case, "not_answered", cause="promise_late", actor=case.operator)
            claimed = [t for t in self._tickets if t.conversation == owed.conversation]
            self._tickets[:] = [
                replace(t, state="open", operator="") if t in claimed else t for t in self._tickets
            ]
            if claimed:
                return
        else:
            self._pass_on(case, "ask_person", cause="promise_late", department=late.department)
        self._tickets.append(
            OpenTicket(
                id=secrets.token_urlsafe(16),
                conversation=owed.conversation,
                turn=TurnId(f"promise:{owed.id}"),
                reason="promise_late",
                department=late.department,
                summary=owed.words,
                rejected="",
                language=case.state.language,
                state="open",
                operator="",
                created=self.clock.now(),
            )
        )

    async def mark_promise(
        self, conversation: ConversationId, promise: PledgeId, *, operator: str, end: End
    ) -> Owed:
        owed = self._known(conversation, promise)
        state: State = MARKS[end]
        if state == "open" and self.clock.now() >= owed.due:
            state = "late"
        ended = None if state in STANDING else self.clock.now()
        self._promises.rows[promise] = replace(owed, state=state, end=end, ended=ended)
        return self._promises.rows[promise]

    async def put_off(
        self, conversation: ConversationId, promise: PledgeId, *, operator: str, due: datetime
    ) -> Owed:
        owed = self._known(conversation, promise)
        state: State = "open" if due > self.clock.now() else owed.state
        self._promises.rows[promise] = replace(owed, due=due, exact=True, state=state, end="", ended=None)
        return self._promises.rows[promise]

    def _known(self, conversation: ConversationId, promise: PledgeId) -> Owed:
        owed = self._promises.rows.get(promise)
        if owed is None or owed.conversation != conversation:
            raise UnknownPromise()
        return owed
