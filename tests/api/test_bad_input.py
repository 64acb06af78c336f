"""What people send that nobody expects, through the real composition: each is told what to do, none is lost."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import pytest_asyncio

from api.cli import main
from api.door import DoorClosed, open_visit
from api.house import DoorHouse
from api.serving import started
from api.settings import Settings
from tests.api.killing import small_pack

OUTCOMES = {"answered", "clarify", "declined", "escalated"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SimpleNamespace]:
    folder = tmp_path_factory.mktemp("house")
    settings = Settings(
        company=small_pack(folder), data=folder / "data", embedder="fake", quiet_ms=0, sender="outbox"
    )
    async with started(settings) as app:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mayak", timeout=60) as client:
            yield SimpleNamespace(door=DoorHouse(client, settings), client=client, app=app)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("😀" * 40, "😀" * 40),
        ("rfr dthyenm njdfh", "rfr dthyenm njdfh"),
        ("kak vernut tovar", "kak vernut tovar"),
        ("<script>alert(1)</script> как вернуть товар?", "<script>alert(1)</script> как вернуть товар?"),
        ("'; DROP TABLE conversations; --", "'; DROP TABLE conversations; --"),
        ("как\x00 вернуть\x1b[31m товар?", "как вернуть[31m товар?"),
        ("Как вернуть товар? " * 420, "Как вернуть товар? " * 420),
    ],
    ids=["emoji", "layout", "translit", "html", "sql", "control", "8000"],
)
async def test_an_odd_message_is_answered_and_stays_as_it_was_written(
    house: SimpleNamespace, text: str, kept: str
) -> None:
    visit = await open_visit(house.client, language="ru")
    turn = await visit.turn_after(await visit.send(text))
    assert turn["outcome"] in OUTCOMES
    assert turn["text"]
    said = [m["text"] for m in (await visit.get("/messages"))["messages"] if m["author"] == "customer"]
    assert [" ".join(line.split()) for line in said] == [" ".join(kept.split())]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_long_message_in_another_layout_finds_what_was_meant(house: SimpleNamespace) -> None:
    answer = await house.door.ask("rfr dthyenm njdfh? " * 200, language="ru")
    assert "returns" in {citation["document"] for citation in answer["citations"]}


@pytest.mark.asyncio(loop_scope="module")
async def test_a_hundred_kilobytes_are_refused_with_a_remedy_and_the_conversation_goes_on(
    house: SimpleNamespace,
) -> None:
    visit = await open_visit(house.client, language="ru")
    with pytest.raises(DoorClosed, match="65536") as refused:
        await visit.send("я" * 100_000)
    assert refused.value.remedy
    assert (await visit.turn_after(await visit.send("Как вернуть товар?")))["outcome"] in OUTCOMES


async def test_a_wrong_model_address_leaves_nobody_without_an_answer(tmp_path: Path) -> None:
    settings = Settings(
        company=small_pack(tmp_path),
        sender="outbox",
        data=tmp_path / "data",
        embedder="fake",
        quiet_ms=0,
        model="openai:any",
        model_url="http://127.0.0.1:9/v1",
        model_key="k",
    )
    async with started(settings) as app:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mayak", timeout=60) as client:
            answer = await DoorHouse(client, settings).ask("Как вернуть товар?", language="ru")
    assert answer["outcome"] in OUTCOMES
    assert answer["text"]


def mayak(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["mayak", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(str(ended.value.code))


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_question_ends_with_one_and_a_remedy(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mayak(monkeypatch, "ask", text) == 1
    assert "What to do: " in capsys.readouterr().err


@pytest.mark.parametrize("command", ["ask", "serve"])
def test_a_corrupt_pack_is_named_with_its_file_and_a_remedy(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = small_pack(tmp_path)
    with (pack / "company.toml").open("a", encoding="utf-8") as file:
        file.write("\nx = [\n")
    monkeypatch.setenv("MAYAK_COMPANY", str(pack))
    monkeypatch.setenv("MAYAK_DATA", str(tmp_path / "data"))
    words = (command, "привет") if command == "ask" else (command,)
    assert mayak(monkeypatch, *words) == 1
    told = capsys.readouterr().err
    assert "company.toml" in told
    assert "What to do: " in told
