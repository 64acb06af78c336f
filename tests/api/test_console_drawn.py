"""Rows of the list are drawn once for everybody they look the same to, and anew for whoever they do not."""

from pathlib import Path
from typing import Any

import pytest

from api.console import drawn
from tests.api.console_house import console, escalated, form_token, send, signed_in


async def test_a_row_is_drawn_once_for_all_who_see_it_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawings: list[str] = []
    draw = drawn._drawn

    def counted(visit: Any, row: Any, **more: Any) -> Any:
        drawings.append(row.line.words)
        return draw(visit, row, **more)

    monkeypatch.setattr(drawn, "_drawn", counted)
    time = [0.0]
    monkeypatch.setattr(drawn.Drawings.__init__, "__kwdefaults__", {"now": lambda: time[0]})
    async with (
        console(tmp_path) as house,
        signed_in(house, "olga") as olga,
        signed_in(house, "pavel") as pavel,
    ):
        first = await escalated(house.building, says="one")
        await escalated(house.building, says="two")
        pages = [(await browser.get("/console/dialogues/list")).text for browser in (olga, pavel, olga)]
        assert all("one" in page and "two" in page for page in pages)
        assert sorted(drawings) == ["one", "two"]
        await send(olga, f"/console/dialogues/{first}/claim")
        drawings.clear()
        assert "With you" in (await olga.get("/console/dialogues/list")).text
        assert "With Ольга" in (await pavel.get("/console/dialogues/list")).text
        assert drawings == ["one", "one"]
        drawings.clear()
        russian = await pavel.get("/console/dialogues/list", headers={"Accept-Language": "ru"})
        assert "Ведёт Ольга" in russian.text
        assert len(drawings) == 2
        drawings.clear()
        await olga.get("/console/dialogues/list")
        assert drawings == []
        # Nothing of a customer stays behind for longer than half a minute.
        time[0] = 30.0
        await olga.get("/console/dialogues/list")
        assert sorted(drawings) == ["one", "two"]
        assert await form_token(olga)
