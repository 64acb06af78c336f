"""What `mayak doctor` looks at: every part an answer depends on, with the remedy where it is not well."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

from api.faults import told
from api.settings import BadSetting, Settings

if TYPE_CHECKING:
    from api.attached import Attached
    from tools.mcp.port import Standing

PROBE = 2**20
"""Bytes written, and taken back, to see whether the disk takes any."""
LATE_SECONDS = 600.0
"""An event that waits for its receiver longer than this is a finding."""
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
        ("consents", _consents),
        ("embedder", _embedder),
    )
    from api.health_sign_on import examine_beside

    found = [await finding(name, look, settings) for name, look in looks]
    return (
        *found,
        await examine_audit(settings),
        *await examine_keepers(settings),
        *await examine_systems(settings),
        *await examine_models(settings),
        *await examine_servers(settings),
        *await examine_webhooks(settings),
        *await examine_beside(settings),
    )


async def finding(name: str, look: Look, settings: Settings) -> Finding:
    """Look at one part; what it raises is what is found."""
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
    from api.writable import sync

    settings.data.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data).free
    if free < LEAST_FREE:
        raise _Full(f"Only {free // 2**20} MiB are free under {settings.data}.")
    sync(settings.data, size=PROBE)
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


class _Reworded(Exception):
    remedy = (
        "Those who agreed to the other words are asked again, and what they agreed to is kept. Give the text a new "
        "`version` in policy.toml, so that a version names one text."
    )


async def _consents(settings: Settings) -> str:
    """Compare the pack's texts with those that customers agreed to under the same versions."""
    from sqlalchemy.exc import DBAPIError

    from agent.errors import BadPack
    from agent.pack import load_pack
    from agent.policy.consent import reworded
    from agent.records.engine import connect
    from agent.records.sql import SqlRecords
    from api.container import SystemClock

    try:
        purposes = load_pack(settings.company).purposes
    except BadPack:
        # What is wrong with the pack itself is said once, where the pack is looked at.
        return "not compared"
    engine = connect(settings.database_url)
    records = SqlRecords(engine, clock=SystemClock(), card=lambda *_: {}, purposes=purposes)
    try:
        rows = await records.wordings({purpose.version for purpose in purposes.values()})
    except DBAPIError:
        return "no ledger here yet; the server makes it"
    finally:
        await engine.dispose()
    changed = reworded(purposes, rows)
    if changed:
        raise _Reworded(f"The text of {', '.join(changed)} changed and its version did not.")
    return "every version names one text"


class _Broken(Exception):
    remedy = (
        "Somebody wrote into the database past Mayak. Keep it as it is and compare it with a backup; "
        "mayak audit verify names every line."
    )


async def examine_audit(settings: Settings) -> Finding:
    """Walk along the audit's chain, in batches, with nothing else of the house open."""
    return await finding("audit", _audit, settings)


async def _audit(settings: Settings) -> str:
    from sqlalchemy import inspect

    from agent.records.audit import SqlAudit
    from agent.records.engine import connect
    from api.container import SystemClock

    engine = connect(settings.database_url)
    try:
        async with engine.connect() as connection:
            begun = await connection.run_sync(lambda known: inspect(known).has_table("audit_head"))
        if not begun:
            return "not begun: the first start makes its tables"
        verdict = await SqlAudit(engine, clock=SystemClock()).verified()
    finally:
        await engine.dispose()
    if not verdict.holds:
        raise _Broken(f"the chain does not hold: {'; '.join(fault.told for fault in verdict.faults)}")
    return f"{verdict.lines} lines hold, {verdict.erased} of them erased"


async def _embedder(settings: Settings) -> str:
    from api.container import embedders

    encoders = embedders(settings)
    for encoder in encoders:
        await asyncio.to_thread(encoder.queries, ["фонарь lamp"])
    return ", ".join(f"{encoder.name} ({encoder.dim})" for encoder in encoders)


async def examine_keepers(settings: Settings) -> tuple[Finding, ...]:
    """Ask every system that keeps orders or customers whether it answers and lets its tools work."""
    from api.systems.choose import named

    looks = [(name, partial(_system, name=name)) for name in named(settings)]
    return tuple([await finding(name, look, settings) for name, look in looks])


async def _system(settings: Settings, *, name: str) -> str:
    from api.systems.choose import opened

    system = opened(name, settings)
    try:
        return await system.examined(orders=settings.orders == name, customers=settings.crm == name)
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


async def examine_systems(settings: Settings) -> tuple[Finding, ...]:
    """Ask every system that the pack describes for nobody."""
    from contextlib import AsyncExitStack

    from agent.errors import BadPack
    from agent.pack import load_pack
    from api.attached import attached

    async with AsyncExitStack() as stack:
        try:
            described = attached(settings, load_pack(settings.company), stack)
        except BadPack:
            # What is wrong with the pack itself is said once, where the pack is looked at.
            return ()
        except BadSetting as wrong:
            return (Finding(name="system", ok=False, detail=str(wrong), remedy=wrong.remedy),)
        return tuple([await finding("system", _answers(each), settings) for each in described.values()])


def _answers(one: "Attached") -> Look:
    from tools.openapi.examine import examined

    async def look(settings: Settings) -> str:
        return await examined(one.system, one.asking)

    return look


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


async def examine_webhooks(settings: Settings) -> tuple[Finding, ...]:
    """Look at what waits for the pack's webhooks; nothing is sent."""
    from agent.pack import load_pack
    from agent.records.engine import connect
    from agent.records.hooks import SqlHooks
    from api.container import SystemClock
    from api.webhooks.choose import subscriptions

    found: list[Finding] = []
    try:
        known = subscriptions(settings, load_pack(settings.company))
    except BadSetting as wrong:
        return (Finding(name="webhooks", ok=False, detail=str(wrong), remedy=wrong.remedy),)
    except Exception as fault:
        if told(fault) is None:
            raise
        # What is wrong with the pack itself is said once, where the pack is looked at.
        return ()
    engine, clock = connect(settings.database_url), SystemClock()
    hooks = SqlHooks(engine, clock=clock)

    def look(name: str) -> Look:
        async def standing(settings: Settings) -> str:
            backlog = await hooks.backlog(name)
            age = (clock.now() - backlog.oldest).total_seconds() if backlog.oldest else 0.0
            words = f"{name}: {backlog.waiting} waiting, {backlog.dead} given up"
            if backlog.dead or age > LATE_SECONDS:
                raise _Stuck(f"{words}, the oldest for {age:.0f} s", name=name)
            return words

        return standing

    try:
        for one in known:
            found.append(await finding("webhooks", look(one.webhook.name), settings))
    finally:
        await engine.dispose()
    return tuple(found)


class _Stuck(Exception):
    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.remedy = (
            f"mayak webhooks list tells why; when the receiver is well again (mayak webhooks test {name}), "
            f"mayak webhooks retry {name} sends again what was given up."
        )


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
