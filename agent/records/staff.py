"""People of the company who may sign in: accounts, sessions that can be ended, and failed attempts.

```
attempt ──► 0 s: check the password ──┬─ right ─► forgive, open_session ─► session … close_session
    │                                 ├─ right, a second factor is in use ─► open_session(stage="code"), not forgiven
    │                                 └─ wrong ─► the attempt stays counted
    └─► seconds to wait, growing: nothing is checked
```
Whatever an account is changed to ends its sessions in the same transaction.
Passwords arrive here as hashes and tokens as digests; what a person typed is never stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.basis import digest
from agent.errors import AgentFault
from agent.ports import Clock
from agent.records.staff_tables import staff, staff_attempts, staff_factors, staff_sessions

Role = Literal["operator", "curator", "admin"]
"""Operators answer customers, curators keep the documents, admins do both."""
ROLES: tuple[Role, ...] = get_args(Role)

FREE_ATTEMPTS = 5
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
ATTEMPTS_KEPT = timedelta(days=1)
IDLE = timedelta(hours=12)
LIFE = timedelta(days=7)
CODE_LIFE = timedelta(minutes=10)
"""How long a right password waits for its code."""
Stage = Literal["code", "whole"]
Means = Literal["local", "oidc"]
HANDLE = 16
"""Letters of a session's digest by which its owner names it."""
SEEN_EVERY = timedelta(seconds=20)
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


class UnknownLogin(AgentFault):
    """Nobody has this login."""

    code = "unknown_login"

    def __init__(self, login: str) -> None:
        super().__init__(
            f"There is nobody with the login “{login}”.", remedy="`mayak staff list` shows who there is."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a session begins: the network address and what the browser calls itself."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that is signed in, or at stage `code` half so; `id` names it to its owner and opens nothing.

    `means`: by a password here, or by the company's provider. `factor`: whether a second factor is in use.
    """

    id: str
    person: Person
    stage: Stage
    means: Means
    place: Place
    created: datetime
    seen: datetime
    factor: bool


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

    async def set_password(self, login: str, password_hash: str) -> None:
        """Give somebody a new password and sign them out everywhere. Raises `UnknownLogin`."""
        await self._changed(login, ends=True, password=password_hash)

    async def set_roles(self, login: str, roles: frozenset[Role]) -> bool:
        """Give somebody these roles; where they had others they are signed out everywhere. Raises `UnknownLogin`."""
        known = await self.person(login)
        if known is not None and known.roles == roles:
            return False
        await self._changed(login, ends=True, roles=sorted(roles))
        return True

    async def set_disabled(self, login: str, disabled: bool) -> None:
        """Block somebody, who is signed out everywhere, or let them in again. Raises `UnknownLogin`."""
        await self._changed(login, ends=disabled, disabled=disabled)

    async def _changed(self, login: str, *, ends: bool, **values: Any) -> None:
        async with self.engine.begin() as connection:
            change = update(staff).where(staff.c.login == login).values(**values)
            if (await connection.execute(change)).rowcount != 1:
                raise UnknownLogin(login)
            if ends:
                await connection.execute(delete(staff_sessions).where(staff_sessions.c.login == login))

    async def open_session(
        self,
        login: str,
        *,
        token_hash: str,
        stage: Stage = "whole",
        means: Means = "local",
        place: Place = Place(),
    ) -> None:
        """Remember a signed-in browser, and forget those whose time is over."""
        now = self.clock.now()
        over = (staff_sessions.c.seen < now - IDLE) | (staff_sessions.c.created < now - LIFE)
        row = {"token_hash": token_hash, "login": login, "created": now, "seen": now, "stage": stage}
        where = {"means": means, "address": place.address[:64], "agent": place.agent[:200]}
        async with self.engine.begin() as connection:
            await connection.execute(delete(staff_sessions).where(over))
            await connection.execute(insert(staff_sessions).values(**row, **where))

    async def session(self, token_hash: str) -> Session | None:
        """Return the session of this token; None when it was ended, is too old, or its person left or was blocked."""
        now = self.clock.now()
        wanted = _sessions(now).where(staff_sessions.c.token_hash == token_hash)
        async with self.engine.connect() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            return None
        if now - row.seen >= SEEN_EVERY:
            seen = update(staff_sessions).where(staff_sessions.c.token_hash == token_hash).values(seen=now)
            async with self.engine.begin() as connection:
                await connection.execute(seen)
        return _session(row)

    async def sessions(self, login: str) -> tuple[Session, ...]:
        """Return where somebody is signed in, the last used first."""
        wanted = _sessions(self.clock.now()).where(
            staff_sessions.c.login == login, staff_sessions.c.stage == "whole"
        )
        async with self.engine.connect() as connection:
            rows = await connection.execute(wanted.order_by(staff_sessions.c.seen.desc()))
            return tuple(_session(row) for row in rows)

    async def close_session(self, token_hash: str) -> None:
        """Sign one browser out."""
        async with self.engine.begin() as connection:
            await connection.execute(delete(staff_sessions).where(staff_sessions.c.token_hash == token_hash))

    async def close_sessions(self, login: str, *, id: str = "", but: str = "") -> int:
        """Sign somebody out everywhere: of the session `id` alone, or everywhere but there. Return of how many."""
        handle = func.substr(staff_sessions.c.token_hash, 1, HANDLE)
        ended = delete(staff_sessions).where(staff_sessions.c.login == login)
        ended = ended.where(handle == id) if id else ended.where(handle != but) if but else ended
        async with self.engine.begin() as connection:
            return (await connection.execute(ended)).rowcount


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


def _sessions(now: datetime) -> Select[Any]:
    """Select sessions that are alive, with whose they are."""
    joined = staff_sessions.join(staff, staff_sessions.c.login == staff.c.login).outerjoin(
        staff_factors, staff_factors.c.login == staff.c.login
    )
    began = staff_sessions.c.created
    kept = [one for one in staff_sessions.c if one.name not in ("login", "created")]
    shown: tuple[Any, ...] = (staff, *kept, began.label("began"), staff_factors.c.confirmed)
    return (
        select(*shown)
        .select_from(joined)
        .where(
            staff_sessions.c.seen >= now - IDLE,
            began >= now - LIFE,
            (staff_sessions.c.stage == "whole") | (began >= now - CODE_LIFE),
            staff.c.disabled.is_(False),
        )
    )


def _session(row: Any) -> Session:
    return Session(
        id=row.token_hash[:HANDLE],
        person=_person(row),
        stage=row.stage,
        means=row.means,
        place=Place(address=row.address, agent=row.agent),
        created=row.began,
        seen=row.seen,
        factor=row.confirmed is not None,
    )


def _person(row: Any) -> Person:
    return Person(
        login=row.login,
        name=row.name,
        roles=frozenset(role for role in ROLES if role in row.roles),
        department=row.department,
        disabled=row.disabled,
    )
