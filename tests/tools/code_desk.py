"""One-time codes over a database of their own, with a clock that is moved and a post that is read."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tools.bilingual import Bilingual
from tools.codes import tables as t
from tools.codes.book import CodeBook
from tools.codes.port import CodeRules, Sent
from tools.codes.sending import OneTimeCodes
from tools.contacts import Contact
from tools.context import Caller, ConversationId, CustomerId, TurnId
from tools.crm.fake import FakeCRM
from tools.crm.port import Customer
from tools.identity import Refused, Verified
from tools.phrases import Phrases
from tools.sender.fake import FakeSender
from tools.sender.port import Letter
from tools.sender.post import Post
from tools.texts import TEXTS

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANNA = Contact(by="email", value="anna@example.com")
NOBODY = Contact(by="email", value="nobody@example.com")


def customer(id: str = "c-001", email: str = "anna@example.com", phone: str = "+7 900 000-00-01") -> Customer:
    return Customer(
        id=CustomerId(id),
        login=None,
        name="Анна",
        email=email,
        phone=phone,
        language="ru",
        city="",
        level=Bilingual(ru="", en=""),
        points=0,
    )


class Desk:
    """Everything a code passes through; `turns` numbers the turns so that each is one of its own."""

    def __init__(self, engine: AsyncEngine, *, rules: CodeRules | None = None) -> None:
        self.now = START
        self.engine = engine
        self.rules = rules or CodeRules()
        self.crm = FakeCRM([customer(), customer("c-002", "boris@example.com", "8 (900) 000-00-02")])
        self.sender = FakeSender()
        self.post = Post(self.sender)
        self._turns = 0
        self.open()

    def open(self) -> None:
        """Start anew on the same database, as after a restart."""
        book = CodeBook(self.engine, key="k" * 32, rules=self.rules, now=lambda: self.now)
        self.codes = OneTimeCodes(
            crm=self.crm,
            book=book,
            post=self.post,
            rules=self.rules,
            phrases=Phrases(TEXTS),
            company={"ru": "Фонарь", "en": "Fonar"},
        )

    def later(self, **how: float) -> None:
        self.now += timedelta(**how)

    def caller(self, conversation: str = "one", *, turn: str = "", known: str | None = None) -> Caller:
        self._turns += 1
        return Caller(
            conversation=ConversationId(conversation),
            turn=TurnId(turn or f"t{self._turns}"),
            language="en",
            channel="widget",
            customer_id=CustomerId(known) if known else None,
            assurance="verified" if known else "anonymous",
            purposes=frozenset(),
            now=self.now,
        )

    async def send(
        self, contact: Contact | None = ANNA, conversation: str = "one", **who: str
    ) -> Sent | Refused:
        answer = await self.codes.send(contact, self.caller(conversation, **who))
        await self.post.close()
        self.later(seconds=1)
        return answer

    async def check(self, code: str, conversation: str = "one", *, turn: str = "") -> Verified | Refused:
        answer = await self.codes.check(code, self.caller(conversation, turn=turn))
        self.later(seconds=1)
        return answer

    async def wrong(self, conversation: str = "one") -> str:
        """Tell a wrong code; return how it was refused."""
        answer = await self.check(other(self.code) if self.sender.sent else "000000", conversation)
        assert isinstance(answer, Refused)
        return answer.reason

    @property
    def letter(self) -> Letter:
        return self.sender.sent[-1]

    @property
    def code(self) -> str:
        """The digits of the last letter."""
        (found,) = set(re.findall(r"\b\d{6}\b", self.letter.text))
        return str(found)

    def allow(self, **rules: object) -> None:
        self.rules = replace(self.rules, **rules)  # type: ignore[arg-type]
        self.open()


def other(code: str) -> str:
    """Return a code that is not this one."""
    return f"{(int(code) + 1) % 1_000_000:06}"


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'codes.sqlite'}")
    async with engine.begin() as connection:
        await connection.run_sync(t.codes.metadata.create_all, tables=[t.codes, t.failures])
    try:
        yield Desk(engine)
    finally:
        await engine.dispose()
        await asyncio.sleep(0)
