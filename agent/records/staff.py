"""People of the company who may sign in: accounts, sessions that can be ended, and failed attempts.

```
attempt ──► 0 s: check the password ──┬─ right ─► forgive, open_session ─► session … close_session
    │                                 └─ wrong ─► the attempt stays counted
    └─► seconds to wait, growing: nothing is checked
```
Passwords arrive here as hashes and tokens as digests; what a person typed is never stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, get_args

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.errors import AgentFault
from agent.ports import Clock
from agent.records.rules import digest
from agent.records.tables import staff, staff_attempts, staff_sessions

Role = Literal["operator", "curator", "admin"]
"""Operators answer customers, curators keep the documents, admins do both."""
ROLES: tuple[Role, ...] = get_args(Role)

FREE_ATTEMPTS = 5
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
ATTEMPTS_KEPT = timedelta(days=1)
IDLE = timedelta(hours=12)
LIFE = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=1)
"""How exactly the last sign of life of a session is kept: a write at every request would be waste."""


class LoginTaken(AgentFault):
    """Somebody has this login already."""

    code = "login_taken"

    def __init__(self, login: str) -> None:
        super().__init__(
            f"There is somebody with the login “{login}” already.",
            remedy="Choose another one; `mayak staff list` shows those in use.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of the company; customers see `name`. `department` is empty for those who answer everything."""

    login: str
    name: str
    roles: frozenset[Role]
    department: str = ""
    disabled: bool = False

    def may(self, role: Role) -> bool:
        """Whether this person may do what `role` does; an admin may do everything."""
        return role in self.roles or "admin" in self.roles


class Staff:
    """Accounts and sessions; every method is one transaction."""

    def __init__(self, engine: AsyncEngine, *, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock

    async def add(self, person: Person, *, password_hash: str) -> None:
        """Add somebody. Raises `LoginTaken`."""
        values = {
            "login": person.login,
            "name": person.name,
            "password": password_hash,
            "roles": sorted(person.roles),
            "department": person.department,
            "disabled": person.disabled,
            "created": self.clock.now(),
        }
        try:
            async with self.engine.begin() as connection:
                await connection.execute(insert(staff).values(**values))
        except IntegrityError as known:
            raise LoginTaken(person.login) from known

    async def people(self) -> tuple[Person, ...]:
        """Return everybody, by login."""
        async with self.engine.connect() as connection:
            rows = await connection.execute(select(staff).order_by(staff.c.login))
            return tuple(_person(row) for row in rows)

    async def person(self, login: str) -> Person | None:
        """Return who has this login, None when nobody does."""
        async with self.engine.connect() as connection:
            row = (await connection.execute(select(staff).where(staff.c.login == login))).one_or_none()
        return None if row is None else _person(row)

    async def names(self, logins: Iterable[str]) -> dict[str, str]:
        """Return the names of those logins that are known."""
        wanted = select(staff.c.login, staff.c.name).where(staff.c.login.in_(sorted(set(logins))))
        async with self.engine.connect() as connection:
            return {row.login: row.name for row in await connection.execute(wanted)}

    async def password_hash(self, login: str) -> str:
        """Return the hash of the person's password, empty for an unknown or disabled login."""
        wanted = select(staff.c.password).where(staff.c.login == login, staff.c.disabled.is_(False))
        async with self.engine.connect() as connection:
            return (await connection.execute(wanted)).scalar_one_or_none() or ""

    async def set_password_hash(self, login: str, password_hash: str) -> None:
        """Replace the hash."""
        change = update(staff).where(staff.c.login == login).values(password=password_hash)
        async with self.engine.begin() as connection:
            await connection.execute(change)

    async def attempt(self, login: str) -> timedelta:
        """Count one attempt to sign in and return zero, or return how long to wait and count nothing.

        It is counted before the password is checked, so that many attempts at once are not free.
        """
        name, now = digest(login), self.clock.now()
        async with self.engine.begin() as connection:
            await connection.execute(
                delete(staff_attempts).where(staff_attempts.c.last < now - ATTEMPTS_KEPT)
            )
            await _noted(connection, name, now)
            wanted = select(staff_attempts).where(staff_attempts.c.login_hash == name).with_for_update()
            row = (await connection.execute(wanted)).one()
            left: timedelta = wait_after(row.failures) - (now - row.last)
            if left > timedelta(0):
                return left
            await connection.execute(
                update(staff_attempts)
                .where(staff_attempts.c.login_hash == name)
                .values(failures=row.failures + 1, last=now)
            )
        return timedelta(0)

    async def forgive(self, login: str) -> None:
        """Forget the attempts of somebody who signed in."""
        async with self.engine.begin() as connection:
            await connection.execute(
                delete(staff_attempts).where(staff_attempts.c.login_hash == digest(login))
            )

    async def open_session(self, login: str, *, token_hash: str) -> None:
        """Remember a signed-in browser, and forget those whose time is over."""
        now = self.clock.now()
        over = (staff_sessions.c.seen < now - IDLE) | (staff_sessions.c.created < now - LIFE)
        async with self.engine.begin() as connection:
            await connection.execute(delete(staff_sessions).where(over))
            await connection.execute(
                insert(staff_sessions).values(token_hash=token_hash, login=login, created=now, seen=now)
            )

    async def session(self, token_hash: str) -> Person | None:
        """Return who is signed in with this token; None when it was ended, is too old, or they left."""
        now = self.clock.now()
        wanted = (
            select(staff, staff_sessions.c.seen)
            .join(staff_sessions, staff_sessions.c.login == staff.c.login)
            .where(
                staff_sessions.c.token_hash == token_hash,
                staff_sessions.c.seen >= now - IDLE,
                staff_sessions.c.created >= now - LIFE,
                staff.c.disabled.is_(False),
            )
        )
        async with self.engine.connect() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            return None
        if now - row.seen >= SEEN_EVERY:
            seen = update(staff_sessions).where(staff_sessions.c.token_hash == token_hash).values(seen=now)
            async with self.engine.begin() as connection:
                await connection.execute(seen)
        return _person(row)

    async def close_session(self, token_hash: str) -> None:
        """Sign one browser out."""
        async with self.engine.begin() as connection:
            await connection.execute(delete(staff_sessions).where(staff_sessions.c.token_hash == token_hash))

    async def close_sessions(self, login: str) -> None:
        """Sign somebody out everywhere."""
        async with self.engine.begin() as connection:
            await connection.execute(delete(staff_sessions).where(staff_sessions.c.login == login))


def wait_after(failures: int) -> timedelta:
    """Return how long after its last attempt a login that failed so often has to wait."""
    if failures < FREE_ATTEMPTS:
        return timedelta(0)
    doublings = min(failures - FREE_ATTEMPTS, 16)
    return min(LONGEST_WAIT, FIRST_WAIT * int(2**doublings))


async def _noted(connection: AsyncConnection, name: str, now: Any) -> None:
    """Make sure there is a row to lock."""
    known = select(staff_attempts.c.login_hash).where(staff_attempts.c.login_hash == name)
    if (await connection.execute(known)).first() is not None:
        return
    try:
        async with connection.begin_nested():
            row = {"login_hash": name, "failures": 0, "last": now}
            await connection.execute(insert(staff_attempts).values(**row))
    except IntegrityError:
        # Another attempt at the same moment wrote it.
        return


def _person(row: Any) -> Person:
    return Person(
        login=row.login,
        name=row.name,
        roles=frozenset(role for role in ROLES if role in row.roles),
        department=row.department,
        disabled=row.disabled,
    )
