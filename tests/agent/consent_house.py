"""The real composition with edges that watch: whatever leaves them is compared with the ledger as it lies in the file.

The watch reads the table by itself, with nothing of the code that decides about consent.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from sqlalchemy import event

from agent.confidence import calibration_of
from agent.domain import ConsentChange
from agent.fake import FakeNotices, FixedClock, InlineSteps
from agent.gate import Gate
from agent.link import Link
from agent.loop import Loop
from agent.models import ModelChain
from agent.pack import Pack, load_pack
from agent.policy.consent import change
from agent.records.engine import connect
from agent.records.purse import FakePurse
from agent.records.sql import SqlRecords, create_tables
from agent.records.tables import metadata
from agent.terms import Privacy, Purpose
from agent.turn import Turn
from knowledge.embed.fake import FakeEmbedder
from knowledge.embed.port import Vectors
from knowledge.search import Search
from knowledge.types import Passage, Query, Retrieval
from tests.agent.test_turn import PHRASES
from tests.knowledge.test_search import PASSAGES, search_over
from tests.scripted import ScriptedModel, calls, says
from tests.tools.shop import ANNA, SHOP, Clock, fake_orders
from tests.tools.shop import PHRASES as TOOL_PHRASES
from tools.context import ConversationId, CustomerId, TurnId
from tools.crm.fake import FakeCRM
from tools.crm.functions import crm_tools
from tools.orders.functions import order_tools
from tools.toolbox import Toolbox

DEMO = Path(__file__).resolve().parents[2] / "demo"
BASE = load_pack(DEMO)
EXTERNAL = "model:external"


class Watch:
    """Says whether a purpose is live at this very moment for whoever is served, and keeps what was not."""

    def __init__(self, path: Path, purposes: dict[str, Purpose]) -> None:
        self.ledger = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.purposes = purposes
        self.conversation = ConversationId("")
        self.reached: dict[str, int] = {}
        self.wrong: list[str] = []

    def live(self, purpose: str) -> bool:
        (customer,) = self.ledger.execute(
            "SELECT customer_id FROM conversations WHERE id = ?", (self.conversation,)
        ).fetchone()
        last = None
        for row in self.ledger.execute(
            "SELECT c.conversation, c.customer_id, t.customer_id, c.assurance, c.granted, c.version, c.text_sha256, c.language"
            " FROM consents c JOIN conversations t ON t.id = c.conversation WHERE c.purpose = ? ORDER BY c.id",
            (purpose,),
        ):
            talk, whose, owner, sure, granted, version, sha, language = row
            mine = customer is not None and customer in (whose, owner)
            follows = mine and (not granted or (whose == customer and sure in ("verified", "stepped_up")))
            if talk == self.conversation or follows:
                last = (granted, version, sha, language)
        if last is None or not last[0]:
            return False
        words = self.purposes[purpose].text[last[3]]
        return last[1:3] == (self.purposes[purpose].version, hashlib.sha256(words.encode()).hexdigest())

    def pass_by(self, edge: str, *purposes: str) -> None:
        """Something is about to leave by this edge: one of the purposes must be live."""
        self.reached[edge] = self.reached.get(edge, 0) + 1
        if not any(self.live(purpose) for purpose in purposes):
            self.wrong.append(f"{edge} without {' or '.join(purposes)}")


class Watched:
    """A system of the company behind the watch: every question to it passes by."""

    def __init__(self, system: Any, watch: Watch, edge: str) -> None:
        self._system, self._watch, self._edge = system, watch, edge

    def replaced(self, system: Any) -> None:
        """Watch another system from now on."""
        self._system = system

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._system, name)
        if not callable(found) or name in ("products", "product", "find_products", "variants", "find"):
            return found

        async def asked(*arguments: Any, **named: Any) -> Any:
            kinds = ("write",) if name == "execute" else ("read", "write")
            self._watch.pass_by(f"{self._edge}.{name}", *(f"{self._edge}:{kind}" for kind in kinds))
            # Who keeps the method means the system that is watched now.
            return await getattr(self._system, name)(*arguments, **named)

        return asked


class Outside(FakeEmbedder):
    """An encoder of another company."""

    outside = True
    watch: Watch | None = None

    def queries(self, texts: Sequence[str]) -> Vectors:
        if self.watch is not None:
            self.watch.pass_by("encoder", EXTERNAL)
        return super().queries(texts)


class Talker(ScriptedModel):
    """Calls the tools of its plan, offered or not, then answers; `far` is a model outside.

    `racing` is withdrawn while it thinks.
    """

    far: bool
    house: Any

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        house: House = self.house
        if self.far:
            house.watch.pass_by("model", EXTERNAL)
        if house.racing:
            racing, house.racing = house.racing, ""
            await house.withdraw(racing)
        done = sum(isinstance(message, ToolMessage) for message in messages)
        message: AIMessage = says("Вернуть товар можно в течение 14 дней. [returns#1]")
        if done < len(house.plan):
            message = calls((house.plan[done], ARGUMENTS.get(house.plan[done], {})))
        return ChatResult(generations=[ChatGeneration(message=message)])


LIVED = tuple(name for name in metadata.tables if not name.startswith("audit"))
"""The audit is a chain: it goes on from life to life."""
ARGUMENTS: dict[str, dict[str, Any]] = {
    "order_status": {"order_id": "1051"},
    "cancel_order": {"order_id": "1051", "reason": "передумала"},
}


class Facts:
    """The knowledge room over a few passages."""

    def __init__(self, search: Search) -> None:
        self._search = search

    async def search(self, query: Query) -> Retrieval:
        return await self._search.search(query)

    async def expect(self, query: str) -> None:
        await self._search.expect(query)

    async def live(self, ids: Sequence[str]) -> dict[str, Passage]:
        return {str(one.id): one for one in PASSAGES if one.id in ids}


def _unsynced(connection: Any, record: Any) -> None:
    # No power fails here: no life need wait for the disk.
    for pragma in ("synchronous=OFF", "secure_delete=OFF"):
        connection.execute(f"PRAGMA {pragma}")


CALIBRATION = calibration_of(DEMO, by_hand=0.0)


WHO: tuple[tuple[str, CustomerId | None, Literal["verified", "channel", "anonymous"]], ...] = (
    ("widget", ANNA, "verified"),
    ("telegram", ANNA, "channel"),
    ("widget", None, "anonymous"),
)
"""The customer in three conversations: signed in, in a messenger, and as nobody."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a life begins: its conversations, and the rows that opening them wrote, by table."""

    talks: tuple[ConversationId, ...]
    rows: dict[str, list[tuple[Any, ...]]]


class House:
    """One installation; `restart` builds everything anew on the same database."""

    def __init__(self, path: Path) -> None:
        self.purposes = dict(BASE.purposes)
        policy = BASE.policy.model_copy(update={"purposes": self.purposes, "privacy": Privacy()})
        self.pack = Pack(DEMO, BASE.company, policy)
        self.clock, self.shop_clock = FixedClock(), Clock()
        self.engine = connect(f"sqlite:///{path}")
        event.listen(self.engine.sync_engine, "connect", _unsynced)
        self.watch = Watch(path, self.purposes)
        self.orders = Watched(fake_orders(self.shop_clock), self.watch, "orders")
        self.purse = FakePurse()
        self.beginnings: dict[tuple[str, ...], Beginning] = {}
        self.plan: tuple[str, ...] = ()
        self.racing = ""
        self.keys = 0
        self.encoder = Outside(name="outside")
        self.box: Toolbox | None = None
        self.writer: Loop | None = None

    async def open(self) -> None:
        await create_tables(self.engine)
        self.watch.ledger.execute("PRAGMA foreign_keys = OFF")
        self.watch.ledger.execute("PRAGMA synchronous = OFF")
        # What was embedded when the documents were published is not what a customer asks.
        self.encoder.watch = None
        self.facts = Facts(search_over(PASSAGES, self.encoder, FakeEmbedder(name="own")))
        self.encoder.watch = self.watch
        self.restart()
        # Compiling tools and graphs costs more than a hundred turns: these are the same in every life.
        gate = self.gate
        self.box = Toolbox(
            order_tools(self.orders, TOOL_PHRASES),  # type: ignore[arg-type]
            crm_tools(Watched(FakeCRM(SHOP.customers), self.watch, "profile"), TOOL_PHRASES),  # type: ignore[arg-type]
            require=gate.require,
        )
        far, near = Talker(far=True, house=self), Talker(far=False, house=self)
        links = [
            Link(name="far", model=far, timeout=60, local=False),
            Link(name="house", model=near, timeout=60, local=True, external=False),
        ]
        self.writer = Loop(ModelChain(links), toolbox=self.box, pack=self.pack, purse=self.purse, gate=gate)
        self.restart()

    async def begin(self, *allowed: str) -> tuple[ConversationId, ...]:
        """Begin a life in which the signed-in customer has allowed these purposes; return its conversations.

        What the first such life wrote by then is put back for the others, as it lay in the file.
        """
        known = self.beginnings.get(allowed)
        self.empty(known.rows if known else {})
        if known is None:
            talks = tuple([await self.talk(*one) for one in WHO])
            for purpose in allowed:
                await self.choose(talks[0], purpose, granted=True)
            rows = {name: self.watch.ledger.execute(f"SELECT * FROM {name}").fetchall() for name in LIVED}
            known = self.beginnings[allowed] = Beginning(talks, rows)
        return known.talks

    def empty(self, rows: dict[str, list[tuple[Any, ...]]]) -> None:
        """Forget everything of the life before, and put these rows in its place."""
        self.watch.ledger.execute("BEGIN IMMEDIATE")
        for table in LIVED:
            self.watch.ledger.execute(f"DELETE FROM {table}")
            if found := rows.get(table):
                marks = ", ".join("?" * len(found[0]))
                self.watch.ledger.executemany(f"INSERT INTO {table} VALUES ({marks})", found)
        self.watch.ledger.execute("COMMIT")
        self.clock.time, self.shop_clock.now = FixedClock().time, Clock().now
        self.orders.replaced(fake_orders(self.shop_clock))
        self.purse.rows.clear()
        self.purposes.clear()
        self.purposes.update(BASE.purposes)
        self.watch.reached.clear()
        self.watch.wrong.clear()
        self.plan, self.racing = (), ""
        self.restart()

    def restart(self) -> None:
        """Keep nothing of what was in memory about anybody."""
        self.records = SqlRecords(
            self.engine, clock=self.clock, card=lambda purpose, language: {}, purposes=self.purposes
        )
        self.gate = Gate(self.records, self.purposes)
        if self.writer is None or self.box is None:
            return
        self.turn = Turn(
            records=self.records,
            facts=self.facts,
            writer=self.writer,
            actions=self.box,
            phrases=PHRASES,
            pack=self.pack,
            notices=FakeNotices(),
            calibration=CALIBRATION,
            similarity=lambda text, others: [0.9 for _ in others],
        )

    async def talk(self, channel: str, customer: CustomerId | None, assurance: Any) -> ConversationId:
        self.keys += 1
        opened = await self.records.open_conversation(
            channel=channel,
            language="ru",
            external_id=f"x{self.keys}",
            customer_id=customer,
            assurance=assurance,
        )
        return opened.id

    async def choose(self, conversation: ConversationId, purpose: str, *, granted: bool) -> None:
        row: ConsentChange = change(self.purposes[purpose], granted=granted, language="ru")
        await self.records.consent_outside(conversation, row)

    async def withdraw(self, purpose: str) -> None:
        await self.choose(self.watch.conversation, purpose, granted=False)

    async def said(self, conversation: ConversationId, text: str = "", *, action: Any = None) -> None:
        """One message and everything that comes of it."""
        self.keys += 1
        self.watch.conversation = conversation
        # A change that is proposed again later is another proposal.
        self.clock.time += timedelta(seconds=1)
        self.shop_clock.now += timedelta(seconds=1)
        await self.records.accept(conversation, key=f"k{self.keys}", text=text, action=action)
        while (turn := await self.records.next_batch(conversation)) is not None:
            await self.turn.run(TurnId(turn), steps=InlineSteps())
        self.racing = ""
