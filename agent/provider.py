"""A remote model as the chain sees it: which prompts suit it, and everything it can do wrong in one word each."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Literal

from agent.errors import ModelUnavailable

if TYPE_CHECKING:
    import openai
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage

Profile = Literal["small", "large"]
Why = Literal[
    "timeout",
    "unreachable",
    "unauthorised",
    "rate_limited",
    "unknown_model",
    "rejected",
    "server",
    "unreadable",
    "empty",
    "refused",
    "truncated",
    "wrong_language",
    "resting",
    "abroad",
]
REMEDIES: Mapping[Why, str] = {
    "timeout": "The provider is slow: raise MAYAK_MODEL_TIMEOUT or choose a faster model.",
    "unreachable": "Nothing answers there: check MAYAK_MODEL_URL, the network and the server.",
    "unauthorised": "The provider refused the key: check MAYAK_MODEL_KEY.",
    "rate_limited": "The provider's limit is reached: raise the limit or add a fallback model.",
    "unknown_model": "The provider does not know that model or address: check MAYAK_MODEL and MAYAK_MODEL_URL.",
    "rejected": "The provider refused the request: check that the model can call tools.",
    "server": "The provider failed inside: try again later or add a fallback model.",
    "unreadable": "That address answers, but not as an OpenAI-compatible chat API: check MAYAK_MODEL_URL.",
    "empty": "The model answered with nothing: try another model.",
    "refused": "The model refused to answer: try another model.",
    "truncated": "The answer was cut at the provider's limit: try another model or a shorter context.",
    "wrong_language": "The model does not keep to the customer's language: try another model.",
    "abroad": "It is in another country: name its host in MAYAK_HOME_HOSTS if it is not, or set MAYAK_CROSS_BORDER=yes.",
    "resting": "It failed and rests: look at its earlier failures, or wait.",
}

Call = Callable[["BaseChatModel"], Awaitable["AIMessage"]]

_SIZE = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)b(?![a-z])", re.IGNORECASE)
_SMALL_NAMES = re.compile(r"\b(mini|nano|tiny|small|lite|flash-8b)\b", re.IGNORECASE)
SMALL_BILLIONS = 14.0
"""Parameters, in billions as names tell them, up to which a model gets the short prompt."""


def profile_of(name: str, *, wanted: str) -> Profile:
    """Return the prompt profile for a model name; `wanted` is auto, small or large."""
    if wanted == "small" or wanted == "large":
        return "small" if wanted == "small" else "large"
    sizes = [float(size) for size in _SIZE.findall(name)]
    if sizes:
        return "small" if max(sizes) <= SMALL_BILLIONS else "large"
    return "small" if _SMALL_NAMES.search(name) else "large"


async def guarded(model: "BaseChatModel", call: Call, *, seconds: float) -> "AIMessage":
    """Call a remote model; everything a provider can do wrong becomes `ModelUnavailable`."""
    import httpx
    import openai

    try:
        async with asyncio.timeout(seconds):
            message = await call(model)
    except (TimeoutError, openai.APITimeoutError, httpx.TimeoutException) as slow:
        raise unavailable("timeout", f"no answer in {seconds:g} s", billed=True) from slow
    except openai.APIStatusError as status:
        raise _of_status(status) from status
    except (openai.APIConnectionError, httpx.HTTPError, OSError) as broken:
        cut = not isinstance(broken.__cause__ or broken, httpx.ConnectError | ConnectionRefusedError)
        raise unavailable("unreachable", type(broken.__cause__ or broken).__name__, billed=cut) from broken
    except (openai.OpenAIError, ValueError, TypeError, KeyError, IndexError, AttributeError) as unread:
        # The client library reads a provider's body without checking it: any of these means it was malformed.
        raise unavailable("unreadable", f"{type(unread).__name__}: {unread}"[:200], billed=True) from unread
    return usable(message)


def unavailable(
    why: Why,
    detail: str = "",
    *,
    wait: float = 0.0,
    message: "AIMessage | None" = None,
    billed: bool = False,
) -> ModelUnavailable:
    """Return the fault for one reason, with its remedy; `detail` is for staff and logs."""
    usage = message.usage_metadata if message is not None else None
    return ModelUnavailable(
        f"{why}: {detail}" if detail else why,
        remedy=REMEDIES[why],
        why=why,
        wait=wait,
        tokens=(usage["input_tokens"], usage["output_tokens"]) if usage else None,
        billed=billed or message is not None,
    )


def usable(message: "AIMessage") -> "AIMessage":
    """Return the message if it says or calls something whole; `ModelUnavailable` otherwise."""
    refusal = message.additional_kwargs.get("refusal")
    finish = message.response_metadata.get("finish_reason")
    if refusal or finish == "content_filter":
        raise unavailable("refused", str(refusal or "content filter")[:200], message=message)
    if finish == "length":
        # What was cut off may have been the exception to what was said.
        raise unavailable("truncated", message=message)
    if not message.tool_calls and not message.text.strip():
        raise unavailable("unreadable" if message.invalid_tool_calls else "empty", message=message)
    return message


def _of_status(status: "openai.APIStatusError") -> ModelUnavailable:
    detail = f"HTTP {status.status_code} {status.message[:200]}"
    why = _why(status.status_code)
    if why == "unauthorised" and "logprobs" in status.message.lower():
        # Some providers say "not allowed" of a model that does not tell them: the key is fine.
        why = "rejected"
    return unavailable(why, detail, wait=_wait(status.response.headers))


def _wait(headers: Mapping[str, str]) -> float:
    """Return the seconds of `Retry-After`; a date or nonsense counts as not said."""
    try:
        return max(0.0, float(headers.get("retry-after", "0")))
    except ValueError:
        return 0.0


def _why(status: int) -> Why:
    if status in (401, 403):
        return "unauthorised"
    if status == 404:
        return "unknown_model"
    if status == 429:
        return "rate_limited"
    return "server" if status >= 500 else "rejected"
