"""Starting: own the data folder, migrate, load what the pack brings, open the application, serve."""

import asyncio
import gc
import hashlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from agent.pack import load_pack
from api.console.router import console_router
from api.container import Building, open_building
from api.faults import told
from api.lock import owned
from api.logs import set_up_logs
from api.main import Extra, create_app
from api.migrate import migrate_or_say
from api.recrawl import recrawl_door
from api.routes import shop_page
from api.routes.front import front_router
from api.settings import ROOT, BadSetting, Settings
from api.sign_on.choose import provider_of
from api.staff import ensure_demo_staff
from api.webhooks.door import webhooks_door
from knowledge.ingest import Progress as Done
from tools.shop import load_shop

DEMO_PACK = (ROOT / "demo").resolve()
SEEN = "pack.digest"
"""File, inside the data folder, that names the pack's bytes as of the last load."""

Prepare = Callable[[Building], Awaitable[None]]


def run(settings: Settings) -> None:
    """Serve until interrupted. Raises typed faults with remedies when it cannot start."""
    set_up_logs(settings.log_level)
    load_pack(settings.company)
    faults: list[Exception] = []

    @asynccontextmanager
    async def opened() -> AsyncIterator[Building]:
        try:
            async with prepared(settings, say=_say) as building:
                # Libraries, models and indexes stay for good; walking them with every full collection would make
                # a customer wait.
                gc.collect()
                gc.freeze()
                yield building
        except Exception as fault:
            faults.append(fault)
            raise

    def said_once(line: logging.LogRecord) -> bool:
        # The server logs why it could not start as a trace; what the command tells in words needs none.
        return not (faults and told(faults[0]) and line.getMessage().startswith("Traceback"))

    with owned(settings.data, address=settings.base_url):
        _port_is_free(settings)
        app = create_app(opened, extras=extras(settings))
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        server_log = logging.getLogger("uvicorn.error")
        server_log.addFilter(said_once)
        try:
            with suppress(SystemExit):
                uvicorn.Server(config).run()
        finally:
            server_log.removeFilter(said_once)
    if faults:
        raise faults[0]


def _port_is_free(settings: Settings) -> None:
    """Say so before documents are read for a minute, and not after."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as taken:
            raise BadSetting(
                f"Port {settings.port} of {settings.host} cannot be used: {taken.strerror}.",
                remedy="Choose another: make run PORT=8080, or MAYAK_PORT.",
            ) from taken


@asynccontextmanager
async def started(settings: Settings, *, prepare: Prepare | None = None) -> AsyncIterator[FastAPI]:
    """Run the application inside this process, its lifespan around the block; no socket is opened."""
    with owned(settings.data):
        app = create_app(partial(prepared, settings, prepare=prepare), extras=doors(settings))
        async with app.router.lifespan_context(app):
            yield app


@asynccontextmanager
async def prepared(
    settings: Settings, *, prepare: Prepare | None = None, say: Prepare | None = None
) -> AsyncIterator[Building]:
    """Migrate, build, and bring in the pack's shop and documents that are not there yet."""
    await asyncio.to_thread(migrate_or_say, settings.database_url)
    async with open_building(settings) as building:
        await furnish(building)
        if prepare is not None:
            await prepare(building)
        if say is not None:
            await say(building)
        yield building


def doors(settings: Settings) -> tuple[Extra, ...]:
    """Return the doors beside the API that these settings open."""
    demo = is_demo(settings)
    # A provider that cannot be used is told before anything starts, not to the first who signs in.
    provider_of(settings)
    routers = [console_router(), front_router(leads_to="demo/" if demo else "console")]
    if demo:
        routers.append(shop_page.router)

    def add(app: FastAPI) -> None:
        for router in routers:
            app.include_router(router)

    return (add,)


def channels(settings: Settings) -> tuple[Extra, ...]:
    """Return the messengers these settings name; only a server listens to them, never a command."""
    if not settings.telegram_token:
        return ()
    from api.routes.channels import telegram_door  # the library takes a third of a second to import

    telegram = telegram_door(settings)
    return (lambda app: app.include_router(telegram),)


def agents(settings: Settings) -> tuple[Extra, ...]:
    """Return the door for other agents, closed unless these settings hold keys to it."""
    if not settings.mcp_server_keys:
        return ()
    from api.mcp_door import mcp_door  # the SDK takes half a second to import

    door = mcp_door(settings)
    return (lambda app: app.include_router(door),)


def extras(settings: Settings) -> tuple[Extra, ...]:
    """Return everything a server adds to the API."""
    return (*doors(settings), *channels(settings), *agents(settings), *clocks(settings), *hooks(settings))


def hooks(settings: Settings) -> tuple[Extra, ...]:
    """Return what tells the company's systems; what commands write down for them leaves with the next server."""
    if not settings.webhooks:
        return ()
    return (lambda app: app.include_router(webhooks_door()),)


def clocks(settings: Settings) -> tuple[Extra, ...]:
    """Return what the server does by the clock; commands do none of it."""
    if settings.recrawl_minutes <= 0:
        return ()
    return (lambda app: app.include_router(recrawl_door(settings.recrawl_minutes)),)


def is_demo(settings: Settings) -> bool:
    """Whether the demo's own doors are open: its shop page, its customers and staff, who need no accounts."""
    pack = settings.company.resolve()
    return settings.demo and pack == DEMO_PACK and not settings.identity_public_key


async def furnish(building: Building) -> None:
    """Load the pack's shop data and documents, unless the files are those of the last start."""
    folder = building.pack.folder
    seen, now = building.settings.data / SEEN, fingerprint(folder, building.settings.database_url)
    known = seen.read_text("ascii") if seen.exists() else ""
    if known == now and await building.library.catalogue.documents():
        return
    if (folder / "shop").is_dir():
        await load_shop(building.engine, folder / "shop")
    if (folder / "knowledge").is_dir():
        await _read_documents(building, folder / "knowledge")
    seen.write_text(now, "ascii")


def fingerprint(folder: Path, database: str) -> str:
    """Return a digest of the pack's bytes and of where they were loaded to (nothing: of the bytes alone)."""
    digest = hashlib.sha256(database.encode())
    for path in sorted(
        p for part in ("shop", "knowledge") for p in (folder / part).rglob("*") if p.is_file()
    ):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


async def _read_documents(building: Building, folder: Path) -> None:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("documents"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Reading the company's documents")

        def tell(done: Done) -> None:
            bar.update(task, total=done.total, completed=done.done)

        report = await building.library.import_path(folder, progress=tell)
    for row in report.rows:
        if row.result == "skipped":
            console.print(f"[yellow]skipped[/] {row.path}: {row.reason} {row.remedy}")


async def _say(building: Building) -> None:
    base = building.settings.base_url
    lines = [f"Mayak for “{building.pack.name[building.pack.languages[0]]}” is ready."]
    if is_demo(building.settings):
        lines.append(
            f"  Demo shop with the chat   {base}/demo/      (sign in there as anna, boris, vera or john)"
        )
    lines.append(f"  Console for staff         {base}/console")
    if is_demo(building.settings):
        lines += [f"      {login:<10} {password}" for login, password in await ensure_demo_staff(building)]
    lines.append(f"  API                       {base}/docs")
    print("\n".join(lines), flush=True)
