"""A confirmed write over HTTP: the intent first, then the call, and after a lost answer a look before anything else.

```
propose   whose is it? ─► proposal, bound to the thing as it is
execute   intent ─► still so, still theirs? ─► the call ─► done
                                                └─ no answer: sent again with its key · the mark is looked for ·
                                                   the thing is looked at · or nobody knows, and a person looks
```
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tools.answer import MAX_CHARS
from tools.context import Caller, CustomerId
from tools.errors import NotFound, Rejected, Unavailable, Unsent
from tools.intents.once import Once
from tools.intents.port import Intents
from tools.openapi.asking import Asking
from tools.openapi.changing import Changing
from tools.outside.shape import one_line
from tools.outside.values import filled, packed, shown_facts, unpacked
from tools.outside.wording import ABSENT
from tools.proposal import Effect, Fact, Proposal

_MARK_FIELD = "\x00mark"
"""The name under which a look keeps the mark: none that a mapping could give a field."""


class Writing:
    """The writes of one tool; `now` returns aware moments."""

    def __init__(
        self, tool: Changing, asking: Asking, intents: Intents, *, now: Callable[[], datetime]
    ) -> None:
        self._tool, self._asking = tool, asking
        self._once = Once(intents, system=tool.server, kinds=frozenset({tool.name}), now=now)

    async def propose(self, given: Mapping[str, Any], caller: Caller) -> Proposal:
        """Return what the customer is asked; `NotFound` when it is about another's thing."""
        tool, owner = self._tool, caller.customer()
        thing = await thing_of(tool, self._asking, given, owner=owner)
        return Proposal.made(
            tool.name,
            owner=owner,
            arguments=packed(tool, given, language=caller.language),
            facts={
                **dict.fromkeys(tool.change.fields, ABSENT),
                **(_shown(thing) if thing is not None else {}),
                **shown_facts(tool, given),
            },
            version=version_of(tool, thing),
            now=caller.now,
        )

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        """See `tools.orders.port.Orders.execute`."""
        write = _Write(self._tool, self._asking, proposal, owner=owner, key=key)
        # Of two changes of one thing as it was one is too late; two new things may look alike.
        thing = f"{proposal.digest[:32]}@{proposal.version}" if self._tool.of else proposal.id
        return await self._once.carry_out(
            proposal, write, owner=owner, key=key, thing=f"{self._tool.name} {thing}"
        )


class _Write:
    """One write, once for its key."""

    def __init__(
        self, tool: Changing, asking: Asking, proposal: Proposal, *, owner: CustomerId, key: str
    ) -> None:
        self._tool, self._asking, self._proposal = tool, asking, proposal
        self._owner, self._key = owner, key
        self._given = unpacked(tool, proposal.arguments)
        self._blind = False
        self.told: Mapping[str, Fact] = {}

    async def perform(self) -> None:
        if self._blind:
            raise Unavailable(
                f"{self._tool.server} was sent it before, and nobody can see whether it happened"
            )
        try:
            thing = await thing_of(self._tool, self._asking, self._given, owner=self._owner)
        except NotFound as gone:
            raise Rejected("changed") from gone
        except Unavailable as silent:
            raise Unsent(str(silent), remedy=silent.remedy) from silent
        if version_of(self._tool, thing) != self._proposal.version:
            raise Rejected("changed")
        await self._send()

    async def happened(self) -> bool:
        """Ask again with the key, look for the mark, or look at the thing; where none can be done nobody knows."""
        tool = self._tool
        if tool.change.idempotency:
            try:
                await self._send()
            except Rejected:
                return False
            return True
        if tool.looking is not None:
            return await self._marked()
        if tool.change.became and tool.of is not None:
            return await self._as_left()
        self._blind = True
        return False

    async def _send(self) -> None:
        tool = self._tool
        sent = filled(tool, self._given, owner=self._owner)
        if tool.change.idempotency:
            sent[tool.change.idempotency] = self._key
        if tool.change.mark:
            text = sent.get(tool.change.mark)
            sent[tool.change.mark] = f"{text}\n\n{self._mark}" if text else self._mark
        self._tell(
            await self._asking.change(tool.operation, sent, row=tool.change.row, fields=tool.change.fields)
        )

    async def _marked(self) -> bool:
        tool, looking = self._tool, self._tool.looking
        assert looking is not None
        reading = looking.reading
        sent = {**reading.fixed, **{name: str(self._owner) for name in reading.from_caller}}
        wider = reading.model_copy(update={"fields": {**reading.fields, _MARK_FIELD: reading.mark}})
        try:
            found = await self._asking.many(wider, looking.operation, sent, owner=self._owner)
        except (NotFound, Rejected):
            return False
        for row in found.rows:
            if self._mark in str(row[_MARK_FIELD] or ""):
                self._tell({name: row[name] for name in tool.change.fields})
                return True
        # What was not seen to the end may stand on the next page.
        self._blind = found.more
        return False

    async def _as_left(self) -> bool:
        tool = self._tool
        try:
            thing = await thing_of(tool, self._asking, self._given, owner=self._owner)
        except NotFound:
            return False
        return thing is not None and all(thing[name] == value for name, value in tool.change.became.items())

    @property
    def _mark(self) -> str:
        """A mark nobody else writes: of this key alone."""
        return f"[{hashlib.sha256(self._key.encode()).hexdigest()[:16]}]"

    def _tell(self, fields: Mapping[str, Any]) -> None:
        self.told = _shown(fields)


async def thing_of(
    tool: Changing, asking: Asking, given: Mapping[str, Any], *, owner: CustomerId
) -> Mapping[str, Any] | None:
    """Return the thing that is changed, as the owner sees it; None for a change of nothing that was there before."""
    of = tool.of
    if of is None:
        return None
    known = {name: value for name, value in given.items() if name in of.kinds}
    return await asking.one(of.reading, of.operation, filled(of, known, owner=owner), owner=owner)


def version_of(tool: Changing, thing: Mapping[str, Any] | None) -> str:
    """Return what a yes is bound to: the operation as it is described, and the thing as it stands."""
    seen = json.dumps([tool.definition.digest, thing], sort_keys=True, default=str)
    return hashlib.sha256(seen.encode()).hexdigest()[:16]


def _shown(fields: Mapping[str, Any]) -> dict[str, Fact]:
    return {name: _fact(value) for name, value in fields.items()}


def _fact(value: Any) -> Fact:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return one_line(value, most=MAX_CHARS) if isinstance(value, str) and value.strip() else ABSENT
