"""Whose data is meant: a customer with everything bound to them, or one conversation of nobody known."""

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import ColumnElement, Table, false, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.errors import AgentFault
from agent.records.chain import conversation as about_conversation
from agent.records.chain import customer as about_customer
from agent.records.tables import conversations, messages, turns
from api.durable import workflows_of
from api.rights.registry import Key, held
from api.schema import METADATA
from tools.context import ConversationId, CustomerId, TurnId
from tools.tables import orders

TABLES = {table.name: table for metadata in METADATA for table in metadata.tables.values()}
"""The house's own tables, by name."""


class UnknownCustomer(AgentFault):
    """Nothing is held under this id."""

    code: ClassVar[str] = "unknown_customer"

    def __init__(self, id: str, *, bound: bool = False) -> None:
        remedy = (
            "This conversation belongs to a customer: name the customer's id instead, and all of theirs is meant."
            if bound
            else "Take the id from the company's customer register, or a conversation's id where nobody is known."
        )
        super().__init__(f"Nothing is held of a customer “{id}”.", remedy=remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Ids of one person, or of one conversation. `words` are the messages they wrote, `pseudonyms` what evidence is under."""

    customer: CustomerId | None
    conversations: tuple[ConversationId, ...]
    turns: tuple[TurnId, ...]
    orders: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    pseudonyms: tuple[str, ...] = ()

    def ids(self, key: Key) -> tuple[str, ...]:
        """Return what leads to rows of this kind."""
        customer = (self.customer,) if self.customer is not None else ()
        match key:
            case "customer":
                return customer
            case "conversation":
                return self.conversations
            case "about":
                known = tuple(about_customer(one) for one in customer)
                return (*known, *(about_conversation(one) for one in self.conversations))
            case "turn":
                return self.turns
            case "order":
                return self.orders
            case "workflow":
                return tuple(id for turn in self.turns for id in workflows_of(turn))
            case "words":
                return tuple(self.words)
            case "pseudonym":
                return self.pseudonyms


async def subject_named(connection: AsyncConnection, id: str) -> Subject:
    """Return the customer with this id, or the conversation of nobody known. Raises `UnknownCustomer`."""
    if await _known(connection, id):
        return await subject_of_customer(connection, CustomerId(id))
    found = await connection.execute(select(conversations.c.customer_id).where(conversations.c.id == id))
    row = found.one_or_none()
    if row is None or row.customer_id is not None:
        raise UnknownCustomer(id, bound=row is not None)
    return await subject_of_conversation(connection, ConversationId(id))


async def subject_of_customer(connection: AsyncConnection, customer: CustomerId) -> Subject:
    """Return everything bound to a customer, whether or not there is anything."""
    talks = await connection.scalars(
        select(conversations.c.id)
        .where(conversations.c.customer_id == customer)
        .order_by(conversations.c.created)
    )
    bought = await connection.scalars(select(orders.c.id).where(orders.c.owner == customer))
    return await _subject(connection, customer, tuple(talks), orders=tuple(bought))


async def subject_of_conversation(connection: AsyncConnection, conversation: ConversationId) -> Subject:
    """Return one conversation as nobody's."""
    return await _subject(connection, None, (conversation,))


async def _subject(
    connection: AsyncConnection,
    customer: CustomerId | None,
    talks: tuple[str, ...],
    *,
    orders: tuple[str, ...] = (),
) -> Subject:
    own = await connection.scalars(select(turns.c.id).where(among(turns.c.conversation, talks)))
    written = await connection.scalars(
        select(messages.c.text).where(messages.c.author == "customer", among(messages.c.conversation, talks))
    )
    return Subject(
        customer=customer,
        conversations=tuple(ConversationId(id) for id in talks),
        turns=tuple(TurnId(id) for id in own),
        orders=orders,
        words=frozenset(written),
    )


async def present(connection: AsyncConnection, subject: Subject) -> Subject:
    """Return the subject as it is now: more may have come since it was named."""
    if subject.customer is not None:
        return await subject_of_customer(connection, subject.customer)
    return await _subject(connection, None, subject.conversations)


async def _known(connection: AsyncConnection, id: str) -> bool:
    """Whether any table has a row of a customer with this id."""
    for one in held():
        for column, key in one.by.items():
            if key != "customer":
                continue
            table = TABLES[one.table]
            if (
                await connection.execute(select(table.c[column]).where(table.c[column] == id).limit(1))
            ).first():
                return True
    return False


def rows_of(table: Table, by: dict[str, tuple[str, ...]]) -> ColumnElement[bool]:
    """Return the condition that any of these columns is among the ids given with it."""
    return or_(false(), *(among(table.c[column], ids) for column, ids in by.items()))


IN = 500
"""Values of one list in a statement; both databases take thousands, and plan worse."""


def among(column: ColumnElement[str], values: tuple[str, ...]) -> ColumnElement[bool]:
    """Return the condition that a column is one of some values, however many."""
    return or_(false(), *(column.in_(values[start : start + IN]) for start in range(0, len(values), IN)))
