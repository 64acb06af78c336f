"""Chat models from settings: the main one, the fallbacks, and last the one that needs no provider.

```
openai:<name> ──fails──► openai:<other> ──fails──► extractive ──fails──► WriterFailed: a person is called
      │                        │
   timeout, no connection, 429, 4xx, 5xx, unreadable, empty, refused
```
A model that failed is not asked again in the same turn; one that failed twice running rests for a while, so that
a provider's outage costs one customer a timeout and not every one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from agent.errors import BadModel, ModelUnavailable, WriterFailed
from agent.ports import Similarity

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage

EXTRACTIVE = "extractive"
FAILURES_BEFORE_REST = 2
OPENAI_URL = "https://api.openai.com/v1"

Why = Literal[
    "timeout",
    "unreachable",
    "unauthorised",
    "rate_limited",
    "rejected",
    "server",
    "unreadable",
    "empty",
    "refused",
]
REMEDIES: Mapping[Why, str] = {
    "timeout": "The provider is slow: raise MAYAK_MODEL_TIMEOUT or choose a faster model.",
    "unreachable": "Nothing answers there: check MAYAK_MODEL_URL, the network and the server.",
    "unauthorised": "The provider refused the key: check MAYAK_MODEL_KEY.",
    "rate_limited": "The provider's limit is reached: raise the limit or add a fallback model.",
    "rejected": "The provider refused the request: check the model's name and that it can call tools.",
    "server": "The provider failed inside: try again later or add a fallback model.",
    "unreadable": "That address answers, but not as an OpenAI-compatible chat API: check MAYAK_MODEL_URL.",
    "empty": "The model answered with nothing: try another model.",
    "refused": "The model refused to answer: try another model.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Which models to ask, in order. `main` and `fallbacks` are "extractive" or "openai:<name>".

    `url` is any OpenAI-compatible base URL, empty for OpenAI itself; `timeout` seconds of one call;
    `max_tokens` of one answer; `temperature` None leaves it to the provider; `prices` are USD for a million
    prompt and completion tokens by model name; `rest` seconds a failing provider is left alone.
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


@dataclass(slots=True, kw_only=True)  # mutable: counts its own failures
class Link:
    """One model of the chain. `fault` is set when its settings cannot work; then it is never called."""

    name: str
    model: "BaseChatModel | None"
    timeout: float
    local: bool
    price: tuple[float, float] = (0.0, 0.0)
    fault: ModelUnavailable | None = None
    failures: int = 0
    resting_until: float = 0.0

    def usd(self, *, prompt: int, completion: int) -> float:
        """Return the price of one call; 0 where it is unknown."""
        return (prompt * self.price[0] + completion * self.price[1]) / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A usable answer: which link of the chain gave it, and why earlier ones did not."""

    message: "AIMessage"
    link: int
    ms: float
    tried: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What `doctor` shows about one model."""

    name: str
    ok: bool
    problem: str = ""
    remedy: str = ""
    ms: float = 0.0


Call = Callable[["BaseChatModel"], Awaitable["AIMessage"]]


class ModelChain:
    """The models in the order they are asked."""

    def __init__(
        self, links: Sequence[Link], *, rest: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not links:
            raise ValueError("A chain needs at least one model.")
        self.links = tuple(links)
        self._rest = rest
        self._clock = clock

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

    async def ask(self, call: Call, *, start: int = 0, seconds: float = float("inf")) -> Reply:
        """Return the first usable answer from link `start` on; remote models get at most `seconds` together.

        Raises `WriterFailed` naming every failure when no model answers.
        """
        deadline = self._clock() + seconds
        tried: list[str] = []
        for index in range(start, len(self.links)):
            link = self.links[index]
            began = self._clock()
            try:
                message = await self._one(link, call, left=deadline - began)
            except ModelUnavailable as failure:
                tried.append(f"{link.name}: {failure}")
                continue
            link.failures = 0
            ms = 1000 * (self._clock() - began)
            return Reply(message=message, link=index, ms=ms, tried=tuple(tried))
        raise WriterFailed("; ".join(tried), remedy="Add a fallback model; see `mayak doctor`.")

    async def probe(self) -> tuple[Health, ...]:
        """Ask every remote model one word, whatever rests; for `doctor`."""
        from langchain_core.messages import HumanMessage

        async def ping(model: "BaseChatModel") -> "AIMessage":
            return await model.ainvoke([HumanMessage("ping")])

        seen: list[Health] = []
        for link in self.links:
            began = self._clock()
            fault = link.fault
            if fault is None and not link.local:
                try:
                    await _guarded(link, ping, seconds=link.timeout)
                except ModelUnavailable as failure:
                    fault = failure
            ms = 1000 * (self._clock() - began)
            seen.append(
                Health(
                    name=link.name,
                    ok=fault is None,
                    problem=str(fault or ""),
                    remedy=fault.remedy if fault else "",
                    ms=ms,
                )
            )
        return tuple(seen)

    async def _one(self, link: Link, call: Call, *, left: float) -> "AIMessage":
        if link.fault is not None:
            raise link.fault
        if link.local and link.model is not None:
            return await call(link.model)
        if self._clock() < link.resting_until:
            raise ModelUnavailable("resting after failures", remedy=REMEDIES["server"])
        if left <= 0:
            raise unavailable("timeout", "the turn's time is used up")
        try:
            return await _guarded(link, call, seconds=min(link.timeout, left))
        except ModelUnavailable:
            link.failures += 1
            if link.failures >= FAILURES_BEFORE_REST:
                link.resting_until = self._clock() + self._rest
            raise


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
    return ModelChain(links, rest=settings.rest, clock=clock)


def unavailable(why: Why, detail: str = "") -> ModelUnavailable:
    """Return the fault for one reason, with its remedy; `detail` is for staff and logs."""
    return ModelUnavailable(f"{why}: {detail}" if detail else why, remedy=REMEDIES[why])


def _extractive(similarity: Similarity | None) -> Link:
    from agent.extractive import Extractive

    return Link(name=EXTRACTIVE, model=Extractive(similarity=similarity), timeout=float("inf"), local=True)


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
    )
    if link.fault is None:
        link.model = _openai(name, settings)
    return link


def _fault(settings: ModelSettings) -> ModelUnavailable | None:
    if settings.url:
        parts = urlsplit(settings.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return unavailable("unreachable", f"“{settings.url}” is no http or https address")
    elif not settings.key:
        return unavailable("unauthorised", "no key is set")
    return None


def _openai(name: str, settings: ModelSettings) -> "BaseChatModel":
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    # Servers other than OpenAI's own know the older name of the limit better than the newer one.
    limit = (
        {"max_tokens": settings.max_tokens}
        if settings.url
        else {"max_completion_tokens": settings.max_tokens}
    )
    return ChatOpenAI(
        model=name,
        base_url=settings.url or OPENAI_URL,
        api_key=SecretStr(settings.key or "none"),
        timeout=settings.timeout,
        max_retries=0,
        temperature=settings.temperature,
        extra_body=limit,
        use_responses_api=False,
    )


async def _guarded(link: Link, call: Call, *, seconds: float) -> "AIMessage":
    """Call a remote model; everything a provider can do wrong becomes `ModelUnavailable`."""
    import httpx
    import openai

    if link.model is None:
        raise unavailable("unreachable", "the model was never built")
    try:
        async with asyncio.timeout(seconds):
            message = await call(link.model)
    except (TimeoutError, openai.APITimeoutError, httpx.TimeoutException) as slow:
        raise unavailable("timeout", f"no answer in {seconds:g} s") from slow
    except openai.APIStatusError as status:
        raise unavailable(
            _why(status.status_code), f"HTTP {status.status_code} {status.message[:200]}"
        ) from status
    except (openai.APIConnectionError, httpx.HTTPError, OSError) as broken:
        raise unavailable("unreachable", type(broken.__cause__ or broken).__name__) from broken
    except (openai.OpenAIError, ValueError, TypeError, KeyError, IndexError, AttributeError) as unread:
        # The client library reads a provider's body without checking it: any of these means it was malformed.
        raise unavailable("unreadable", f"{type(unread).__name__}: {unread}"[:200]) from unread
    return usable(message)


def _why(status: int) -> Why:
    if status in (401, 403):
        return "unauthorised"
    if status == 429:
        return "rate_limited"
    return "server" if status >= 500 else "rejected"


def usable(message: "AIMessage") -> "AIMessage":
    """Return the message if it says or calls something; `ModelUnavailable` otherwise."""
    refusal = message.additional_kwargs.get("refusal")
    if refusal or message.response_metadata.get("finish_reason") == "content_filter":
        raise unavailable("refused", str(refusal or "content filter")[:200])
    if not message.tool_calls and not message.text.strip():
        raise unavailable("unreadable" if message.invalid_tool_calls else "empty")
    return message
