"""The second factor of staff: a sealed secret, the last step of time it was used in, and recovery codes.

```
begin ─► not confirmed ── confirm(step) ─► confirmed ── use_step | use_code ─► …
  └─ anew as often as one likes                └─ remove ─► none
```
What arrives here is sealed or hashed already; what it takes to open a secret is not in the database.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.ports import Clock
from agent.records.staff_tables import staff_factors, staff_recovery


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """Somebody's second factor; `codes` is how many recovery codes are left."""

    sealed: str
    confirmed: bool
    codes: int


class Factors:
    """Every method is one transaction; of two that would use the same thing, one is told that it did."""

    def __init__(self, engine: AsyncEngine, *, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock

    async def of(self, login: str) -> Factor | None:
        """Return somebody's factor, None when they have none and began none."""
        left = select(func.count()).select_from(staff_recovery).where(staff_recovery.c.login == login)
        wanted = select(staff_factors, left.scalar_subquery().label("codes"))
        async with self.engine.connect() as connection:
            row = (await connection.execute(wanted.where(staff_factors.c.login == login))).one_or_none()
        if row is None:
            return None
        return Factor(sealed=row.sealed, confirmed=row.confirmed is not None, codes=row.codes)

    async def begin(self, login: str, *, sealed: str) -> bool:
        """Keep a secret that is not confirmed yet, in place of an earlier such one; False where one is in use."""
        own = staff_factors.c.login == login
        row = {"login": login, "sealed": sealed, "step": 0, "created": self.clock.now()}
        async with self.engine.begin() as connection:
            await connection.execute(delete(staff_factors).where(own, staff_factors.c.confirmed.is_(None)))
            if (await connection.execute(select(staff_factors.c.login).where(own))).first() is not None:
                return False
            await connection.execute(insert(staff_factors).values(**row))
        return True

    async def confirm(self, login: str, *, step: int, codes: Collection[str]) -> bool:
        """Put the secret into use; the step counts as used, `codes` are the digests of the recovery codes."""
        begun = (staff_factors.c.login == login) & staff_factors.c.confirmed.is_(None)
        change = update(staff_factors).where(begun).values(confirmed=self.clock.now(), step=step)
        async with self.engine.begin() as connection:
            if (await connection.execute(change)).rowcount != 1:
                return False
            await _recovery(connection, login, codes)
        return True

    async def use_step(self, login: str, step: int) -> bool:
        """Use up a step and all before it; False where it was used already."""
        later = (staff_factors.c.login == login) & (staff_factors.c.step < step)
        change = update(staff_factors).where(later, staff_factors.c.confirmed.is_not(None)).values(step=step)
        async with self.engine.begin() as connection:
            return (await connection.execute(change)).rowcount == 1

    async def use_code(self, login: str, code_hash: str) -> bool:
        """Use up a recovery code; False where there is no such one."""
        own = (staff_recovery.c.login == login) & (staff_recovery.c.code_hash == code_hash)
        async with self.engine.begin() as connection:
            return (await connection.execute(delete(staff_recovery).where(own))).rowcount == 1

    async def renew(self, login: str, *, codes: Collection[str]) -> None:
        """Put new recovery codes in the place of all earlier ones."""
        async with self.engine.begin() as connection:
            await _recovery(connection, login, codes)

    async def remove(self, login: str) -> bool:
        """Forget the factor and its codes; False where there was none."""
        async with self.engine.begin() as connection:
            await connection.execute(delete(staff_recovery).where(staff_recovery.c.login == login))
            gone = await connection.execute(delete(staff_factors).where(staff_factors.c.login == login))
        return gone.rowcount == 1


async def _recovery(connection: AsyncConnection, login: str, codes: Collection[str]) -> None:
    await connection.execute(delete(staff_recovery).where(staff_recovery.c.login == login))
    rows = [{"login": login, "code_hash": one} for one in codes]
    await connection.execute(insert(staff_recovery), rows)
