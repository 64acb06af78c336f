"""What a person does with a conversation that is not theirs to finish now: passes it on, puts it aside, takes it up again."""

from datetime import datetime

from sqlalchemy import update

from agent.domain import Reply
from agent.handoff import NotPossible
from agent.passing import Passing
from agent.records.errors import AnswerFirst, NotYours, TakenAlready
from agent.records.page import Page
from agent.records.queueing import woken_ones
from agent.records.staff_notes import add_note
from agent.records.store import Store
from agent.records.tables import tickets
from tools.context import ConversationId


class PassingOn(Store):
    """The staff's side of it; every method is one transaction."""

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
        """Pass the conversation on; the customer reads `said`, colleagues the note. Raises `TakenAlready`, `NotPossible`.

        It waits in the queue again, offered first to whom it is meant for; its call for a person is open again.
        """
        async with self._page(conversation) as page:
            if page.holder == "person" and page.row.operator != operator:
                raise TakenAlready(page.row.operator)
            held = page.holder == "person"
            page.pass_on("transfer", cause=passing.why, actor=operator, department=passing.department)
            page.set(
                since=page.now,
                due=passing.due,
                assigned=passing.to,
                tried=[operator] if held else [],
                passed=[page.row.department] if page.row.department not in ("", passing.department) else [],
                told="",
            )
            await page.connection.execute(
                update(tickets)
                .where(tickets.c.conversation == conversation, tickets.c.state != "resolved")
                .values(state="open", operator="", claimed=None, department=passing.department)
            )
            page.say("system", said)
            if note:
                await add_note(page, note, operator=operator, name=name)
            page.audit(
                "transfer", actor=operator, department=passing.department, to=passing.to, why=passing.why
            )

    async def snooze(self, conversation: ConversationId, *, operator: str, until: datetime) -> None:
        """Put the conversation aside until a moment. Raises `NotYours`, `AnswerFirst`.

        It stays this person's, and comes back at the moment or when the customer writes.
        """
        async with self._page(conversation) as page:
            _check_own(page, operator)
            waits = page.stage == "person" and page.row.due is not None
            if waits and not await woken_ones(page.connection, [page.id]):
                raise AnswerFirst()
            page.pass_on("snooze", cause="put_aside", actor=operator)
            page.set(due=until)
            page.audit("snooze", actor=operator, until=until.isoformat())

    async def wake(self, conversation: ConversationId, *, operator: str) -> None:
        """Take up again what was put aside. Raises `NotYours`, `NotPossible`."""
        async with self._page(conversation) as page:
            _check_own(page, operator)
            if page.stage != "snoozed":
                raise NotPossible("The conversation is not put aside.", remedy="Reload it.")
            page.pass_on("wake", cause="taken_up", actor=operator)
            page.audit("wake", actor=operator)


def _check_own(page: Page, operator: str) -> None:
    if page.holder != "person" or page.row.operator != operator:
        raise NotYours()
