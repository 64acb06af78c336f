"""Small doubles the turn's tests share: a ledger of what was written, and actions that count."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from agent.basis import ConsentRow
from agent.domain import ConsentChange, TurnRecord, Verified
from agent.ports import Situation
from agent.receipt import Granted
from agent.records.errors import Superseded
from tools.context import Assurance, Caller, ConversationId, CustomerId, Language, TurnId
from tools.errors import Expired
from tools.proposal import Effect, EffectState, Proposal


class Ledger:
    """Records of one turn, in memory; `before` is what turn t0 sent, `taken` plays an operator, `die_after` a crash after n sentences."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self.before: tuple[Verified, ...] = ()
        self.first: tuple[str, ...] = ()
        self.appended: list[Verified] = []
        self.consents: list[ConsentChange] = []
        self.records: list[TurnRecord] = []
        self.identified: list[tuple[CustomerId, Assurance]] = []
        self.earlier: dict[TurnId, TurnRecord] = {}
        self.done = 0
        self.erasures = 0
        self.taken = False
        self.die_after: int | None = None
        self.attempt = 1

    @property
    def record(self) -> TurnRecord:
        return self.records[0]

    async def situation(self, turn: TurnId) -> Situation:
        return self._situation

    async def ask_erasure(self, turn: TurnId) -> str:
        self.erasures += 1
        return "request-1"

    async def sent(self, turn: TurnId, *, whole: bool = False) -> tuple[Verified, ...]:
        return self.before if turn == "t0" else tuple(self.appended)

    @property
    def shown(self) -> list[str]:
        """What the customer's screen has shown of the turn so far."""
        return [*self.first, *(sentence.text for sentence in self.appended)]

    async def append(
        self, turn: TurnId, n: int, sentence: Verified, *, attempt: int = 1, first: Sequence[str] = ()
    ) -> bool:
        self._check(attempt)
        if self.taken:
            return False
        if self.die_after is not None and n >= self.die_after:
            raise ConnectionError("the process died here")
        assert n == len(self.appended), "a sentence was sent twice or out of order"
        self.first = tuple(first) if n == 0 else self.first
        self.appended.append(sentence)
        return True

    async def consent(self, turn: TurnId, *changes: ConsentChange) -> None:
        self.consents += changes

    async def ledger(
        self, conversation: ConversationId, customer: CustomerId | None
    ) -> tuple[ConsentRow, ...]:
        return ()

    async def granted(self, turn: TurnId) -> tuple[Granted, ...]:
        return tuple(
            Granted(
                id=n,
                purpose=change.purpose,
                version=change.version,
                sha256="0" * 64,
                language=change.language,
                channel="widget",
                at=self._situation.batch[-1].at,
            )
            for n, change in enumerate(self.consents, start=1)
            if change.granted
        )

    async def receipt(self, conversation: ConversationId, turn: TurnId) -> TurnRecord | None:
        return self.earlier.get(turn)

    async def identify(self, turn: TurnId, customer: CustomerId, assurance: Assurance) -> None:
        self.identified.append((customer, assurance))
        known = replace(self._situation.conversation, customer_id=customer, assurance=assurance)
        self._situation = replace(self._situation, conversation=known)

    async def done_since(self, customer: CustomerId, since: datetime) -> int:
        return self.done

    def _check(self, attempt: int) -> None:
        if attempt != self.attempt:
            raise Superseded()

    async def commit(self, record: TurnRecord, *, attempt: int = 1) -> bool:
        self._check(attempt)
        self.records.append(record)
        return len(self.records) == 1


class FakeActions:
    """Executes proposals in memory, counting by key."""

    def __init__(self, *, state: EffectState = "done") -> None:
        self.state: EffectState = state
        self.executed: list[str] = []

    def scope(self, name: str) -> str | None:
        if name.startswith("order"):
            return "orders:read"
        return "orders:write" if self.effect(name) == "write" else None

    async def execute(self, proposal: Proposal, caller: Caller, *, key: str) -> Effect:
        if caller.now >= proposal.expires:
            raise Expired
        self.executed.append(key)
        return Effect(proposal=proposal, state=self.state, facts={})

    def recipients(self, name: str) -> tuple[str, ...]:
        return ("new_address",) if name == "change_address" else ()

    def effect(self, name: str) -> Literal["read", "write"]:
        return "write" if name.startswith(("change", "cancel")) else "read"

    def unreached(self, name: str, arguments: Mapping[str, Any], language: Language) -> str:
        return " ".join((name, *map(str, arguments.values())))

    def confirmation(self, proposal: Proposal, language: Language) -> str:
        return f"confirm {proposal.arguments['order_id']}"

    def effect_text(self, effect: Effect, language: Language) -> str:
        return f"done {effect.proposal.id}"


def proposal(
    now: datetime,
    *,
    tool: str = "cancel_order",
    arguments: Sequence[tuple[str, str]] = (("order_id", "1051"),),
) -> Proposal:
    return Proposal.made(
        tool,
        owner=CustomerId("anna"),
        arguments=dict(arguments),
        facts={},
        version="1",
        now=now,
    )
