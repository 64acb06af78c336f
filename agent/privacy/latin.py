"""Names in Latin letters: a small linear tagger over words, their neighbours and their shapes. Pure, weights fitted beforehand.

```
"ask for Nneka Okafor at six"    each word ─► features ─► hashed weights ─► 0..1     neighbours above the bound are one name
```
Fitted by `mayak eval pii --fit` (`evals/pii/teaching.py`); what a word is called follows from what was written of the
word before it, so that the second word of a name is told more easily than the first.
"""

import base64
import json
import math
import re
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zoneinfo import available_timezones

from agent.privacy.spans import Span

WEIGHTS = Path(__file__).with_name("latin_fit.json")
SIZE = 1 << 16
"""Places for weights; features that share one are seldom seen together."""
SMALL, SELDOM, OPENING, SURE = 0.35, 0.8, 0.6, 0.01
"""From which share a word is a name, whatever was fitted: in small letters, and known as one or not; an ordinary word at
the head of a sentence, with a capital it has anyway; with a capital and known as nothing but a name."""
FILTER = 1 << 20
"""Bits of the filter of names."""
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")
_POSSESSIVE = re.compile(r"[’']s$")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_OTHER = re.compile(r"[\u0370-\u1dff\u2e80-\uffff]")
_PARTS = re.compile(r"[-’']|(?<=^Mc)|(?<=^Mac)|(?<=^De)")
_LEADS = frozenset(("to", "in", "from", "at", "near", "via", "around", "outside", "or", "and", "visit"))
_PARTICLES = frozenset(
    (
        "de",
        "da",
        "van",
        "von",
        "der",
        "den",
        "ten",
        "ter",
        "bin",
        "al",
        "el",
        "la",
        "le",
        "di",
        "du",
        "dos",
        "af",
    )
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text, with what stands between it and the one before."""

    text: str
    start: int
    end: int
    before: str


@dataclass(frozen=True, slots=True)
class Weights:
    """What was fitted: a weight a place, the common addend, and the share from which a word is a name."""

    places: Sequence[float]
    bias: float
    bound: float
    heard: bytes = b""
    """A Bloom filter of names that are known to exist; empty: none are."""

    common: bytes = b""
    """The same of words people write about anything."""

    def told(self, word: str) -> str:
        """Return whether a word in small letters is known: as a name, as an ordinary word, as both, or not at all."""
        return f"{'n' * _in(self.heard, word)}{'w' * _in(self.common, word)}"


def bits(word: str) -> tuple[int, ...]:
    """Return the places of a word in the filter of names."""
    return tuple(zlib.crc32(f"{n}{word}".encode()) % FILTER for n in range(3))


def _in(filled: bytes, word: str) -> bool:
    return bool(filled) and all(filled[place >> 3] >> (place & 7) & 1 for place in bits(word))


def latin_names(text: str, *, weights: Weights | None = None) -> Iterator[Span]:
    """Yield names of people in the Latin words of a folded text."""
    known = weights or fitted()
    words = words_of(text)
    first: int | None = None
    last = -1
    named = False
    for n, word in enumerate(words):
        bound = _bound(words, n, known)
        named = _share(features(words, n, named=named, told=known.told), known) >= bound
        if not named:
            # «van den» between two names belongs to them.
            if word.text in _PARTICLES and first is not None and last >= n - 2:
                named = True
            continue
        if first is None or last < n - 1 - _particles(words, last + 1, n) or not _joins(words[n - 1], word):
            if first is not None and not _a_town(words, first, last):
                yield _span(words, first, last)
            first = n
        last = n
    if first is not None and not _a_town(words, first, last):
        yield _span(words, first, last)


def heard_of(name: str) -> bool:
    """Whether some word of a name is known as a name and as nothing else."""
    return any(fitted().told(word.text.lower()) == "n" for word in words_of(name))


def words_of(text: str) -> list[Word]:
    """Return the words of a text that have Latin letters alone."""
    out: list[Word] = []
    end = 0
    for found in _WORD.finditer(text):
        if _LATIN.search(found.group()) and not _OTHER.search(found.group()):
            word = _POSSESSIVE.sub("", found.group())
            out.append(Word(word, found.start(), found.start() + len(word), text[end : found.start()]))
        end = found.end()
    return out


def features(words: Sequence[Word], n: int, *, named: bool, told: Callable[[str], str]) -> list[int]:
    """Return the places of what is to be seen at a word; `named`: the word before is a name, `told`: what a word is known as."""
    word = words[n]
    low = word.text.lower()
    shape = _shape(word.text)
    opens = n == 0 or any(sign in word.before for sign in ".!?\n")
    gap = "".join(sign for sign in word.before if not sign.isspace())[-2:] + (
        "\n" if "\n" in word.before else ""
    )
    after = words[n + 1].before if n + 1 < len(words) else "$"
    behind = "".join(sign for sign in after if not sign.isspace())[:1] + ("\n" if "\n" in after else "")
    known = told(low)
    ahead = told(words[n + 1].text.lower()) if n + 1 < len(words) else "$"
    behind_it = told(words[n - 1].text.lower()) if n else "^"
    one, two = (_near(words, n - k) for k in (1, 2))
    next_one, next_two = (_near(words, n + k) for k in (1, 2))
    seen = [
        f"w={low}", f"s={shape}", f"s={shape},o={opens}", f"n={named},s={shape}", f"n={named},w={low}",
        f"e2={low[-2:]}", f"e3={low[-3:]}", f"e4={low[-4:]}", f"b3={low[:3]}", f"e3={low[-3:]},s={shape}",
        f"ascii={low.isascii()},s={shape}", f"l={min(len(low), 12)},s={shape}",
        f"g={gap},s={shape}", f"h={behind},s={shape}", f"h={behind},n={named},s={shape}",
        f"p1={one},s={shape}", f"p2={two},{one},s={shape}", f"p2={two},s={shape}",
        f"x1={next_one},s={shape}", f"x2={next_one},{next_two},s={shape}", f"pn={one},{next_one},s={shape}",
        f"p1={one},e3={low[-3:]}",
        f"k={known},s={shape}", f"k={known},s={shape},o={opens}", f"k={known},n={named},s={shape}", f"k={known},p1={one},s={shape}",
        f"k={known},x1={next_one},s={shape}", f"k={known},k1={ahead},s={shape}", f"k={known},h={behind},g={gap},s={shape}",
        f"k={known},k0={behind_it},g={gap},s={shape}", f"k={known},k1={ahead},h={behind},s={shape}",
    ]  # fmt: skip
    return [zlib.crc32(feature.encode()) % SIZE for feature in seen]


@cache
def fitted() -> Weights:
    """Return the weights that lie beside this file."""
    known = json.loads(WEIGHTS.read_text("utf-8"))
    packed = array("b", zlib.decompress(base64.b64decode(known["weights"])))
    scale = float(known["scale"])
    heard = zlib.decompress(base64.b64decode(known["heard"]))
    common = zlib.decompress(base64.b64decode(known["common"]))
    return Weights(
        [scale * value for value in packed], float(known["bias"]), float(known["bound"]), heard, common
    )


def _share(places: Sequence[int], weights: Weights) -> float:
    total = weights.bias + sum(weights.places[place] for place in places)
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def _near(words: Sequence[Word], n: int) -> str:
    """Return a neighbour as it is seen: ordinary words as they are, capitalised ones by their shape."""
    if not 0 <= n < len(words):
        return "^"
    text = words[n].text
    return text if text.islower() else f"<{_shape(text)}>"


def _shape(text: str) -> str:
    if text.islower():
        return "x"
    if text.isupper():
        return "X" if len(text) == 1 else "XX"
    return "Xx" if text[0].isupper() and _capital(text) else "xX"


def _capital(text: str) -> bool:
    """Whether capitals stand only where parts of a name begin: O'Connor, McCray, Smith-Jones."""
    return all(part[:1].isupper() and part[1:].islower() for part in _PARTS.split(text) if part[1:])


def _particles(words: Sequence[Word], start: int, end: int) -> int:
    return sum(word.text in _PARTICLES for word in words[start:end])


def _a_town(words: Sequence[Word], first: int, last: int) -> bool:
    """Whether a single word is a known town where towns stand: Madrid is also a surname, and Paris a given name."""
    leads = words[first - 1].text.lower() if first else ""
    return first == last and leads in _LEADS and words[first].text.lower() in _towns()


@cache
def _towns() -> frozenset[str]:
    return frozenset(name.rsplit("/", 1)[-1].lower() for name in available_timezones() if "/" in name)


def _bound(words: Sequence[Word], n: int, known: Weights) -> float:
    """Return from which share a word is a name: words in small letters and those that open a sentence rarely are."""
    word = words[n]
    told = known.told(word.text.lower())
    if word.text.islower():
        return SMALL if told == "n" else SELDOM
    if told == "n":
        return SURE
    opens = n == 0 or any(sign in word.before for sign in ".!?")
    followed = (
        n + 1 < len(words)
        and (words[n + 1].text.islower() or words[n + 1].text == "I")
        and words[n + 1].before.isspace()
    )
    return OPENING if opens and followed and "w" in told else known.bound


def _joins(left: Word, right: Word) -> bool:
    """Whether nothing but a blank stands between two words, or the stop of an initial."""
    if right.start - left.end != len(right.before):
        return False
    gap = right.before
    if gap == ". " or gap == ".":
        return len(left.text) == 1
    return gap in (" ", "  ", "-")


def _span(words: Sequence[Word], first: int, last: int) -> Span:
    return Span(kind="name", start=words[first].start, end=words[last].end)
