"""The widget's files and its configuration: the script for other people's pages, the frame, its assets.

```
/widget.js                     the custom element, on the shop's page
/widget/frame                  the chat itself, on our origin; only listed sites may embed it
/widget/<version>/<asset>      scripts, styles, texts; cached for good, the version is their digest
/v1/widget/config              name, languages, looks and first words of this company
```
"""

import hashlib
import mimetypes
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from html import escape
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

import api.widget
from agent.pack import Pack
from agent.policy.disclosure import words
from tools.context import Language
from tools.phrases import Phrases

FOLDER = Path(api.widget.__file__).parent
PUBLIC = (".js", ".css", ".json")
FOR_GOOD = "public, max-age=31536000, immutable"
FOR_MINUTES = "public, max-age=300"

mimetypes.add_type("text/javascript", ".js")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a chat window shows of its company; texts by language, `accent` as #RRGGBB."""

    company: Mapping[Language, str]
    languages: tuple[Language, ...]
    accent: str
    avatar: Mapping[Language, str]
    disclosure: Mapping[Language, str]
    quick_replies: Mapping[Language, tuple[str, ...]]


def look_of(pack: Pack, phrases: Phrases) -> Look:
    """Take the look of a company from its pack; the disclosure is the product's own text."""
    return Look(
        company=pack.name,
        languages=pack.languages,
        accent=pack.appearance.accent,
        avatar=pack.appearance.avatar,
        disclosure={
            language: words("first", language=language, company=pack.name[language], phrases=phrases)
            for language in pack.languages
        },
        quick_replies=pack.quick_replies,
    )


def content_policy(origins: Iterable[str]) -> str:
    """The frame's Content-Security-Policy; `origins` are the sites that may embed it, besides our own."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
            "trusted-types mayak-inert",
            "require-trusted-types-for 'script'",
            " ".join(("frame-ancestors 'self'", *origins)),
        )
    )


def widget_router(
    *, origins: Callable[[Request], Iterable[str]], look: Callable[[Request], Look]
) -> APIRouter:
    """Routes of the widget. `origins` and `look` are asked at every request, as the house opens after its routes.

    Each origin is `scheme://host[:port]`; anything else in the list is left out of the policy.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/widget.js")
    def script(request: Request) -> Response:
        headers = {"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*"}
        return _file("widget.js", request, cache_control=FOR_MINUTES, headers=headers)

    @router.get("/widget/frame")
    def frame(request: Request) -> Response:
        allowed = tuple(filter(is_origin, origins(request)))
        headers = {
            "Content-Security-Policy": content_policy(allowed),
            "Cache-Control": "no-cache",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(_frame(allowed), media_type="text/html", headers=headers)

    @router.get("/widget/{version}/{name}")
    def asset(version: str, name: str, request: Request) -> Response:
        current = version == _version()
        return _file(name, request, cache_control=FOR_GOOD if current else "no-cache")

    @router.get("/v1/widget/config", include_in_schema=True, tags=["widget"])
    def config(request: Request, response: Response) -> dict[str, object]:
        """Name, languages, looks and first words of the company, by language."""
        response.headers["Cache-Control"] = "no-cache"
        return asdict(look(request))

    return router


def is_origin(text: str) -> bool:
    """Whether the text is a plain web origin, safe inside a policy and an attribute."""
    scheme, _, host = text.partition("://")
    plain = bool(host) and all(mark.isascii() and (mark.isalnum() or mark in ".-:[]") for mark in host)
    return scheme in ("http", "https") and plain


@cache
def _assets() -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in PUBLIC}


@cache
def _version() -> str:
    digest = hashlib.sha256()
    for name, content in _assets().items():
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:16]


def _frame(origins: tuple[str, ...]) -> str:
    version = _version()
    modules = (name for name in _assets() if name.endswith(".js") and name not in ("widget.js", "main.js"))
    preloads = "\n".join(f'<link rel="modulepreload" href="{version}/{name}">' for name in modules)
    page = (FOLDER / "frame.html").read_text("utf-8")
    values = {"origins": escape(" ".join(origins), quote=True), "version": version, "preloads": preloads}
    for name, value in values.items():
        page = page.replace("{{ " + name + " }}", value)
    return page


def _file(
    name: str, request: Request, *, cache_control: str, headers: Mapping[str, str] | None = None
) -> Response:
    content = _assets().get(name)
    if content is None:
        raise HTTPException(404)
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    fixed = {
        "Cache-Control": cache_control,
        "ETag": tag,
        "X-Content-Type-Options": "nosniff",
        **(headers or {}),
    }
    if tag in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=fixed)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(content, media_type=media_type, headers=fixed)
