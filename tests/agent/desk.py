"""Small doubles the turn's tests share: a ledger of what was written, and actions that count."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from agent.domain import ConsentChange, TurnRecord, Verified
from agent.ports import Situation
from agent.records.errors import Superseded
from tools.context import Assurance, Caller, CustomerId, Language, TurnId
from tools.errors import Expired
from tools.proposal import Effect, EffectState, Proposal


class Ledger:
    """Records of one turn, in memory; `before` is what turn t0 sent, `taken` plays an operator, `die_after` a crash after n sentences."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self.before: tuple[Verified, ...] = ()
        self.appended: list[Verified] = []
        self.consents: list[ConsentChange] = []
        self.records: list[TurnRecord] = []
        self.identified: list[tuple[CustomerId, Assurance]] = []
        self.done = 0
        self.taken = False
        self.die_after: int | None = None
        self.attempt = 1

    @property
    def record(self) -> TurnRecord:
        return self.records[0]

    async def situation(self, turn: TurnId) -> Situation:
        return self._situation

    async def sent(self, turn: TurnId) -> tuple[Verified, ...]:
        return self.before if turn == "t0" else tuple(self.appended)

    async def append(self, turn: TurnId, n: int, sentence: Verified, *, attempt: int = 1) -> bool:
        self._check(attempt)
        if self.taken:
            return False
        if self.die_after is not None and n >= self.die_after:
            raise ConnectionError("the process died here")
        assert n == len(self.appended), "a sentence was sent twice or out of order"
        self.appended.append(sentence)
        return True

    async def consent(self, turn: TurnId, change: ConsentChange) -> None:
        self.consents.append(change)

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
        return "orders:read" if name.startswith("order") else None

    async def execute(self, proposal: Proposal, caller: Caller, *, key: str) -> Effect:
        if caller.now >= proposal.expires:
            raise Expired
        self.executed.append(key)
        return Effect(proposal=proposal, state=self.state, facts={})

    def recipients(self, name: str) -> tuple[str, ...]:
        return ("new_address",) if name == "change_address" else ()

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
