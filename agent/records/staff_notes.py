"""Notes of staff in SQL: a table of their own, which neither turns nor channels nor the customer's screen read."""

from typing import Any

from sqlalchemy import func, insert, select

from agent.records.handoff_tables import staff_notes
from agent.records.page import Page
from agent.records.rules import clean
from agent.records.store import Store
from agent.staff_notes import StaffNote
from tools.context import ConversationId


class StaffNotes(Store):
    """Implements `agent.staff_notes.StaffNotebook`."""

    async def note_down(
        self, conversation: ConversationId, text: str, *, operator: str, name: str, key: str = ""
    ) -> StaffNote:
        """Write a note, once per `key` where there is one. Raises `UnknownConversation`."""
        async with self._page(conversation) as page:
            return await add_note(page, text, operator=operator, name=name, key=key)

    async def staff_notes(self, conversation: ConversationId) -> tuple[StaffNote, ...]:
        """Return the conversation's notes, oldest first."""
        wanted = (
            select(staff_notes).where(staff_notes.c.conversation == conversation).order_by(staff_notes.c.n)
        )
        async with self._reading() as connection:
            return tuple(_note_of(row) for row in await connection.execute(wanted))


async def add_note(page: Page, text: str, *, operator: str, name: str, key: str = "") -> StaffNote:
    """Write a note in this transaction, or return what was written under its key."""
    own = staff_notes.c.conversation == page.id
    if key:
        known = select(staff_notes).where(own, staff_notes.c.key == key)
        if (row := (await page.connection.execute(known)).one_or_none()) is not None:
            return _note_of(row)
    last = (await page.connection.execute(select(func.max(staff_notes.c.n)).where(own))).scalar_one()
    note = StaffNote(
        n=(last or 0) + 1, after=page.row.seq, author=operator, name=name, text=clean(text), at=page.now
    )
    await page.connection.execute(
        insert(staff_notes).values(
            conversation=page.id,
            n=note.n,
            after=note.after,
            author=operator,
            name=name,
            text=note.text,
            key=key or None,
            at=note.at,
        )
    )
    page.audit("staff_note", actor=operator, n=note.n)
    return note


def _note_of(row: Any) -> StaffNote:
    return StaffNote(n=row.n, after=row.after, author=row.author, name=row.name, text=row.text, at=row.at)
