"""What a site asks of robots, fetched once a site. No answer of the site's own means no (RFC 9309)."""

from urllib.parse import urlsplit

from protego import Protego

from knowledge.errors import TooLarge
from knowledge.sources.errors import Forbidden, Unreachable
from knowledge.sources.fetch import AGENT, Fetcher

_MOST = 500_000
_LONGEST_PAUSE = 10.0


class Robots:
    """Remembers each site's robots.txt as long as it lives."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._sites: dict[str, Protego | None] = {}

    async def check(self, url: str) -> None:
        """Raise `Forbidden` when the site does not want this page fetched."""
        rules = await self._rules(url)
        if rules is None:
            raise Unreachable(f"{_site(url)}/robots.txt cannot be read now.", remedy="Try again later.")
        if not rules.can_fetch(url, AGENT):
            raise Forbidden(
                f"robots.txt of {_site(url)} does not allow {AGENT} to read {url}.",
                remedy="Ask the site's owner, or save the page into a file.",
                why="robots",
            )

    async def pause(self, url: str) -> float:
        """Return the seconds the site wants between two pages, at most 10."""
        rules = await self._rules(url)
        delay = rules.crawl_delay(AGENT) if rules is not None else None
        return min(float(delay or 0.0), _LONGEST_PAUSE)

    async def _rules(self, url: str) -> Protego | None:
        site = _site(url)
        if site not in self._sites:
            self._sites[site] = await self._fetched(f"{site}/robots.txt")
        return self._sites[site]

    async def _fetched(self, url: str) -> Protego | None:
        try:
            found = await self._fetcher.get(url)
        except (Unreachable, TooLarge):
            return None
        if found.status >= 500 or found.status == 429:
            return None
        words = found.body[:_MOST].decode("utf-8", "replace") if found.status == 200 else ""
        return Protego.parse(words)


def _site(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
