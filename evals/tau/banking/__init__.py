"""A bank as a benchmark knows it: a ledger of its own, a table of actions, and a facade of the official calls.

port.py  holdings, plans, actions · actions/  what the bank does, pure, in a table by name
tables.py store.py  the ledger in SQL · functions.py texts/  Mayak's tools, made from the table
interface.py official/ readings.py discovery.py official.py facade.py  the official calls, here and nowhere else
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evals.tau.banking import official, tables
from evals.tau.banking.actions import PURPOSES
from evals.tau.banking.facade import BankWorld
from evals.tau.banking.functions import bank_tools
from evals.tau.banking.port import VISITOR
from evals.tau.banking.store import SqlBank
from evals.tau.desk import Desk
from evals.tau.domain import Json
from evals.tau.filled import Filled
from tools.toolbox import Toolbox

_FILLED = Filled(tables.metadata, official.fill)


@dataclass(frozen=True, slots=True, kw_only=True)
class BankDomain:
    """The business of accounts and cards; its log of a verification is where a customer becomes known."""

    name: str = "banking_knowledge"
    verifies: frozenset[str] = frozenset({"log_verification"})

    async def open(self, database: Mapping[str, Json], *, folder: Path) -> BankWorld:
        """Return a new world in `folder`; `BadRecords` for a database that is not the bank's."""
        owners = official.owners(database)
        engine = await _FILLED.engine(folder / "bank.db", database)
        bank = SqlBank(engine, now=official.TODAY)
        desk = Desk(Toolbox(bank_tools(bank)), purposes=PURPOSES, now=lambda: official.TODAY, visitor=VISITOR)
        today = official.TODAY.strftime("%m/%d/%Y")
        return BankWorld(bank=bank, desk=desk, engine=engine, owners=owners, today=today)


BANKING = BankDomain()
