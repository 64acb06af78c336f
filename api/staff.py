"""Signing people of the company in: passwords, growing waits, and the demo's own accounts."""

import asyncio
import json
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from agent.errors import AgentFault
from agent.records.factors import Factors
from agent.records.staff import LoginTaken, Person, Place, Role, Staff, Stage
from api.security import hashed, new_token

if TYPE_CHECKING:
    from api.container import Building

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
DEMO_FILE = "staff.demo.json"
DEMO: tuple[tuple[str, Role], ...] = (("operator", "operator"), ("curator", "curator"))
# The second of OWASP's recommended settings: 19 MiB a check, so that a burst of attempts cannot eat the memory.
_TIME, _KIBIBYTES, _LANES = 2, 19 * 1024, 1
AT_ONCE = 2
"""Passwords checked at the same moment; further attempts wait their turn."""


class BadAccount(AgentFault):
    """An account that cannot be made."""

    code = "bad_account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """Too many attempts: nothing is checked for so long."""

    wait: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The password was right; `token` is shown to the browser once. At stage `code` the second factor is awaited."""

    person: Person
    token: str
    stage: Stage = "whole"


class Entrance:
    """Checks passwords. An unknown login takes the same time, and meets the same waits, as a known one."""

    def __init__(self) -> None:
        self._hasher = _hasher()
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def sign_in(
        self, staff: Staff, *, login: str, password: str, place: Place = Place()
    ) -> SignedIn | Locked | None:
        """Open a session; None when login and password do not fit together.

        Where a second factor is in use the session is at stage `code`, and the attempt stays counted.
        """
        login = login.strip().lower()[:64]
        checked = await self.check(staff, login=login, password=password)
        if isinstance(checked, Locked) or checked is None:
            return checked
        factor = await Factors(staff.engine, clock=staff.clock).of(login)
        stage: Stage = "code" if factor is not None and factor.confirmed else "whole"
        if stage == "whole":
            await staff.forgive(login)
        token = new_token()
        await staff.open_session(login, token_hash=hashed(token), stage=stage, place=place)
        return SignedIn(person=checked, token=token, stage=stage)

    async def check(self, staff: Staff, *, login: str, password: str) -> Person | Locked | None:
        """Return whose password this is, None when it does not fit; the attempt is counted and not forgiven."""
        password = password[:LONGEST_PASSWORD]
        wait = await staff.attempt(login)
        if wait > timedelta(0):
            return Locked(wait=wait)
        stored = await staff.password_hash(login)
        async with self._turn:
            right = await asyncio.to_thread(self._fits, stored or self._nobodys, password)
        person = await staff.person(login)
        if not right or not stored or person is None:
            return None
        if self._hasher.check_needs_rehash(stored):
            await staff.set_password_hash(login, await asyncio.to_thread(self._hasher.hash, password))
        return person

    def _fits(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe(16))


def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=_TIME, memory_cost=_KIBIBYTES, parallelism=_LANES)


async def add_person(staff: Staff, person: Person, *, password: str) -> None:
    """Add somebody with this password. Raises `BadAccount`, `LoginTaken`."""
    if not LOGIN.fullmatch(person.login):
        raise BadAccount(
            f"“{person.login}” cannot be a login.",
            remedy="Use 2 to 64 small Latin letters, digits, dots, hyphens.",
        )
    if not person.name.strip() or not person.roles:
        raise BadAccount("An account has a name and a role.", remedy="Give --name and --role.")
    await staff.add(person, password_hash=await password_hash(password))


async def password_hash(password: str) -> str:
    """Return what is stored of a new password. Raises `BadAccount` for one too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise BadAccount(
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.",
            remedy="Use a longer one, such as four random words.",
        )
    return await asyncio.to_thread(_hasher().hash, password)


async def ensure_demo_staff(building: "Building") -> list[tuple[str, str]]:
    """Make the demo's accounts where they are missing; return (login, password) of those that can be used.

    The passwords are random and stay in the data folder, readable by its owner alone. Call it only where the demo
    pack is served.
    """
    from api.console.page import phrases

    names = phrases(building.pack.timezone)
    staff = Staff(building.engine, clock=building.clock)
    path = building.settings.data / DEMO_FILE
    known: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for login, role in DEMO:
        if await staff.person(login) is not None:
            continue
        known[login] = secrets.token_urlsafe(12)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(known, indent=1), "utf-8")
        name = names.say(f"demo.{login}", building.pack.languages[0])
        person = Person(login=login, name=name, roles=frozenset({role}))
        try:
            await add_person(staff, person, password=known[login])
        except LoginTaken:
            # Another process of this installation made it at the same moment.
            known.pop(login)
    return [(login, known[login]) for login, _ in DEMO if login in known]
