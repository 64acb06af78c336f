"""Markdown read as blocks: what is a heading, a paragraph, a list item, a table row, and on which page. Pure.

Every format is turned into Markdown on loading, so this is the only reader of structure. Pages are parted by form feeds.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

Kind = Literal["heading", "text", "item", "row", "head", "code"]

_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|<[^<>]*>", re.IGNORECASE | re.DOTALL)
_SPECIAL = re.compile(r"([\\`*_\[\]<|~])")
_LINE_START = re.compile(r"^(\s*)(#|>|\+|-|=|\d+[.)])", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A\ufeff?(---|\+\+\+)[ \t]*\n(.*?)\n\1[ \t]*(?:\n|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One piece of plain words; `level` is 1..6 for headings, `page` counts from 1, `table` tells tables apart."""

    kind: Kind
    text: str
    page: int
    level: int = 0
    table: int = 0


def blocks(markdown: str) -> list[Block]:
    """Return the blocks of a text in order; no block is empty."""
    parser = MarkdownIt("commonmark").enable("table")
    out: list[Block] = []
    for page, part in enumerate(markdown.split("\f"), start=1):
        out.extend(_Reader(parser.parse(part), page=page, first_table=len(out) + 1).read())
    return [block for block in out if block.text]


def without_front_matter(markdown: str) -> tuple[str, str]:
    """Return the front matter's lines ("" when there is none) and the rest."""
    found = _FRONT_MATTER.match(markdown)
    if not found:
        return "", markdown.removeprefix("\ufeff")
    return found.group(2), markdown[found.end() :]


def escape(plain: str) -> str:
    """Return plain words as Markdown that reads back as the same words."""
    return _LINE_START.sub(_escape_start, _SPECIAL.sub(r"\\\1", plain))


def _escape_start(found: re.Match[str]) -> str:
    space, sign = found.groups()
    return f"{space}{sign[:-1]}\\{sign[-1]}"


def table_row(cells: Sequence[str]) -> str:
    """Return one Markdown table line; line breaks inside cells become spaces."""
    return "| " + " | ".join(" ".join(cell.split()) for cell in cells) + " |"


class _Reader:
    """Walks markdown-it's flat token list once."""

    def __init__(self, tokens: Sequence[Token], *, page: int, first_table: int) -> None:
        self._tokens = tokens
        self._page = page
        self._table = first_table
        self._row: list[str] | None = None
        self._head = False
        self._heading = 0
        self._items: list[str] = []
        self._numbers: list[int] = []

    def read(self) -> Iterator[Block]:
        for token in self._tokens:
            self._enter(token)
            if token.type == "inline":
                yield from self._inline(_plain(token))
            elif token.type in ("fence", "code_block"):
                yield self._block("code", token.content.strip("\n"))
            elif token.type == "html_block":
                yield self._block("text", " ".join(html.unescape(_TAGS.sub(" ", token.content)).split()))
            elif token.type == "tr_close" and self._row is not None:
                kind: Kind = "head" if self._head else "row"
                yield self._block(kind, table_row(self._row))
                self._row = None

    def _enter(self, token: Token) -> None:
        match token.type:
            case "heading_open":
                self._heading = int(token.tag[1])
            case "heading_close":
                self._heading = 0
            case "table_open":
                self._table += 1
            case "thead_open" | "thead_close":
                self._head = token.type == "thead_open"
            case "tr_open":
                self._row = []
            case _:
                self._enter_list(token)

    def _enter_list(self, token: Token) -> None:
        match token.type:
            case "ordered_list_open":
                self._numbers.append(int(token.attrGet("start") or 1))
            case "bullet_list_open":
                self._numbers.append(-1)
            case "ordered_list_close" | "bullet_list_close":
                self._numbers.pop()
            case "list_item_open":
                self._items.append(self._mark())
            case "list_item_close":
                self._items.pop()

    def _mark(self) -> str:
        number = self._numbers[-1]
        if number < 0:
            return "— "
        self._numbers[-1] += 1
        return f"{number}. "

    def _inline(self, text: str) -> Iterator[Block]:
        if self._row is not None:
            self._row.append(text)
        elif self._heading:
            yield self._block("heading", " ".join(text.split()))
        elif self._items:
            # The mark belongs to the first paragraph of an item only.
            mark, self._items[-1] = self._items[-1], ""
            yield self._block("item", mark + text if text else "")
        else:
            yield self._block("text", text)

    def _block(self, kind: Kind, text: str) -> Block:
        table = self._table if kind in ("row", "head") else 0
        return Block(kind=kind, text=text.strip(), page=self._page, level=self._heading, table=table)


def _plain(token: Token) -> str:
    out: list[str] = []
    for child in token.children or []:
        if child.type in ("text", "code_inline"):
            out.append(child.content)
        elif child.type == "softbreak":
            out.append(" ")
        elif child.type == "hardbreak":
            out.append("\n")
        elif child.type == "image":
            out.append(child.content)
        elif child.type == "html_inline" and child.content.casefold().startswith("<br"):
            out.append("\n")
    return re.sub(r"[ \t]+", " ", "".join(out)).strip()
