"""A customer with something in every room, for tests of their rights: shop, talks, consents, proposals, journals, gaps."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select

from agent.domain import Answered, ConsentChange, Escalated, Reply, Ticket, TurnRecord
from agent.pack import load_pack
from agent.pledge import Pledge
from agent.ports import Clock
from agent.records import tables as a
from agent.records.audit import SqlAudit
from agent.records.chain import Entry
from agent.records.chain import customer as about
from agent.records.engine import connect
from agent.records.flag_tables import flags
from agent.records.sql import SqlRecords
from agent.records.suggestion_tables import suggestions
from api.rights.premises import Premises
from api.settings import ROOT, Settings
from knowledge.keeping import curation_tables as k
from knowledge.keeping.lesson_tables import lesson_cases, lessons
from tests.api.desk import SECRET, SystemClock, _card
from tests.migrated import migrated
from tools import tables as t
from tools.codes import tables as codes
from tools.context import ConversationId, CustomerId, TurnId
from tools.mcp import journal

AGATHA = CustomerId("customer-agatha-7731")
BORIS = CustomerId("customer-boris-1180")
NAME, PHONE, MAIL = "Агафья Лыкова", "+7 901 555-31-77", "agafya.lykova@taiga.example"
STREET = "Заимка Верхняя, д. 1"
ORDERS = {AGATHA: "o-1", BORIS: "o-2"}
SAYS = "Это Агафья Лыкова, позвоните мне на +7 901 555-31-77 про люстру гелиотроп"
NOTE = "оставить у бабы Клавы на печке"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Premises with two customers, and what was done there."""

    premises: Premises
    records: SqlRecords
    talk: ConversationId
    turn: TurnId
    other: ConversationId


@asynccontextmanager
async def premises_at(folder: Path, *, url: str = "", clock: Clock | None = None) -> AsyncIterator[Premises]:
    settings = Settings(
        data=folder,
        database=url,
        durable_database=url and url.replace("+aiosqlite", ""),
        identity_secret=SECRET,
    )
    migrated(settings.database_url)
    engine = connect(settings.database_url)
    try:
        yield Premises(
            settings=settings,
            pack=load_pack(ROOT / "demo"),
            engine=engine,
            clock=clock or SystemClock(),
            secret=SECRET,
        )
    finally:
        await engine.dispose()


def records_of(premises: Premises) -> SqlRecords:
    return SqlRecords(premises.engine, clock=premises.clock, card=_card, purposes=premises.pack.purposes)


async def furnished(premises: Premises) -> Scene:
    """Fill every room with rows of Agatha, and some of Boris."""
    records = records_of(premises)
    await _shop(premises)
    talk, turn = await _talk(records, AGATHA, SAYS)
    other, _ = await _talk(records, BORIS, "Борис спрашивает про торшер")
    await _beside(premises, talk, turn)
    entry = Entry(act="customer.read", actor="vera", target=NAME, about=about(AGATHA), detail={"what": PHONE})
    await SqlAudit(premises.engine, clock=premises.clock).write(entry)
    return Scene(premises=premises, records=records, talk=talk, turn=turn, other=other)


async def _talk(records: SqlRecords, customer: CustomerId | None, text: str) -> tuple[ConversationId, TurnId]:
    opened = await records.open_conversation(
        channel="telegram",
        language="ru",
        external_id=f"chat-of-{customer}",
        customer_id=customer,
        assurance="verified" if customer else "anonymous",
        disclosure=Reply(text="Я программа."),
    )
    await records.accept(opened.id, key="k1", text=text)
    turn = await records.next_batch(opened.id)
    assert turn is not None
    change = ConsentChange(purpose="orders:read", granted=True, version="1", text="Можно?", language="ru")
    await records.consent(turn, change)
    ticket = Ticket(reason="customer_asked", department="care", summary=text, rejected=f"черновик: {text}")
    await records.commit(
        TurnRecord(
            turn=turn,
            conversation=opened.id,
            outcome=Escalated(reason="customer_asked") if customer else Answered(),
            language="ru",
            replies=(Reply(text=f"Вы сказали: {text}"),),
            question=text,
            proposal={"id": f"p-{turn}", "tool": "cancel_order", "arguments": {"why": text}},
            holder="queued" if customer else "ai",
            ticket=ticket if customer else None,
            pledge=Pledge(words=f"Ответим: {text}", due=records.clock.now() + timedelta(days=1)),
        )
    )
    await records.note_down(opened.id, f"Перезвонить: {text}", operator="vera", name="Вера")
    return opened.id, turn


async def _beside(premises: Premises, talk: ConversationId, turn: TurnId) -> None:
    moment = {"at": NOW}
    async with premises.engine.begin() as connection:
        rows = (
            (
                suggestions,
                dict(
                    id="suggested",
                    conversation=talk,
                    seq=1,
                    text="черновик подсказки",
                    citations=[],
                    sure=False,
                    by="vera",
                    state="offered",
                    **moment,
                ),
            ),
            (
                a.charges,
                dict(
                    conversation=talk,
                    turn=turn,
                    day=NOW.date(),
                    model="m",
                    prompt=1,
                    completion=1,
                    usd=0.1,
                    estimated=False,
                ),
            ),
            (
                a.notes,
                dict(
                    id="kept",
                    customer_id=AGATHA,
                    n=0,
                    kind="room",
                    text=f"{NAME}: спальня 12 метров",
                    language="ru",
                    purpose="memory",
                    consent=select(a.consents.c.id).limit(1).scalar_subquery(),
                    conversation=talk,
                    channel="widget",
                    seq=1,
                    expires=NOW + timedelta(days=36_500),
                    **moment,
                ),
            ),
            (a.sentences, dict(turn=turn, n=0, text=f"Вы сказали: {SAYS}", citations=[], **moment)),
            (
                a.hooks,
                dict(
                    webhook="w",
                    conversation=talk,
                    n=1,
                    event="e1",
                    type="t",
                    data={"seq": 1},
                    state="dead",
                    attempts=0,
                    fault="",
                    next_at=NOW,
                    since=NOW,
                    **moment,
                ),
            ),
            (
                codes.codes,
                dict(
                    turn=turn,
                    conversation=talk,
                    customer=AGATHA,
                    contact="h",
                    code="h",
                    expires=NOW,
                    used_in="",
                    **moment,
                ),
            ),
            (codes.failures, dict(turn=turn, conversation=talk, contact="h", **moment)),
            (
                t.intents,
                dict(
                    key="i1",
                    system="x",
                    thing=f"order {AGATHA}",
                    proposal="p",
                    tool="cancel",
                    owner=AGATHA,
                    digest="d",
                    facts={"phone": PHONE},
                    begun=NOW,
                ),
            ),
            (
                journal.writes,
                dict(
                    key="w1",
                    tool="cancel",
                    owner=AGATHA,
                    digest="d",
                    state="open",
                    facts={"phone": PHONE},
                    **moment,
                ),
            ),
            (
                k.gaps,
                dict(
                    id="g1",
                    status="drafted",
                    question=SAYS,
                    language="ru",
                    examples=[SAYS, "Как вернуть люстру?"],
                    members=[turn, "another"],
                    draft="d1",
                    document="",
                    by="vera",
                ),
            ),
            (
                flags,
                dict(
                    id="f1",
                    conversation=talk,
                    turn=turn,
                    reason="wrong",
                    note=SAYS,
                    wrong=["Люстры не возвращают."],
                    expected="14 дней",
                    state="open",
                    by="olga",
                    decided_by="",
                    **moment,
                ),
            ),
            (
                lessons,
                dict(
                    id="l1",
                    state="open",
                    question=SAYS,
                    answer="Люстру вернуть можно за 14 дней.",
                    language="ru",
                    by="olga",
                    members=[turn, "another"],
                    examples=[SAYS, "Как вернуть люстру?"],
                    decided_by="",
                    why="",
                    **moment,
                ),
            ),
            (
                lesson_cases,
                dict(
                    turn=turn,
                    conversation=talk,
                    lesson="l1",
                    wish="",
                    language="ru",
                    question=SAYS,
                    answer="Люстру вернуть можно за 14 дней.",
                    said=["Люстру вернуть можно за 14 дней."],
                    by="olga",
                    **moment,
                ),
            ),
            (
                k.changes,
                dict(
                    id=1,
                    document="d1",
                    version=1,
                    base=0,
                    state="open",
                    by="vera",
                    preview={"rows": [{"question": SAYS, "verdict": "better"}]},
                    conflicts=[],
                    decided_by="",
                    why="",
                    accepted=[],
                    **moment,
                ),
            ),
        )
        for table, row in rows:
            await connection.execute(insert(table).values(**row))


async def _shop(premises: Premises) -> None:
    async with premises.engine.begin() as connection:
        for customer, name, phone, mail in (
            (AGATHA, NAME, PHONE, MAIL),
            (BORIS, "Борис", "+7 900", "b@x.example"),
        ):
            rows = (
                (
                    t.customers,
                    dict(
                        id=customer,
                        login=f"login-{customer}",
                        name=name,
                        email=mail,
                        phone=phone,
                        language="ru",
                        city="Абаза",
                        level_ru="",
                        level_en="",
                        points=3,
                        version=1,
                        email_key=mail,
                        name_key=name.lower(),
                        phone_key=phone,
                    ),
                ),
                (
                    t.addresses,
                    dict(
                        id=f"{customer}-home",
                        owner=customer,
                        line=STREET if customer == AGATHA else "ул. Мира",
                        city="Абаза",
                        postcode="655750",
                        extra="",
                        region="",
                        country="",
                    ),
                ),
                (t.homes, dict(owner=customer, address=f"{customer}-home")),
                (
                    t.saved,
                    dict(id=f"m-{customer}", owner=customer, method="card", brand="Мир", masked="··1177"),
                ),
                (
                    t.orders,
                    dict(
                        id=ORDERS[customer],
                        owner=customer,
                        status="delivered",
                        active=0,
                        placed=NOW,
                        version=1,
                        delivery_price=0,
                        total=100,
                        currency="RUB",
                        address=f"{customer}-home",
                        cancel_reason=NOTE if customer == AGATHA else "",
                    ),
                ),
                (
                    t.items,
                    dict(
                        id=f"i-{ORDERS[customer]}",
                        order_id=ORDERS[customer],
                        n=1,
                        code="FN-1",
                        title_ru="Люстра",
                        title_en="Lamp",
                        quantity=1,
                        price=100,
                        product="",
                        options={},
                    ),
                ),
                (
                    t.payments,
                    dict(
                        order_id=ORDERS[customer],
                        method="card",
                        state="paid",
                        amount=100,
                        masked="··1177",
                        at=NOW,
                        saved=f"m-{customer}",
                    ),
                ),
                (
                    t.fulfilments,
                    dict(
                        order_id=ORDERS[customer],
                        method="courier",
                        carrier="К",
                        tracking="TR-88112277" if customer == AGATHA else "TR-1",
                    ),
                ),
                (
                    t.events,
                    dict(
                        id=f"ev-{ORDERS[customer]}",
                        order_id=ORDERS[customer],
                        at=NOW,
                        kind="note",
                        note=NOTE if customer == AGATHA else "",
                    ),
                ),
                (
                    t.effects,
                    dict(
                        key=f"e-{customer}",
                        proposal="p",
                        tool="cancel",
                        owner=customer,
                        digest="d",
                        facts={"phone": phone},
                        at=NOW,
                    ),
                ),
            )
            for table, row in rows:
                await connection.execute(insert(table).values(**row))
