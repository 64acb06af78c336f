"""Where an answer may lead: links, images and e-mail addresses only at the company's own hosts. Pure.

```
text ─► as a client reads it ─► https://host/…  www.host  host.tld  name@host  data:…  ─┬─ allowed ─► stays
                                                                                       └─ foreign ─► named here
```
A host counts as a reader's software would take it: messengers make links of bare names with a real top-level
domain, browsers read `https:\\host` and what stands before an @ as one address. A host in the list allows itself
and `www.`; `*.host` allows every host under it as well.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

from agent.hygiene import visible

LEFT_OUT = "…"
"""Stands where a link stood that may not be shown."""
RESERVED = frozenset({"example", "test", "invalid", "localhost", "local", "onion", "internal"})
"""Names that are in no public list and lead somewhere all the same, or stand for such a name in texts and trials."""
NOT_A_HOST = frozenset({"md", "py", "sh", "zip", "rs", "mov", "ps", "pl", "so", "cc", "москва"})
"""Top-level domains that end file names (and «г.Москва») more often; a bare name under them is a link with a path."""

_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_FOUND = re.compile(
    rf"""(?P<image><img\b(?![^>]*\bsrc\s*=\s*["']?\s*(?:https?:)?//)[^>]*>?   # an image whose place a page would choose
        |!\[[^\]]*\]\((?!\s*(?:https?:)?//)[^)]*\)?)
    |(?P<url>[a-z][a-z0-9+.-]{{1,20}}:\s?[/\\]{{1,3}}[^\s<>"'«»)\]]+)   # https://host, and as browsers mend it
    |(?P<active>\b(?:data|javascript|vbscript|blob):\s?[^\s<>"'«»)\]]+)        # an address that is its own content
    |(?<![\w:])(?P<bare>//{_LABEL}(?:\.{_LABEL})+[^\s<>"'«»)\]]*)               # //host
    |(?P<mail>[\w.+%-]+@(?:{_LABEL}\.)+{_LABEL})
    |(?<![\w@.-])(?P<name>(?:{_LABEL}\.)+{_LABEL}(?![\w@-])(?:[:/?\#][^\s<>"'«»)\]]*)?)""",
    re.IGNORECASE | re.VERBOSE,
)
_DOTS = re.compile("[\u3002\uff0e\uff61]")
_ENDS = ".,;:!?…"
_EMPTIED = re.compile(rf"!\[[^\]]*\]\(\s*{LEFT_OUT}[^)\s]*\)?")
"""An image whose address was taken out: a frame that a reader's software might still fill."""


def foreign(text: str, *, allowed: Collection[str]) -> tuple[str, ...]:
    """Return the links and addresses of the text that lead to no host of `allowed`, as they are written."""
    return tuple(dict.fromkeys(found for found, host in _addresses(text) if not _may(host, allowed)))


def without_foreign(text: str, *, allowed: Collection[str]) -> str:
    """Return the text with `…` in place of every link and address that leads elsewhere."""
    for found in sorted(foreign(text, allowed=allowed), key=len, reverse=True):
        plain = _as_read(text)
        text = (text if found in text else plain).replace(found, LEFT_OUT)
    return _EMPTIED.sub(LEFT_OUT, text)


def listed(host: str) -> str:
    """Return the host as a pack lists it. Raises ValueError."""
    if not re.fullmatch(r"(\*\.)?([a-z0-9-]+\.)+[a-z0-9-]{2,}", host):
        raise ValueError(f"“{host}” is no host; write it alone, as docs.shop.example or *.shop.example")
    return host


def host_of(address: str) -> str:
    """Return the host of a URL, an e-mail address or a bare name, lower-case; "" where there is none."""
    mended = re.sub(r"^([a-z][a-z0-9+.-]*):\s?[/\\]+", r"\1://", address.strip(), flags=re.IGNORECASE)
    mended = mended.replace("\\", "/")
    if "://" not in mended:
        mended = f"//{mended.removeprefix('//')}"
    try:
        return (urlsplit(mended).hostname or "").rstrip(".")
    except ValueError:
        return ""


@lru_cache(maxsize=4096)
def _as_read(text: str) -> str:
    return _DOTS.sub(".", unicodedata.normalize("NFKC", visible(text)))


def _addresses(text: str) -> Iterator[tuple[str, str]]:
    """Yield each address as it is written and its host; "" for one whose host cannot be told."""
    for match in _FOUND.finditer(_as_read(text)):
        found = match.group().rstrip(_ENDS)
        if match["active"] or match["image"]:
            yield found, ""
        elif match["mail"]:
            yield found, host_of(found.rpartition("@")[2])
        elif not match["name"] or _is_name(found):
            yield found, host_of(found)


def _is_name(found: str) -> bool:
    """Tell a host from an abbreviation, a version, a file name: it ends in a domain that exists."""
    host = host_of(found)
    last = host.rpartition(".")[2]
    if not last or last.isdigit():
        return False
    if found.lower().startswith("www."):
        return True
    if last in NOT_A_HOST and "/" not in found:
        return False
    return last in RESERVED or _suffixes().publicsuffix(_ascii(host)) is not None


def _may(host: str, allowed: Collection[str]) -> bool:
    if not host:
        return False
    for one in allowed:
        name = one.lower().removeprefix("*.")
        if host in (name, f"www.{name}") or (one.startswith("*.") and host.endswith(f".{name}")):
            return True
    return False


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)
