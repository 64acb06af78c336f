"""A text as recognisers read it: nothing invisible, plain digits, spaces and dashes, each letter at a known place. Pure.

```
"\u200b8\u200b9１6 1２З 45–67"  ─►  "8916 123 45-67"    with the place of every kept character in the original
```
One character in gives at most one out, so that a find can always be told in places of the original.
"""

import re
import unicodedata
from dataclasses import dataclass

_DASHES = dict.fromkeys("‐‑‒–—−﹣－⁃", "-")
_SPACES = dict.fromkeys(
    "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
)
_SIGNS = {**_DASHES, **_SPACES, "＠": "@", "﹫": "@", "․": ".", "。": ".", "＋": "+", "’": "'", "`": "'"}
_LIKE_DIGITS = str.maketrans("OОoоlI|ЗзB", "0000111338")
"""Letters that look like digits, read as such among digits only."""
_NUMBER = re.compile(r"(?<![^\W_])[+(]?[\dOОoоlI|ЗзB](?:[ ().№\-]{0,3}[\dOОoоlI|ЗзB]){6,24}(?![^\W_])")


@dataclass(frozen=True, slots=True)
class Folded:
    """The text as it is read; `places[n]` is where its n-th character stands in the original."""

    text: str
    places: tuple[int, ...] | None
    """None where every character stands where it stood."""

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return a stretch of the folded text as one of the original."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def fold(text: str) -> Folded:
    """Return the text without what cannot be seen, and with one form for each digit, space and dash."""
    if text.isascii():
        return Folded(_digits(text), None)
    out, places = [], []
    for place, letter in enumerate(text):
        folded = _one(letter)
        if folded:
            out.append(folded)
            places.append(place)
    return Folded(_digits("".join(out)), None if len(out) == len(text) else tuple(places))


def _one(letter: str) -> str:
    if letter < "\x80" or "а" <= letter <= "я" or "А" <= letter <= "Я" or letter in "ёЁ":
        return letter
    if letter in _SIGNS:
        return _SIGNS[letter]
    kind = unicodedata.category(letter)
    if kind in ("Cf", "Mn", "Me", "Cc"):
        return ""
    if kind in ("Nd", "No"):
        digit = unicodedata.digit(letter, None)
        return letter if digit is None else str(digit)
    plain = unicodedata.normalize("NFKC", letter)
    return plain if len(plain) == 1 else letter


def _digits(text: str) -> str:
    """Read letters that look like digits as such inside a number that is mostly digits."""
    return _NUMBER.sub(_mended, text) if any(map(str.isdigit, text)) else text


def _mended(found: re.Match[str]) -> str:
    written = found.group()
    digits = sum(letter.isdigit() for letter in written)
    letters = sum(letter.isalpha() or letter == "|" for letter in written)
    return written.translate(_LIKE_DIGITS) if letters and digits >= 2 * letters else written
