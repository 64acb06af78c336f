"""An HTML page read as Markdown: the main content only; scripts, menus and footers are dropped."""

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup
from bs4.element import Comment, NavigableString, PreformattedString, Tag

from knowledge.errors import TooLarge
from knowledge.reading.findings import Findings
from knowledge.reading.hidden import Styles, hides, styles_of
from knowledge.reading.markup import escape, table_row

_NOISE = {
    *(
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "iframe",
        "object",
        "nav",
        "aside",
        "form",
        "button",
        "head",
    ),
}
_FRAME = ("header", "footer")
_HIDDEN = {"navigation", "banner", "contentinfo", "search", "complementary"}
_BLOCKS = {
    *("address", "article", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "figcaption"),
    *("figure", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "ol", "p", "pre"),
    *("section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_MOST_TAGS = 200_000


_TABLE_NAME = re.compile(r"tabl|price|tarif|schedule|таблиц|прайс|тариф|расписан|цены", re.IGNORECASE)


def read_html(page: str, *, findings: Findings) -> tuple[str, str]:
    """Return the page's title and its Markdown; broken markup is read as browsers do. Raises `TooLarge`.

    What people cannot see is left out and kept in `findings`.
    """
    soup = BeautifulSoup(page, "html.parser")
    if sum(1 for _ in soup.descendants) > _MOST_TAGS:
        raise TooLarge("the page has too many elements.", remedy="Split the page.")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    main = soup.find("main") or soup.find(role="main") or soup.find("article") or soup.body or soup
    assert isinstance(main, Tag)
    first = main.find("h1")
    heading = " ".join(first.get_text(" ").split()) if first else ""
    _pictures(main, findings)
    return heading or title, "\n\n".join(_lines(main, _Sight(main, styles_of(soup), findings)))


def _pictures(main: Tag, findings: Findings) -> None:
    """Note pictures that seem to hold a table or a price list: their words are not read."""
    for picture in main.find_all("img", limit=500):
        named = " ".join(str(picture.get(name) or "") for name in ("alt", "title", "src"))
        if _TABLE_NAME.search(named[:500]):
            label = str(picture.get("alt") or "") or str(picture.get("src") or "").rsplit("/", 1)[-1]
            findings.note("picture", f"a table as a picture? {label[:80]}")


class _Sight:
    """Tells what a reader of the page sees; keeps the words of what is hidden."""

    def __init__(self, main: Tag, styles: Styles, findings: Findings) -> None:
        self._titled = _titled(main)
        self._styles = styles
        self._findings = findings

    def sees(self, tag: Tag) -> bool:
        if _noise(tag, self._titled):
            return False
        how = hides(tag, self._styles)
        if how:
            self._findings.hide(tag.get_text(" ")[:5_000], where="hidden text", loud=how == "loud")
        return how is None

    def comment(self, words: str) -> None:
        self._findings.hide(words, where="comment", loud=False)


def _titled(main: Tag) -> set[int]:
    """Return the identities of tags that hold a main heading; each is visited once, however deep the page."""
    out: set[int] = set()
    for heading in main.find_all("h1"):
        for parent in heading.parents:
            if id(parent) in out:
                break
            out.add(id(parent))
    return out


def _noise(tag: Tag, titled: set[int]) -> bool:
    if tag.name in _NOISE or (tag.name in _FRAME and id(tag) not in titled):
        return True
    return str(tag.get("role") or "") in _HIDDEN


def _lines(main: Tag, sight: _Sight) -> Iterator[str]:
    """Walk without recursion: pages can be nested deeper than the interpreter allows."""
    held: list[str] = []
    state = _State()
    for node, opening in _walk(main, sight):
        if isinstance(node, Tag):
            if node.name == "br":
                held.append("\n")
            elif node.name == "table" and opening:
                yield from _flushed(held, state)
                yield "\n".join(_table(node, sight))
            elif node.name in _BLOCKS:
                yield from _flushed(held, state)
                state.see(node, opening=opening)
        else:
            held.append(str(node))
    yield from _flushed(held, state)


class _State:
    """Which block the walk is in."""

    def __init__(self) -> None:
        self.level = 0
        self.depth = 0
        self.mark = ""

    def see(self, node: Tag, *, opening: bool) -> None:
        if node.name in _HEADINGS:
            self.level = _HEADINGS[node.name] if opening else 0
        elif node.name == "li":
            self.mark = "- " if opening else ""


def _flushed(held: list[str], state: _State) -> Iterator[str]:
    lines = [" ".join(line.split()) for line in "".join(held).split("\n\n")]
    text = " ".join(line for line in lines if line)
    held.clear()
    if not text:
        return
    if state.level:
        yield "#" * state.level + " " + escape(text)
    else:
        yield state.mark + escape(text)
        state.mark = ""


def _walk(main: Tag, sight: _Sight, *, within: bool = False) -> Iterator[tuple[Tag | NavigableString, bool]]:
    stack: list[tuple[Tag | NavigableString, bool]] = [(child, True) for child in reversed(main.contents)]  # type: ignore[misc]
    while stack:
        node, opening = stack.pop()
        if not isinstance(node, Tag):
            if isinstance(node, Comment):
                sight.comment(str(node))
            elif not isinstance(node, PreformattedString):
                yield node, True
            continue
        if opening and not sight.sees(node):
            continue
        yield node, opening
        if opening and (within or node.name not in ("table", "br")):
            stack.append((node, False))
            stack.extend((child, True) for child in reversed(node.contents))  # type: ignore[misc]


def _table(table: Tag, sight: _Sight) -> list[str]:
    rows = [
        [_cell(cell, sight) for cell in row.find_all(["th", "td"], recursive=False) if sight.sees(cell)]
        for row in _rows(table)
        if sight.sees(row)
    ]
    rows = [row for row in rows if any(row)]
    if not rows:
        return []
    width = max(len(row) for row in rows)
    lines = [table_row(row + [""] * (width - len(row))) for row in rows]
    return [lines[0], "|" + " --- |" * width, *lines[1:]]


def _cell(cell: Tag, sight: _Sight) -> str:
    words = (str(node) for node, _ in _walk(cell, sight, within=True) if isinstance(node, NavigableString))
    return escape(" ".join(" ".join(words).split()))


def _rows(table: Tag) -> Iterator[Tag]:
    for part in table.find_all(["tr", "thead", "tbody", "tfoot"], recursive=False):
        if part.name == "tr":
            yield part
        else:
            yield from part.find_all("tr", recursive=False)
