"""A part of the committed forms, asked in a built house: every seventh of a kind, and all that ask two things at once."""

from pathlib import Path

import httpx
import pytest

from api.house import DoorHouse
from api.serving import started
from api.settings import Settings
from evals.disclosure import Row, findings, heard_in, read_plain
from evals.measured import Measured, bounds_of
from tests.api.killing import small_pack

pytestmark = pytest.mark.heavy


def part() -> list[Row]:
    rows = read_plain()
    picked = [
        row for kind in ("plain_ru", "plain_en", "others") for row in [r for r in rows if r.kind == kind][::7]
    ]
    return [*picked, *(row for row in rows if row.kind == "both")]


async def test_the_forms_are_answered_as_the_gate_asks(tmp_path: Path) -> None:
    settings = Settings(
        company=small_pack(tmp_path), data=tmp_path / "data", embedder="fake", quiet_ms=0, sender="outbox"
    )
    async with started(settings) as app:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mayak", timeout=60) as client:
            house = DoorHouse(client, settings)
            found = findings([await heard_in(house, row) for row in part()])
    told = Measured(suite="disclosure", findings=found, bounds=bounds_of("disclosure"), seconds=0)
    assert told.short == (), found.misses
