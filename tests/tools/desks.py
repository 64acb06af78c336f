"""What the tests of systems behind HTTP share: Desk as a pack describes it, joined, connected and in a toolbox."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from agent.mapped import mapped_systems
from api.settings import ROOT
from tests.tools.desk_server import KEY, Desk
from tests.tools.shop import ANNA, Clock, caller
from tools.context import Caller, CustomerId
from tools.http_client import HttpSystem, Limits
from tools.intents.fake import FakeIntents
from tools.intents.port import Intents
from tools.openapi.asking import Asking
from tools.openapi.functions import openapi_tools
from tools.openapi.system import System
from tools.toolbox import Toolbox

DESK = Path(__file__).with_name("desk")
MAPPING = (DESK / "desk.toml").read_text("utf-8")
_READ: dict[tuple[str, str | None], System] = {}
PURPOSES = frozenset({"cases:read", "cases:write"})
TERMS = """
[purposes."cases:read"]
basis = "consent"
version = "2026-11-29"
text = { ru = "Чтобы ответить, мне нужно посмотреть ваши обращения. Разрешаете?", en = "To answer, I need to see your cases. May I?" }
gives = { ru = "Скажу, что с вашими обращениями.", en = "I can tell you how your cases stand." }

[purposes."cases:write"]
basis = "consent"
version = "2026-11-29"
text = { ru = "Чтобы завести обращение, мне нужно записать его на ваше имя. Разрешаете?", en = "To open a case, I need to file it under your name. May I?" }
gives = { ru = "Смогу завести обращение.", en = "I can open a case for you." }
"""


def pack(folder: Path, text: str = MAPPING, *, document: str | None = None) -> Path:
    """Write a company pack that describes Desk."""
    (folder / "systems").mkdir(parents=True, exist_ok=True)
    (folder / "company.toml").write_bytes((ROOT / "demo" / "company.toml").read_bytes())
    policy = (ROOT / "demo" / "policy.toml").read_text("utf-8")
    (folder / "policy.toml").write_text(policy + TERMS, "utf-8")
    (folder / "systems" / "desk.toml").write_text(text, "utf-8")
    kept = (DESK / "desk.openapi.yaml").read_text("utf-8") if document is None else document
    (folder / "systems" / "desk.openapi.yaml").write_text(kept, "utf-8")
    return folder


def described(folder: Path, text: str = MAPPING, *, document: str | None = None) -> System:
    """Return Desk as the pack's mapping describes it; the same words are read once."""
    if (text, document) not in _READ:
        pack(folder, text, document=document)
        terms = {"currency": "RUB", "timezone": "Europe/Moscow"}
        _READ[text, document] = mapped_systems(folder, purposes=PURPOSES, taken=(), **terms)["desk"]
    return _READ[text, document]


@asynccontextmanager
async def asking(desk: Desk, *, seconds: float = 2.0) -> AsyncIterator[Asking]:
    """Ask this server."""
    limits = Limits(call=seconds, attempt=seconds / 2, pause=0.01, rest=0.0)
    http = HttpSystem("desk", desk.address, headers={"Authorization": f"Bearer {KEY}"}, limits=limits)
    try:
        yield Asking(http, seconds=seconds)
    finally:
        await http.close()


def box(
    system: System, asked: Asking, intents: Intents | None = None, *, now: Callable[[], datetime] = Clock()
) -> Toolbox:
    """Return its tools behind the gate."""
    return Toolbox(*openapi_tools(system, asked, intents or FakeIntents(), now=now))


def known(customer: CustomerId = ANNA, **more: object) -> Caller:
    """Return a caller who has allowed what cases need."""
    return caller(customer, purposes=PURPOSES, **more)  # type: ignore[arg-type]
