"""The queue's half of `FakeRecords`; `present` are the operators a test lets sit at their consoles."""

from dataclasses import replace
from datetime import datetime

from agent.domain import Reply
from agent.pledge import Pledge
from agent.records.fake_case import Case as Kept
from agent.records.fake_case import FakeStaffing
from agent.routing import PRESENT, Case, Next, Operator
from tools.context import ConversationId


class FakeQueue(FakeStaffing):
    """The clock's methods as in `Queueing`."""

    present: tuple[Operator, ...] = ()

    async def due_events(self) -> tuple[Case, ...]:
        now = self.clock.now()
        found = [
            Case(
                conversation=id,
                stage=case.state.stage,
                department=case.state.department,
                language=case.state.language,
                since=case.since or case.due,
                due=case.due,
                assigned=case.state.assigned,
                tried=tuple(case.tried),
                passed=tuple(case.passed),
                told=case.told,
                operator=case.operator,
                woken=self._woken(case),
            )
            for id, case in self._cases.items()
            if case.due is not None and case.due <= now
        ]
        return tuple(sorted(found, key=lambda case: case.due))

    async def operators(self) -> tuple[Operator, ...]:
        now = self.clock.now()
        return tuple(
            replace(one, load=self._load(one.login)) for one in self.present if now - one.seen <= PRESENT
        )

    def _load(self, login: str) -> int:
        held = (case.state for case in self._cases.values() if case.state.stage in ("person", "queued"))
        return sum((state.operator or state.assigned) == login for state in held)

    async def pass_along(
        self,
        conversation: ConversationId,
        next: Next,
        *,
        expecting: datetime,
        said: Reply | None = None,
        pledge: Pledge | None = None,
    ) -> bool:
        case = self._case(conversation)
        if case.due != expecting:
            return False
        if next.requeue:
            operator = case.operator
            self._pass_on(case, "not_answered", cause="not_answered", actor=operator)
            self._tickets = [
                replace(ticket, state="open", operator="") if ticket.conversation == conversation else ticket
                for ticket in self._tickets
            ]
        elif next.wake:
            self._pass_on(case, "wake", cause="time_came")
        elif case.state.stage == "queued":
            self._let_wait(case, next)
        else:
            case.due = next.due
        if said is not None:
            message = self._say(case, "system", said)
            case.told = next.tells
            if pledge is not None:
                self._promises.make(case.state, pledge, message, department=next.department)
        return True

    def _woken(self, case: Kept) -> bool:
        if case.state.stage != "person" or case.due is None:
            return False
        return any(line.event == "wake" and line.at == case.since for line in case.handoffs)

    def _let_wait(self, case: Kept, next: Next) -> None:
        moved = next.department if next.department != case.state.department else ""
        assigned = case.state.assigned
        if (
            next.back is not None
            and case.since is not None
            and case.due is not None
            and case.due > case.since
        ):
            self._pass_on(case, "out_of_hours", cause="nobody_in", department=moved)
        elif assigned or moved:
            self._pass_on(case, "not_accepted", cause="not_accepted", actor=assigned, department=moved)
        if moved:
            self._tickets = [
                replace(ticket, department=moved) if ticket.conversation == case.state.id else ticket
                for ticket in self._tickets
            ]
        case.state = replace(case.state, assigned=next.assigned)
        case.due, case.tried, case.passed = next.due, list(next.tried), list(next.passed)
