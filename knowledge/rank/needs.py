"""What a message asks for: the questions in one message, the clauses of a long story. Pure, no list of topics."""

import re

from knowledge.text.sentences import sentences
from knowledge.text.words import stems

_AND = re.compile(
    r"[,;]?\s+(?:и|а|а ещё|а еще|и ещё|и еще|а также|and|and also|also)\s+(?="
    r"(?:как|каков|какая|какие|какой|какое|сколько|до скольки|где|куда|откуда|когда|кто|что|чем|зачем|почему|можно|нужно|нужен|есть\s+ли|"
    r"how|what|where|when|which|who|why|can|could|do|does|is|are|will)\b)",
    re.IGNORECASE,
)
_ASKED = re.compile(r"(?<=\?)\s+")
_MARKS = re.compile(r"[*#>`_|]+")
_BULLET = re.compile(r"^\s*(?:[-•–—]|\d+[.)])\s+")
_SHORT = 300
_MOST = 4
_LEAST = 2
_SAID = 4


def questions_in(message: str) -> tuple[str, ...]:
    """Return the questions of a message that asks several things, at most four; () when it asks one.

    "Сколько стоит доставка и как вернуть товар?" → «Сколько стоит доставка», «как вернуть товар?»
    In a long message only what ends in a question mark is one.
    """
    asked: dict[str, None] = {}
    for sentence in (one for line in sentences(message) for one in _ASKED.split(line)):
        pieces = [piece.strip(" ,;") for piece in _AND.split(sentence)]
        if sentence.rstrip().endswith("?") or (len(pieces) > 1 and len(message) <= _SHORT):
            asked |= dict.fromkeys(piece for piece in pieces if len(stems(piece)) >= _LEAST)
    return tuple(asked)[:_MOST] if len(asked) > 1 else ()


def clauses(story: str) -> tuple[str, ...]:
    """Return the sentences of a story that say something (four words or more), in order, each once; marks removed."""
    out: dict[str, None] = {}
    for line in story.splitlines():
        plain = _BULLET.sub("", _MARKS.sub(" ", line))
        for sentence in sentences(plain) if plain.strip() else ():
            if len(stems(sentence)) >= _SAID:
                out[" ".join(sentence.split())] = None
    return tuple(out)
