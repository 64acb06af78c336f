"""Starting: own the data folder, migrate, load what the pack brings, open the application, serve."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import uvicorn
from fastapi import FastAPI, Request
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from agent.pack import Pack, load_pack
from api.container import Building, open_building
from api.identity import sign
from api.lock import owned
from api.logs import set_up_logs
from api.main import Extra, create_app
from api.migrate import migrate
from api.opened import opened
from api.routes.shop_page import shop_page_router
from api.settings import Settings
from knowledge.ingest import Progress as Done
from tools.context import CustomerId
from tools.shop import load_shop

Prepare = Callable[[Building], Awaitable[None]]


def run(settings: Settings) -> None:
    """Serve until interrupted. Raises typed faults with remedies when it cannot start."""
    set_up_logs(settings.log_level)
    load_pack(settings.company)
    with owned(settings.data, address=settings.base_url):
        app = create_app(partial(prepared, settings, say=_say), extras=doors(settings))
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        uvicorn.Server(config).run()


@asynccontextmanager
async def started(settings: Settings, *, prepare: Prepare | None = None) -> AsyncIterator[FastAPI]:
    """Run the application inside this process, its lifespan around the block; no socket is opened."""
    with owned(settings.data):
        app = create_app(partial(prepared, settings, prepare=prepare), extras=doors(settings))
        async with app.router.lifespan_context(app):
            yield app


@asynccontextmanager
async def prepared(
    settings: Settings, *, prepare: Prepare | None = None, say: Callable[[Building], None] | None = None
) -> AsyncIterator[Building]:
    """Migrate, build, and bring in the pack's shop and documents that are not there yet."""
    await asyncio.to_thread(migrate, settings.database_url)
    async with open_building(settings) as building:
        await furnish(building)
        if prepare is not None:
            await prepare(building)
        if say is not None:
            say(building)
        yield building


def doors(settings: Settings) -> tuple[Extra, ...]:
    """Return the doors beside the API that these settings open."""
    shop = settings.company / "shop"
    if not (settings.demo and shop.is_dir() and not settings.identity_public_key):
        return ()
    currency = load_pack(settings.company).company.currency

    def sign_in(request: Request, customer: CustomerId) -> str:
        secret = opened(request).building.identity_secret
        return sign(customer, secret=secret, audience=settings.identity_audience)

    return (lambda app: app.include_router(shop_page_router(shop=shop, sign=sign_in, currency=currency)),)


async def furnish(building: Building) -> None:
    """Load the pack's shop data and documents; what is unchanged since the last start is skipped."""
    pack: Pack = building.pack
    if (pack.folder / "shop").is_dir():
        await load_shop(building.engine, pack.folder / "shop")
    if not (pack.folder / "knowledge").is_dir():
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("documents"),
        TimeElapsedColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    )
    with bar:
        task = bar.add_task("Reading the company's documents")

        def tell(done: Done) -> None:
            bar.update(task, total=done.total, completed=done.done)

        report = await building.library.import_path(pack.folder / "knowledge", progress=tell)
    for row in report.rows:
        if row.result == "skipped":
            Console(stderr=True).print(f"[yellow]skipped[/] {row.path}: {row.reason}")


def _say(building: Building) -> None:
    base = building.settings.base_url
    lines = [f"Mayak for “{building.pack.name[building.pack.languages[0]]}” is ready."]
    if building.settings.demo and (building.pack.folder / "shop").is_dir():
        lines.append(f"  Demo shop with the chat   {base}/demo/")
    lines.append(f"  API                       {base}/docs")
    print("\n".join(lines), flush=True)
