"""Sign-ins at the company's provider: those under way, and who of the provider is which account here.

```
begin ─► under way, ten minutes ─► take: once, whoever comes first
(issuer, subject) ─► login      one subject an account, one account a subject
```
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from agent.ports import Clock
from agent.records.staff import LoginTaken, Person
from agent.records.staff_tables import staff, staff_identities, staff_sign_ons

WAY = timedelta(minutes=10)
"""How long somebody may take at the provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A sign-in that is under way; `next` is where it leads."""

    state_hash: str
    nonce: str
    verifier: str
    next: str


class SignOns:
    """Every method is one transaction."""

    def __init__(self, engine: AsyncEngine, *, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock

    async def begin(self, browser_hash: str, way: Way) -> None:
        """Keep what is needed when the browser comes back, and forget those who did not."""
        now = self.clock.now()
        row = {
            "browser_hash": browser_hash,
            "state_hash": way.state_hash,
            "nonce": way.nonce,
            "verifier": way.verifier,
            "next": way.next,
            "created": now,
        }
        async with self.engine.begin() as connection:
            await connection.execute(delete(staff_sign_ons).where(staff_sign_ons.c.created < now - WAY))
            await connection.execute(insert(staff_sign_ons).values(**row))

    async def take(self, browser_hash: str) -> Way | None:
        """Return what was kept for this browser, once; None when there is nothing, or it is too old."""
        own = staff_sign_ons.c.browser_hash == browser_hash
        async with self.engine.begin() as connection:
            row = (await connection.execute(select(staff_sign_ons).where(own))).one_or_none()
            if (await connection.execute(delete(staff_sign_ons).where(own))).rowcount != 1 or row is None:
                return None
        if row.created < self.clock.now() - WAY:
            return None
        return Way(state_hash=row.state_hash, nonce=row.nonce, verifier=row.verifier, next=row.next)

    async def login_of(self, issuer: str, subject: str) -> tuple[str, bool] | None:
        """Return whose this subject is, and whether the provider's claim gives the roles; None for nobody's."""
        wanted = select(staff_identities.c.login, staff_identities.c.managed).where(
            staff_identities.c.issuer == issuer, staff_identities.c.subject == subject
        )
        async with self.engine.connect() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        return None if row is None else (row.login, row.managed)

    async def is_linked(self, login: str) -> bool:
        """Whether somebody is linked to this account."""
        wanted = select(staff_identities.c.subject).where(staff_identities.c.login == login)
        async with self.engine.connect() as connection:
            return (await connection.execute(wanted)).first() is not None

    async def link(self, login: str, *, issuer: str, subject: str) -> None:
        """Remember whose account this is. Raises `LoginTaken` where somebody else was faster."""
        row = {"issuer": issuer, "subject": subject, "login": login, "managed": False}
        try:
            async with self.engine.begin() as connection:
                await connection.execute(insert(staff_identities).values(**row, created=self.clock.now()))
        except IntegrityError as known:
            raise LoginTaken(login) from known

    async def create(self, person: Person, *, issuer: str, subject: str) -> None:
        """Make an account without a password, whose roles the claim gives. Raises `LoginTaken`."""
        now = self.clock.now()
        account = {
            "login": person.login,
            "name": person.name,
            "password": "",
            "roles": sorted(person.roles),
            "department": person.department,
            "disabled": False,
            "created": now,
        }
        row = {"issuer": issuer, "subject": subject, "login": person.login, "managed": True, "created": now}
        try:
            async with self.engine.begin() as connection:
                await connection.execute(insert(staff).values(**account))
                await connection.execute(insert(staff_identities).values(**row))
        except IntegrityError as known:
            raise LoginTaken(person.login) from known
