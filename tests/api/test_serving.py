"""Starting a server: what goes wrong is said at once, with what to do."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.serving import doors, is_demo, prepared, run
from api.settings import ROOT, BadSetting, Settings, read_settings


def test_a_taken_port_is_named_before_any_document_is_read(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = Settings(data=tmp_path, embedder="fake", port=other.getsockname()[1])
        with pytest.raises(BadSetting, match=f"Port {taken.port}") as refused:
            run(taken)
    assert "MAYAK_PORT" in refused.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == ["mayak.lock"]


async def test_an_unreachable_database_is_named_with_a_remedy(tmp_path: Path) -> None:
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    with pytest.raises(BadSetting, match="database cannot be opened") as refused:
        async with prepared(Settings(data=tmp_path, embedder="fake", database=nowhere)):
            pass
    assert "MAYAK_DATABASE" in refused.value.remedy


def test_a_server_that_cannot_start_tells_why_without_a_trace(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAYAK_")} | {
        "MAYAK_DATA": str(tmp_path),
        "MAYAK_PORT": str(port),
        "MAYAK_DATABASE": "postgresql+psycopg://nobody@127.0.0.1:9/none",
    }
    command = [sys.executable, "-m", "api.cli", "serve"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "The database cannot be opened" in done.stderr
    assert "What to do:" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demos_doors_are_closed_for_any_other_company(tmp_path: Path) -> None:
    assert is_demo(Settings(company=ROOT / "demo"))
    assert not is_demo(Settings(company=tmp_path))
    assert not is_demo(Settings(demo=False))
    assert not is_demo(Settings(identity_public_key="-----BEGIN PUBLIC KEY-----"))


@pytest.mark.parametrize(("company", "page"), [(ROOT / "demo", "demo/"), (None, "console")])
def test_the_bare_address_leads_to_the_shop_of_the_demo_or_to_the_console(
    tmp_path: Path, company: Path | None, page: str
) -> None:
    app = FastAPI()
    for door in doors(Settings(company=company or tmp_path)):
        door(app)
    answer = TestClient(app, follow_redirects=False).get("/")
    assert (answer.status_code, answer.headers["Location"]) == (307, page)


def test_an_unknown_setting_is_refused_and_lists_the_known_ones() -> None:
    with pytest.raises(BadSetting, match="MAYAK_MODLE") as refused:
        read_settings({"MAYAK_MODLE": "x"})
    assert "MAYAK_MODEL" in refused.value.remedy


def test_a_secret_is_never_repeated_in_a_complaint_or_a_representation() -> None:
    settings = read_settings({"MAYAK_MODEL_KEY": "sk-canary-123", "MAYAK_TELEGRAM_TOKEN": "42:canary"})
    assert "canary" not in repr(settings)
    with pytest.raises(BadSetting) as refused:
        read_settings({"MAYAK_PORT": "eighty"})
    assert "int" in refused.value.remedy
