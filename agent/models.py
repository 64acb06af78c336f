"""Chat models from settings: the main one, the fallbacks, and last the one that needs no provider.

```
openai:<name> ──fails──► openai:<other> ──fails──► extractive ──fails──► WriterFailed: a person is called
      │                        │
   timeout, no connection, 429, 4xx, 5xx, unreadable, empty, refused, cut, in another language
```
A model that failed is not asked again in the same turn; one that keeps failing rests (`tools.breaker`). A slow
one is raced (`agent.race`) where the settings allow it. What a link may not do for a caller (no consent, no
budget left) is said by `permit`, and it is passed over.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agent.errors import BadModel, ModelUnavailable, WriterFailed
from agent.link import Asking, Link, Reply
from agent.ports import Similarity
from agent.provider import Call, guarded, profile_of, unavailable
from agent.race import Race
from agent.receipt import EXTRACTIVE
from tools.breaker import Breaker

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage

PATIENCE = 3.0
"""Seconds a provider may ask us to wait and still be asked again in the same turn, when nobody else is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Which models to ask, in order. `main` and `fallbacks` are "extractive" or "openai:<name>".

    `url` is any OpenAI-compatible base URL, empty for OpenAI itself; `timeout` seconds of one call;
    `max_tokens` of one answer; `temperature` None leaves it to the provider; `prices` are USD for a million
    prompt and completion tokens by model name; `rest` seconds a failing provider is left alone; `hedge`
    seconds after which the next remote model is asked as well, 0 for never; `profile` auto, small or large;
    `logprobs` whether they are asked how sure they are of each word; `external` whether the models run outside the company, so that a customer's consent is needed; `abroad`
    whether they run in another country and nobody allowed that: then they are never asked.
    """

    main: str = EXTRACTIVE
    fallbacks: tuple[str, ...] = ()
    url: str = ""
    key: str = field(default="", repr=False)
    timeout: float = 20.0
    max_tokens: int = 1000
    temperature: float | None = 0.0
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    rest: float = 30.0
    hedge: float = 0.0
    stream: bool = True
    logprobs: bool = True
    profile: str = "auto"
    external: bool = True
    abroad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What `doctor` shows about one model."""

    name: str
    ok: bool
    problem: str = ""
    remedy: str = ""
    ms: float = 0.0


class ModelChain:
    """The models in the order they are asked."""

    def __init__(
        self,
        links: Sequence[Link],
        *,
        rest: float = 30.0,
        hedge: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not links:
            raise ValueError("A chain needs at least one model.")
        self.links = tuple(links)
        self.hedge = hedge
        self.clock = clock
        for link in self.links:
            link.breaker = Breaker(rest=rest, clock=clock)

    @property
    def problems(self) -> tuple[ModelUnavailable, ...]:
        """Settings that cannot work, each with its remedy; the chain runs without these models."""
        return tuple(link.fault for link in self.links if link.fault is not None)

    @property
    def last(self) -> "BaseChatModel":
        """The model that stands behind all others."""
        model = self.links[-1].model
        if model is None:
            raise WriterFailed("The last model of the chain cannot be used.", remedy="See `mayak doctor`.")
        return model

    async def ask(self, asking: Asking) -> Reply:
        """Return the first usable answer. Raises `WriterFailed` naming every failure when no model answers."""
        return await Race(self, asking).run()

    async def one(self, link: Link, asking: Asking, *, left: float, alone: bool) -> "AIMessage":
        """Ask one link; `alone`: no other remote model could answer instead. Raises `ModelUnavailable`."""
        if link.fault is not None:
            raise link.fault
        if link.model is None:
            raise unavailable("unreachable", "the model was never built")
        if link.local:
            return await asking.call(link.model)
        if left <= 0:
            raise unavailable("timeout", "the turn's time is used up")
        if not link.breaker.admit():
            raise unavailable("resting", f"{link.breaker.seconds_left:.0f} s more")
        until = self.clock() + left
        try:
            message = await self._patiently(link, asking, until=until, alone=alone)
        except ModelUnavailable as failure:
            # An answer in another language says nothing about whether the provider is up.
            if failure.why == "wrong_language":
                link.breaker.passed()
            else:
                link.breaker.failed(wait=failure.wait)
            raise
        except BaseException:
            link.breaker.cancelled()
            raise
        link.breaker.passed()
        return message

    async def probe(self) -> tuple[Health, ...]:
        """Ask every remote model one word, whatever rests; for `doctor`."""
        from langchain_core.messages import HumanMessage

        async def ping(model: "BaseChatModel") -> "AIMessage":
            return await model.ainvoke([HumanMessage("ping")])

        return tuple([await self._health(link, ping) for link in self.links])

    async def _health(self, link: Link, ping: Call) -> Health:
        began = self.clock()
        fault = link.fault
        if fault is None and not link.local:
            try:
                await self._any_way(link, ping, seconds=link.timeout)
            except ModelUnavailable as failure:
                # A model cut off after a word is alive.
                fault = None if failure.why == "truncated" else failure
        return Health(
            name=link.name,
            ok=fault is None,
            problem=str(fault or ""),
            remedy=fault.remedy if fault else "",
            ms=1000 * (self.clock() - began),
        )

    async def _patiently(self, link: Link, asking: Asking, *, until: float, alone: bool) -> "AIMessage":
        """Ask once; when told to wait a moment and nobody else is there, wait and ask once more."""
        try:
            return await self._accepted(link, asking, seconds=until - self.clock())
        except ModelUnavailable as failure:
            left = until - self.clock() - failure.wait
            if not alone or not 0 < failure.wait <= PATIENCE or left <= failure.wait:
                raise
            await asyncio.sleep(failure.wait)
            return await self._accepted(link, asking, seconds=left)

    async def _accepted(self, link: Link, asking: Asking, *, seconds: float) -> "AIMessage":
        message = await self._any_way(link, asking.call, seconds=min(link.timeout, seconds))
        asking.accept(message)
        return message

    async def _any_way(self, link: Link, call: Call, *, seconds: float) -> "AIMessage":
        """Ask in the best way the provider takes; a rejected one gives way to the plainer ones."""
        if link.model is None:
            raise unavailable("unreachable", "the model was never built")
        until = self.clock() + seconds
        ways = (link.model, *link.plain)
        for way, plainer in zip(ways, (*ways[1:], None), strict=True):
            if not link.knows(way):
                continue  # another call learned meanwhile that it is rejected
            try:
                message = await guarded(way, call, seconds=until - self.clock())
            except ModelUnavailable as failure:
                if failure.why != "rejected" or plainer is None:
                    raise
            else:
                link.keep_to(way)
                return message
        raise unavailable("rejected")


def chain(
    settings: ModelSettings,
    *,
    similarity: Similarity | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> ModelChain:
    """Build the chain; the extractive model always stands last.

    Raises `BadModel` for a name that is no model; a missing key or a wrong URL is told by `ModelChain.problems`.
    """
    specs = dict.fromkeys((settings.main, *settings.fallbacks))
    links = [_remote(spec, settings) for spec in specs if spec != EXTRACTIVE]
    links.append(_extractive(similarity))
    if settings.main == EXTRACTIVE:
        links = links[-1:]
    return ModelChain(links, rest=settings.rest, hedge=settings.hedge, clock=clock)


def _extractive(similarity: Similarity | None) -> Link:
    from agent.extractive import Extractive

    model = Extractive(similarity=similarity)
    return Link(name=EXTRACTIVE, model=model, timeout=float("inf"), local=True, external=False)


def _remote(spec: str, settings: ModelSettings) -> Link:
    provider, _, name = spec.partition(":")
    if provider != "openai" or not name:
        raise BadModel(
            f"“{spec}” names no model.",
            remedy="Write MAYAK_MODEL=extractive or MAYAK_MODEL=openai:<name>; any OpenAI-compatible server by MAYAK_MODEL_URL.",
        )
    link = Link(
        name=spec,
        model=None,
        timeout=settings.timeout,
        local=False,
        price=settings.prices.get(name, (0.0, 0.0)),
        fault=_fault(settings),
        profile=profile_of(name, wanted=settings.profile),
        external=settings.external,
        max_tokens=settings.max_tokens,
    )
    if link.fault is None:
        from agent.openai_client import openai_ways  # heavy, and not needed without a provider

        link.model, *plain = openai_ways(
            name,
            url=settings.url,
            key=settings.key,
            timeout=settings.timeout,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            stream=settings.stream,
            logprobs=settings.logprobs,
            profile=link.profile,
        )
        link.plain = tuple(plain)
    return link


def _fault(settings: ModelSettings) -> ModelUnavailable | None:
    if settings.abroad:
        return unavailable("abroad")
    if settings.url:
        parts = urlsplit(settings.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return unavailable("unreachable", f"“{settings.url}” is no http or https address")
    elif not settings.key:
        return unavailable("unauthorised", "no key is set")
    return None
