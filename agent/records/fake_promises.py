"""The rows of the ledger of promises, in memory."""

import secrets
from dataclasses import replace
from datetime import datetime

from agent.domain import Conversation, Message
from agent.pledge import STANDING, End, Owed, Owner, Pledge, PledgeId, State
from tools.context import ConversationId


class FakePromises:
    """Rows by id, in the order they were made."""

    def __init__(self) -> None:
        self.rows: dict[PledgeId, Owed] = {}

    def make(
        self,
        talk: Conversation,
        pledge: Pledge,
        message: Message,
        *,
        department: str,
        owner: Owner = "department",
        name: str = "",
        renews: str = "",
    ) -> None:
        id = PledgeId(secrets.token_urlsafe(16))
        self.rows[id] = Owed(
            id=id,
            conversation=talk.id,
            seq=message.seq,
            owner=owner,
            name=name or department,
            department=department,
            words=pledge.words,
            language=talk.language,
            due=pledge.due,
            exact=pledge.exact,
            state="open",
            made=message.at,
            renews=renews,
            customer=talk.customer_id,
        )

    def answered(self, talk: Conversation, message: Message, pledge: Pledge | None, *, operator: str) -> None:
        self.end(talk.id, "answered" if pledge is None else "renewed", now=message.at)
        if pledge is not None:
            self.make(talk, pledge, message, department=talk.department, owner="person", name=operator)

    def end(self, talk: ConversationId, how: End, *, now: datetime, owner: Owner | None = None) -> None:
        state: State = "kept" if how == "answered" else "withdrawn"
        for one in self.of(talk):
            if one.state in STANDING and owner in (None, one.owner):
                self.rows[one.id] = replace(one, state=state, end=how, ended=now)

    def of(self, talk: ConversationId) -> list[Owed]:
        return [one for one in self.rows.values() if one.conversation == talk]
