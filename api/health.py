"""What `mayak doctor` looks at: every part an answer depends on, with the remedy where it is not well."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from api.faults import told
from api.settings import BadSetting, Settings

if TYPE_CHECKING:
    from tools.mcp.port import Standing

PROBE = 2**20
"""Bytes written, and taken back, to see whether the disk takes any."""
LEAST_FREE = 200 * 2**20
"""Bytes of free disk below which a write may fail in the middle of a turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One part of the house, and how it is."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the finding as JSON types."""
        return asdict(self)


Look = Callable[[Settings], Awaitable[str]]


async def examine(settings: Settings) -> tuple[Finding, ...]:
    """Look at every part; one that raises is reported, not fatal to the rest."""
    looks: tuple[tuple[str, Look], ...] = (
        ("pack", _pack),
        ("disk", _disk),
        ("database", _database),
        ("embedder", _embedder),
        *((("tryton", _tryton),) if "tryton" in (settings.orders, settings.crm) else ()),
    )
    found = [await _finding(name, look, settings) for name, look in looks]
    return (*found, *await examine_models(settings), *await examine_servers(settings))


async def _finding(name: str, look: Look, settings: Settings) -> Finding:
    try:
        return Finding(name=name, ok=True, detail=await look(settings))
    except Exception as fault:
        what, remedy = told(fault) or (str(fault) or type(fault).__name__, "")
        remedy = remedy or "Read the message; if it does not help, report it."
        return Finding(name=name, ok=False, detail=what, remedy=remedy)


async def _pack(settings: Settings) -> str:
    from agent.pack import load_pack

    pack = load_pack(settings.company)
    return (
        f"{pack.name[pack.languages[0]]}, {len(pack.departments)} departments, {len(pack.purposes)} purposes"
    )


class _Full(Exception):
    remedy = "Free some space, or set MAYAK_DATA to a folder on another disk."


async def _disk(settings: Settings) -> str:
    settings.data.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data).free
    if free < LEAST_FREE:
        raise _Full(f"Only {free // 2**20} MiB are free under {settings.data}.")
    # A quota, a limit or a worn-out disk refuses what the free space promises.
    with tempfile.TemporaryFile(dir=settings.data) as probe:
        probe.write(bytes(PROBE))
        probe.flush()
        os.fsync(probe.fileno())
    return f"{free // 2**20} MiB free"


async def _database(settings: Settings) -> str:
    from sqlalchemy import make_url, text

    from agent.records.engine import connect

    engine = connect(settings.database_url)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    finally:
        await engine.dispose()
    return make_url(settings.database_url).render_as_string(hide_password=True)


async def _embedder(settings: Settings) -> str:
    from api.container import embedders

    encoders = embedders(settings)
    for encoder in encoders:
        await asyncio.to_thread(encoder.queries, ["фонарь lamp"])
    return ", ".join(f"{encoder.name} ({encoder.dim})" for encoder in encoders)


async def _tryton(settings: Settings) -> str:
    from api.systems import tryton
    from tools.tryton.examine import examined

    system = tryton(settings)
    if system is None:
        return "nothing is kept there"
    try:
        return await examined(system, orders=settings.orders == "tryton", customers=settings.crm == "tryton")
    finally:
        await system.close()


async def examine_models(settings: Settings) -> tuple[Finding, ...]:
    """Ask every model one word, and say which of them the running server lets rest."""
    from agent.models import chain
    from api.container import model_settings

    try:
        seen = await chain(model_settings(settings)).probe()
    except Exception as fault:
        return (
            Finding(
                name="model",
                ok=False,
                detail=str(fault),
                remedy=getattr(fault, "remedy", "") or "See MAYAK_MODEL.",
            ),
        )
    resting = await _resting(settings)
    return tuple(
        Finding(
            name="model",
            ok=health.ok,
            detail=" ".join(
                part for part in (health.name, health.problem, resting.get(health.name, "")) if part
            ),
            remedy=health.remedy,
        )
        for health in seen
    )


async def examine_servers(settings: Settings) -> tuple[Finding, ...]:
    """Connect to every MCP server of the pack and compare its tools with what was assigned."""
    from agent.pack import load_pack
    from api.plugged import mcp_servers
    from tools.mcp.client import CONNECT_SECONDS

    try:
        servers = mcp_servers(settings, load_pack(settings.company))
    except Exception as fault:
        words = told(fault)
        if words is None:
            raise
        # What is wrong with the pack itself is said once, where the pack is looked at.
        own = isinstance(fault, BadSetting)
        return (Finding(name="mcp", ok=False, detail=words[0], remedy=words[1]),) if own else ()
    found: list[Finding] = []
    for server in servers:
        try:
            await server.start(seconds=CONNECT_SECONDS)
            found += _standing(server.server, server.standing())
        finally:
            await server.stop()
    return tuple(found)


def _standing(name: str, standing: "Standing") -> list[Finding]:
    if standing.connected and not standing.problems:
        left = f"; not assigned: {', '.join(standing.unassigned)}" if standing.unassigned else ""
        return [Finding(name="mcp", ok=True, detail=f"{name}: all assigned tools are offered{left}")]
    down = f"Start it, or correct [mcp.{name}] in policy.toml; meanwhile Mayak works without its tools."
    changed = f"Read what it offers now, mayak mcp list {name}; if it is right, run mayak mcp pin {name}."
    return [
        Finding(
            name="mcp",
            ok=False,
            detail=f"{name}{f', {tool}' if tool else ''}: {problem}",
            remedy=changed if tool else down,
        )
        for tool, problem in standing.problems.items()
    ]


async def _resting(settings: Settings) -> dict[str, str]:
    """Return what the running server does with its models just now; empty where no server runs."""
    import httpx
    from prometheus_client.parser import text_string_to_metric_families

    from api.lock import FolderTaken, owner_of

    try:
        address = owner_of(settings.data)
        if address is None:
            return {}
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=5) as client:
            page = (await client.get("/metrics")).raise_for_status().text
    except (FolderTaken, httpx.HTTPError):
        return {}
    told = {"open": "(the server lets it rest)", "half_open": "(the server tries it again)"}
    return {
        sample.labels["model"]: told[sample.labels["state"]]
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "mayak_model_state" and sample.value == 1 and sample.labels["state"] in told
    }
