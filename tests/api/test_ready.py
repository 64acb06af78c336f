"""Readiness means that a message can be stored: the database and its disk are written to, not only asked."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from agent.records import engine
from agent.records.pulse_table import pulse
from api import writable
from api.health import examine
from api.writable import Writable
from tests.api.desk import Door, open_door, settings_in
from tests.api.test_trouble import Disk, held


class Ticks:
    """A steady clock that moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def beats(door: Door) -> int:
    async with door.house.building.engine.connect() as connection:
        return int((await connection.execute(select(pulse.c.beats))).scalar_one())


async def test_the_write_is_tried_once_for_all_who_ask_within_five_seconds(tmp_path: Path) -> None:
    async with open_door(settings_in(tmp_path)) as door:
        ticks = Ticks()
        probe = Writable(door.house.building.engine, folder=tmp_path, clock=ticks)
        assert await asyncio.gather(*(probe.outage() for _ in range(20))) == [None] * 20
        assert await beats(door) == 1
        ticks.now += 4.9
        assert await probe.outage() is None
        assert await beats(door) == 1
        ticks.now += 0.2
        assert await probe.outage() is None
        assert await beats(door) == 2


async def test_a_full_database_is_not_ready_and_the_remedy_is_told_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writable, "KEPT_SECONDS", 0.0)
    async with open_door(settings_in(tmp_path)) as door:
        assert (await door.client.get("/readyz")).status_code == 200
        visit = await door.visit()
        disk = Disk(door.house.building.engine, tmp_path / "mayak.sqlite")
        disk.fill()
        for n in range(30):
            body = {"key": f"k{n}", "text": f"{n} " + "long " * 1500}
            if (await visit.post("/messages", body)).status_code == 503:
                break
        refused = await door.client.get("/readyz")
        assert (refused.status_code, refused.json()["type"]) == (
            503,
            "urn:mayak:problem:storage_unavailable",
        )
        assert "disk is full" in refused.json()["detail"]
        assert "Free some space" in refused.json()["remedy"]
        assert (await door.client.get("/healthz")).status_code == 200
        disk.free()
        assert (await door.client.get("/readyz")).status_code == 200


async def test_a_database_that_another_program_holds_is_not_ready_and_one_try_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_MS", 60_000)
    monkeypatch.setattr(writable, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(writable, "PATIENCE_SECONDS", 0.3)
    async with open_door(settings_in(tmp_path)) as door:
        assert (await door.client.get("/readyz")).status_code == 200
        before = await beats(door)
        with held(tmp_path / "mayak.sqlite"):
            refused = [await door.client.get("/readyz") for _ in range(3)]
        assert [answer.status_code for answer in refused] == [503] * 3
        assert "has not ended" in refused[0].json()["detail"]
        monkeypatch.setattr(writable, "PATIENCE_SECONDS", 10.0)
        assert (await door.client.get("/readyz")).status_code == 200
        assert await beats(door) <= before + 2


async def test_a_disk_that_takes_no_file_is_not_ready(tmp_path: Path) -> None:
    async with open_door(settings_in(tmp_path)) as door:
        outage = await Writable(door.house.building.engine, folder=tmp_path / "gone").outage()
        assert outage is not None
        assert outage.remedy


async def test_a_database_without_this_releases_tables_is_not_ready(tmp_path: Path) -> None:
    probe = Writable(engine.connect(f"sqlite:///{tmp_path / 'empty.sqlite'}"), folder=tmp_path)
    outage = await probe.outage()
    assert outage is not None
    assert "OperationalError" in outage.what


async def test_doctor_syncs_a_file_as_readiness_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def full(folder: Path, *, size: int) -> None:
        sizes.append(size)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writable, "sync", full)
    findings: Any = {one.name: one for one in await examine(settings_in(tmp_path, embedder="fake"))}
    assert sizes == [2**20]
    assert not findings["disk"].ok
    assert "does not take what is written" in json.dumps(findings["disk"].as_dict())
