"""`SqlRecords`: the agent's memory in SQL, assembled from its parts; SQLite and PostgreSQL alike."""

from sqlalchemy.ext.asyncio import AsyncEngine

from agent.records import standing as standing
from agent.records.consents import Consents
from agent.records.forgetting import Forgetting
from agent.records.intake import Intake
from agent.records.notes import Notebook
from agent.records.passing import PassingOn
from agent.records.promises import Promising
from agent.records.queueing import Queueing
from agent.records.reading import Reading
from agent.records.restricting import Restricting
from agent.records.settling import Settling
from agent.records.staff_notes import StaffNotes
from agent.records.staffing import Staffing
from agent.records.tables import metadata
from agent.records.using import Using


class SqlRecords(
    Intake,
    Settling,
    Consents,
    Staffing,
    StaffNotes,
    PassingOn,
    Queueing,
    Promising,
    Restricting,
    Forgetting,
    Reading,
    Using,
    Notebook,
):
    """Implements `agent.ports.Records`, and what doors, channels and the console need beside it."""


async def create_tables(engine: AsyncEngine) -> None:
    """Create the tables of this room where a test has no migrations."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
