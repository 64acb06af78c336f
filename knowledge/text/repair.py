"""Queries typed in the wrong keyboard layout or in Latin transliteration, read as they were meant.

"rfr dthyenm njdfh" → «как вернуть товар», "kak vernut tovar" → «как вернут товар». No list of words: a reading wins when
its letters follow each other as they do in the company's own documents, and its words are found there.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

_LATIN = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
_CYRILLIC = "ёйцукенгшщзхъфывапролджэячсмитьбю"
_TO_CYRILLIC = str.maketrans(_LATIN, _CYRILLIC)
_TO_LATIN = str.maketrans(_CYRILLIC, _LATIN)
_SOUNDS = (
    ("shch", "щ"), ("sch", "щ"), ("sh", "ш"), ("ch", "ч"), ("zh", "ж"), ("kh", "х"), ("ts", "ц"), ("yu", "ю"),
    ("ju", "ю"), ("ya", "я"), ("ja", "я"), ("yo", "е"), ("jo", "е"), ("ye", "е"), ("iy", "ий"), ("yy", "ый"),
    ("ay", "ай"), ("oy", "ой"), ("ey", "ей"), ("uy", "уй"), ("a", "а"), ("b", "б"), ("c", "ц"), ("d", "д"),
    ("e", "е"), ("f", "ф"), ("g", "г"), ("h", "х"), ("i", "и"), ("j", "й"), ("k", "к"), ("l", "л"), ("m", "м"),
    ("n", "н"), ("o", "о"), ("p", "п"), ("q", "к"), ("r", "р"), ("s", "с"), ("t", "т"), ("u", "у"), ("v", "в"),
    ("w", "в"), ("x", "кс"), ("y", "ы"), ("z", "з"), ("'", "ь"),
)  # fmt: skip
_SPEECH = dict(_SOUNDS)
# "oy" is ой, but before a vowel the y belongs to it: "moya" is моя.
_SOUND = re.compile("|".join(sound + ("(?![aou])" if sound[1:] == "y" else "") for sound, _ in _SOUNDS))
_FIXED = re.compile(r"\d|@|://|www\.")
_WORD = re.compile(r"[^\W\d_]+")
_EDGE = re.compile(r"^(\W*)(.*?)([!?…\s\"»)]*)$", re.DOTALL)

_ALPHABET = 64
_SMOOTH = 0.1
_KNOWN = 2.0
_MARGIN = 1.2
_FOUND = 0.2
_MADE_OF_WORDS = 0.8
_ENOUGH = 400
_LONGEST = 400


class Letters:
    """Which letter follows which in the documents; `known` says whether a word occurs in them."""

    def __init__(self, *, known: Callable[[str], bool]) -> None:
        self._known = known
        self._pairs: Counter[str] = Counter()
        self._triples: Counter[str] = Counter()
        self._new: Counter[str] = Counter()
        self._seen = 0

    def learn(self, words: Sequence[str]) -> None:
        """Take in some words; their letters are counted when a query asks, each different word once."""
        self._new.update(words)
        self._seen += sum(map(len, words))

    def _count(self) -> None:
        for word, times in self._new.items():
            edged = f"^{word}$"
            for i in range(1, len(edged)):
                before = edged[max(0, i - 2) : i]
                self._pairs[before] += times
                self._triples[before + edged[i]] += times
        self._new.clear()

    def understood(self, query: str) -> str:
        """Return the most plausible reading of a query; the query itself unless another is clearly better."""
        if len(query) > _LONGEST or self._seen < _ENOUGH:
            return query
        if self._found(query) >= _MADE_OF_WORDS:
            return query
        self._count()
        readings = [(self._plausible(query), query)]
        for other in _readings(query, keep=self._known):
            if self._found(other) >= _FOUND:
                readings.append((self._plausible(other) - _MARGIN, other))
        return max(readings, key=lambda reading: reading[0])[1]

    def _plausible(self, text: str) -> float:
        words = _WORD.findall(text.lower().replace("ё", "е"))
        size = sum(map(len, words))
        if not size:
            return -math.inf
        return sum(self._likely(word) * len(word) for word in words) / size + _KNOWN * self._found(text)

    def _found(self, text: str) -> float:
        """Return the share of letters in words that the documents have."""
        words = _WORD.findall(text.lower().replace("ё", "е"))
        # Words of one or two letters are found everywhere and prove nothing.
        known = sum(len(word) for word in words if len(word) > 2 and self._known(word))
        return known / (sum(map(len, words)) or 1)

    def _likely(self, word: str) -> float:
        edged = f"^{word}$"
        total = 0.0
        for i in range(1, len(edged)):
            before = edged[max(0, i - 2) : i]
            seen = self._triples[before + edged[i]] + _SMOOTH
            total += math.log(seen / (self._pairs[before] + _SMOOTH * _ALPHABET))
        return total / (len(edged) - 1)


def _readings(query: str, *, keep: Callable[[str], bool]) -> Iterator[str]:
    for change in (_other_layout, _spoken, _latin_layout):
        out = _changed(query, change, keep=keep)
        if out != query:
            yield out


def _changed(query: str, change: Callable[[str], str], *, keep: Callable[[str], bool]) -> str:
    """Change word by word; what holds digits or is a known word on its own stays."""
    out: list[str] = []
    for token in re.split(r"(\s+)", query):
        found = _EDGE.match(token)
        if not token.strip() or _FIXED.search(token) or found is None:
            out.append(token)
            continue
        # Punctuation keys are letters in the other layout, so only the end of a token is left alone.
        start, end = found.start(3), found.end(3)
        word, tail = token[:start], token[start:end]
        other = change(word)
        if word[-1:] in (",", ".") and not keep(other) and keep(change(word[:-1])):
            other = change(word[:-1]) + word[-1]
        stays = len(word) > 2 and keep(word) and not keep(other)
        out.append((word if stays else other) + tail)
    return "".join(out)


def _other_layout(word: str) -> str:
    return word.lower().translate(_TO_CYRILLIC) if re.search("[a-z]", word.lower()) else word


def _latin_layout(word: str) -> str:
    return word.lower().translate(_TO_LATIN) if re.search("[а-яё]", word.lower()) else word


def _spoken(word: str) -> str:
    return _SOUND.sub(lambda sound: _SPEECH[sound.group()], word.lower())
