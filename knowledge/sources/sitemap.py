"""Addresses out of a sitemap: those of its own site only. Pure."""

import zlib
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from knowledge.errors import TooLarge, Unreadable

MOST = 2_000
"""Addresses taken from one site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitemap:
    """`pages` to read, `maps` to open next."""

    pages: tuple[str, ...]
    maps: tuple[str, ...]


def is_sitemap(body: bytes) -> bool:
    """Say whether a body looks like a sitemap or an index of sitemaps, packed or not."""
    head = body[:2_000]
    return head.startswith(b"\x1f\x8b") or b"<urlset" in head or b"<sitemapindex" in head


def read_sitemap(body: bytes, *, url: str, size: int) -> Sitemap:
    """Read a sitemap found at `url`, at most `size` bytes unpacked. Raises `Unreadable`, `TooLarge`."""
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    try:
        root = ElementTree.fromstring(_opened(body, size), forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as fault:
        raise Unreadable(f"{url} is not a sitemap.", remedy="Give the address of a page.") from fault
    own = urlsplit(url).hostname
    pages: list[str] = []
    maps: list[str] = []
    for entry in root:
        place = next((one for one in entry if one.tag.rpartition("}")[2] == "loc"), None)
        found = urljoin(url, str(place.text).strip()) if place is not None and place.text else ""
        if urlsplit(found).hostname == own and len(pages) + len(maps) < MOST:
            (maps if entry.tag.rpartition("}")[2] == "sitemap" else pages).append(found)
    return Sitemap(pages=tuple(dict.fromkeys(pages)), maps=tuple(dict.fromkeys(maps)))


def _opened(body: bytes, size: int) -> bytes:
    if not body.startswith(b"\x1f\x8b"):
        return body
    opener = zlib.decompressobj(wbits=31)
    try:
        out = opener.decompress(body, size)
    except zlib.error as fault:
        raise Unreadable("the sitemap is damaged.", remedy="Try again later.") from fault
    if opener.unconsumed_tail:
        raise TooLarge("the sitemap unpacks to too much.", remedy="Give one of its parts.")
    return out
