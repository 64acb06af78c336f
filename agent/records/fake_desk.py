"""What people of the company do with a conversation beside answering it, in `FakeRecords`."""

from agent.records.fake_case import Case
from agent.records.fake_promising import FakePromising
from agent.records.rules import clean
from agent.staff_notes import StaffNote
from tools.context import ConversationId


class FakeDesk(FakePromising):
    """Notes; methods as in `StaffNotes`."""

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
