"""The notes of `FakeRecords`: the same rules as in SQL, in this process."""

import secrets
from collections.abc import Collection
from datetime import datetime

from agent.basis import Basis
from agent.domain import ConsentChange, Conversation
from agent.notes import PURPOSE, Note, NoteChanges, NoteId
from tools.context import CustomerId


class FakeNotes:
    """Keeps notes by customer."""

    def __init__(self) -> None:
        self._kept: dict[CustomerId, list[Note]] = {}

    def of(self, customer: CustomerId, *, now: datetime) -> tuple[Note, ...]:
        return tuple(note for note in self._kept.get(customer, ()) if note.expires > now)

    def known(self, state: Conversation, *, now: datetime) -> tuple[Note, ...]:
        if state.customer_id is None or state.assurance == "anonymous":
            return ()
        return self.of(state.customer_id, now=now)

    def forget(self, customer: CustomerId, ids: Collection[NoteId] | None) -> int:
        before = self._kept.get(customer, [])
        self._kept[customer] = [] if ids is None else [note for note in before if note.id not in ids]
        return len(before) - len(self._kept[customer])

    def settle(
        self, state: Conversation, changes: NoteChanges, *, now: datetime, basis: Basis | None
    ) -> None:
        customer = state.customer_id
        if customer is None or not changes:
            return
        self.forget(customer, changes.forget)
        self._kept[customer] = [note for note in self._kept[customer] if note.expires > now]
        if basis is None or basis.row is None:
            return
        self._kept[customer] += [
            Note(
                id=NoteId(secrets.token_urlsafe(16)),
                kind=kept.kind,
                text=kept.text,
                language=kept.language,
                conversation=state.id,
                channel=state.channel,
                seq=kept.seq,
                consent=basis.row.number,
                at=now,
                expires=kept.expires,
            )
            for kept in changes.keep
        ]

    def drop(self, state: Conversation, change: ConsentChange) -> None:
        if change.purpose == PURPOSE and not change.granted and state.customer_id is not None:
            self.forget(state.customer_id, None)
