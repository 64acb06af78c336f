"""What of a very long message is read for a search and by rule: its requests first, then what names a number. Pure.

Reading costs grow with every letter, and an encoder keeps one meaning of whatever it is given: of a letter of two
pages, the question is worth more than the story. The transcript, the ticket and a provider's model get the whole.
"""

from agent.language import sentences
from agent.wording import asks

LONGEST = 400
"""Characters that are read; questions people ask are shorter."""
EARLIER = 200
"""Characters read of an earlier message, which only says what a short question goes on with."""


def gist(text: str, *, longest: int = LONGEST) -> str:
    """Return the text itself, or sentences of it in their order, line by line, at most `longest` characters.

    A sentence that stands there twice is read once; one longer than half of what is read loses its end.
    """
    if len(text) <= longest:
        return text
    lines = [[_cut(s, longest // 2) for s in sentences(line) or [line]] for line in text.splitlines()]
    first = {piece: n for n, piece in reversed([*enumerate(p for line in lines for p in line)]) if piece}
    kept: set[str] = set()
    left = longest
    for piece in sorted(first, key=lambda piece: (_rank(piece), first[piece])):
        if len(piece) < left:
            kept.add(piece)
            left -= len(piece) + 1
    return "\n".join(filter(None, (_once(line, kept) for line in lines)))


def as_meant(question: str, understood: str) -> str:
    """Return the question in readable letters: a wrong keyboard layout or transliteration repaired by the search."""
    as_typed = " ".join(gist(question).split())
    repaired = len(understood) >= len(as_typed) // 2 and not set(understood.split()) <= set(as_typed.split())
    return understood if repaired else question


def _once(line: list[str], kept: set[str]) -> str:
    """Return the kept sentences of a line, and take them from `kept`."""
    found = [piece for piece in dict.fromkeys(line) if piece in kept]
    kept.difference_update(found)
    return " ".join(found)


def _rank(piece: str) -> int:
    if "?" in piece or asks(piece):
        return 0
    return 1 if any(letter.isdigit() for letter in piece) else 2


def _cut(piece: str, most: int) -> str:
    """Return the beginning of a sentence, to the end of a word where there is one."""
    piece = piece.strip()
    if len(piece) <= most:
        return piece
    head, *_ = piece[:most].rsplit(maxsplit=1)
    return head
