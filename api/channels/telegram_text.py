"""How a message looks in Telegram: its HTML, its length, its parts, its buttons. Pure."""

import re
from collections.abc import Iterator, Sequence
from html import escape, unescape
from html.parser import HTMLParser

from agent.domain import Citation, Message
from api.channels.buttons import data_of
from api.render import to_html

LONGEST = 4096
"""UTF-16 units one message may have, markup not counted (the Bot API's limit)."""
SHORT_LABEL = 20
"""Two labels up to this length stand side by side."""
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
MARKS = {"strong": "b", "em": "i", "code": "code"}
TAG = re.compile(r"</?(?:b|i|code)>")
ENDS = (re.compile(r"\n\s*\n"), re.compile(r"(?<=[.!?…])[»”\")]*\s+"), re.compile(r"\s+"))
"""Where a long text is cut, best first: between paragraphs, between sentences, between words."""


def parts(message: Message, *, speaker: str = "") -> tuple[str, ...]:
    """Return the message as HTML texts, each short enough to be sent: who speaks, the words, the sources."""
    head = f"<b>{escape(speaker, quote=False)}</b>\n" if speaker else ""
    foot = sources(message.citations)
    bodies = list(_bodies(message.text, author=message.author, head=length(head)))
    texts = [f"{head}{bodies[0]}", *bodies[1:]]
    if foot and length(texts[-1]) + length(foot) + 2 <= LONGEST:
        texts[-1] = f"{texts[-1]}\n\n{foot}"
    elif foot:
        texts.append(foot)
    return tuple(texts)


def sources(citations: Sequence[Citation]) -> str:
    """Return one line that names the documents, each once; empty without citations."""
    titles = list(dict.fromkeys(citation.title for citation in citations if citation.title))
    if not titles:
        return ""
    named = (f"{str(n).translate(SUPERSCRIPT)} {title}" for n, title in enumerate(titles, 1))
    return f"<i>{escape(cut(' · '.join(named), LONGEST)[0], quote=False)}</i>"


def _bodies(text: str, *, author: str, head: int) -> Iterator[str]:
    """Yield the text in parts that fit; the first leaves room for `head`."""
    rest, used = text, head
    while rest:
        room = LONGEST - used
        while True:
            piece, after = cut(rest, room)
            body = formatted(piece, author=author)
            if length(body) <= LONGEST - used:
                break
            room = room * 3 // 4
        yield body
        rest, used = after, 0
    if not text:
        yield ""


def cut(text: str, room: int) -> tuple[str, str]:
    """Return the text's beginning of at most `room` UTF-16 units, cut at a good place, and the rest."""
    if length_of(text) <= room:
        return text, ""
    beginning = text.encode("utf-16-le", "replace")[: room * 2].decode("utf-16-le", "ignore")
    for end in ENDS:
        found = [place.end() for place in end.finditer(beginning)]
        # A cut in the first third would leave a stump; a worse place further on reads better.
        if found and found[-1] > len(beginning) // 3:
            at = found[-1]
            return text[:at].rstrip(), text[at:].lstrip()
    return beginning, text[len(beginning) :]


def formatted(text: str, *, author: str) -> str:
    """Return the Markdown of our own texts as the few tags Telegram knows, everything else escaped."""
    reader = _Plain()
    reader.feed(to_html(text, author=author))
    reader.close()
    return "".join(reader.out).strip()


def length(html: str) -> int:
    """Return how long Telegram finds an HTML text: UTF-16 units, markup not counted."""
    return length_of(unescape(TAG.sub("", html)))


def length_of(text: str) -> int:
    """Return the UTF-16 units of a plain text."""
    return len(text.encode("utf-16-le", "replace")) // 2


def rows(message: Message) -> list[list[tuple[str, str]]]:
    """Return the keyboard: rows of (label, callback data)."""
    buttons = [(button.label, data_of(message.seq, n, button)) for n, button in enumerate(message.buttons)]
    if len(buttons) == 2 and all(len(label) <= SHORT_LABEL for label, _ in buttons):
        return [buttons]
    return [[button] for button in buttons]


class _Plain(HTMLParser):
    """Reads our own safe HTML: paragraphs and lists become lines, emphasis stays."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._lists: list[int | None] = []
        self._open = False
        """Whether a list item has begun and its first paragraph needs no line of its own."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in MARKS:
            self.out.append(f"<{MARKS[tag]}>")
        elif tag == "br":
            self.out.append("\n")
        elif tag == "p":
            self._break("" if self._open else "\n" if self._lists else "\n\n")
        elif tag in ("ul", "ol"):
            if not self._lists:
                self._break("\n")
            self._lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            self._item()
        self._open = tag == "li"

    def handle_endtag(self, tag: str) -> None:
        if tag in MARKS:
            self.out.append(f"</{MARKS[tag]}>")
        elif tag in ("ul", "ol"):
            self._lists.pop()

    def handle_data(self, data: str) -> None:
        # Line breaks of the source stand between blocks or beside <br>; what shall be seen has its tag.
        if words := data.replace("\n", ""):
            self.out.append(escape(words, quote=False))
            self._open = False

    def _break(self, lines: str) -> None:
        if self.out:
            self.out.append(lines)

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else None
        sign = "•"
        if number is not None:
            sign, self._lists[-1] = f"{number}.", number + 1
        self._break("\n")
        self.out.append(f"{'  ' * (len(self._lists) - 1)}{sign} ")
