"""A real house for suites that take protections away: sandboxes on a prepared data folder, and what was replaced put back."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.house import DoorHouse, open_house
from api.settings import Settings


def sandboxes(data: Path) -> DoorHouse:
    """Return a house of sandboxes; the house itself is opened once and closed."""
    settings = Settings(data=data, embedder="use")

    async def prepare() -> None:
        async with open_house(settings):
            pass

    asyncio.run(prepare())
    return DoorHouse(httpx.AsyncClient(), settings)


def keep(monkeypatch: pytest.MonkeyPatch, substituted: Iterable[tuple[Any, str]]) -> None:
    """Let what faults replace in these owners be put back after the test."""
    for owner, name in substituted:
        monkeypatch.setattr(owner, name, vars(owner)[name])
