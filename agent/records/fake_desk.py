"""What people of the company do with a conversation beside answering it, in `FakeRecords`."""

from dataclasses import replace
from datetime import datetime

from agent.domain import Reply
from agent.handoff import NotPossible
from agent.passing import Passing
from agent.records.errors import AnswerFirst, NotYours
from agent.records.fake_case import Case
from agent.records.fake_promising import FakePromising
from agent.records.rules import clean
from agent.staff_notes import StaffNote
from tools.context import ConversationId


class FakeDesk(FakePromising):
    """Notes, passing on, putting aside; methods as in `StaffNotes` and `PassingOn`."""

    async def note_down(
        self, conversation: ConversationId, text: str, *, operator: str, name: str, key: str = ""
    ) -> StaffNote:
        return self._note_down(self._case(conversation), text, operator=operator, name=name, key=key)

    async def staff_notes(self, conversation: ConversationId) -> tuple[StaffNote, ...]:
        return tuple(note for _, note in self._case(conversation).staff_notes)

    def _note_down(self, case: Case, text: str, *, operator: str, name: str, key: str = "") -> StaffNote:
        known = next((note for kept, note in case.staff_notes if key and kept == key), None)
        if known is not None:
            return known
        note = StaffNote(
            n=len(case.staff_notes) + 1,
            after=case.seq,
            author=operator,
            name=name,
            text=clean(text),
            at=self.clock.now(),
        )
        case.staff_notes.append((key, note))
        return note

    async def pass_to(
        self,
        conversation: ConversationId,
        passing: Passing,
        *,
        operator: str,
        name: str,
        said: Reply,
        note: str = "",
    ) -> None:
        case = self._case(conversation)
        self._check_holder(case, operator)
        held, left = case.state.holder == "person", case.state.department
        self._pass_on(case, "transfer", cause=passing.why, actor=operator, department=passing.department)
        case.state = replace(case.state, assigned=passing.to)
        case.since, case.due, case.told = self.clock.now(), passing.due, ""
        case.tried = [operator] if held else []
        case.passed = [left] if left not in ("", passing.department) else []
        self._tickets = [
            replace(ticket, state="open", operator="", department=passing.department)
            if ticket.conversation == conversation
            else ticket
            for ticket in self._tickets
        ]
        if note:
            self._note_down(case, note, operator=operator, name=name)
        self._say(case, "system", said)

    async def snooze(self, conversation: ConversationId, *, operator: str, until: datetime) -> None:
        case = self._own(conversation, operator)
        if case.state.stage == "person" and case.due is not None and not self._woken(case):
            raise AnswerFirst()
        self._pass_on(case, "snooze", cause="put_aside", actor=operator)
        case.due = until

    async def wake(self, conversation: ConversationId, *, operator: str) -> None:
        case = self._own(conversation, operator)
        if case.state.stage != "snoozed":
            raise NotPossible("The conversation is not put aside.", remedy="Reload it.")
        self._pass_on(case, "wake", cause="taken_up", actor=operator)

    def _own(self, conversation: ConversationId, operator: str) -> Case:
        case = self._case(conversation)
        if (case.state.holder, case.state.operator) != ("person", operator):
            raise NotYours()
        return case
