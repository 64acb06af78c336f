"""Words as an index sees them: folded, stemmed by script, product codes whole; and the letter groups inside words.

"Заказы ещё не пришли, FN-204-ВК" → заказ · ещ → еще · не · пришл · fn-204-bk · fn · 204 · bk
"""

import re
from collections.abc import Iterable
from functools import lru_cache

import Stemmer

_TOKEN = re.compile(r"[a-zа-я0-9]+(?:[-_/.][a-zа-я0-9]+)*")
_PART = re.compile(r"[a-zа-я0-9]+")
_CYRILLIC = re.compile(r"[а-я]")
_DIGIT = re.compile(r"\d")
# In codes people type whichever alphabet is on; in words the letters are what they are.
_LOOKALIKE = str.maketrans("авекмнорстух", "abekmhopctyx")
_GRAMS = (3, 4)
_LONGEST = 40

_STEMMERS = {"ru": Stemmer.Stemmer("russian"), "en": Stemmer.Stemmer("english")}


def folded(text: str) -> str:
    """Return the text in lower case with ё as е."""
    return text.lower().replace("ё", "е")


def stems(text: str) -> list[str]:
    """Return the stems of a text in order; a code like FN-204-BK gives itself and then its parts."""
    out: list[str] = []
    for token in _TOKEN.findall(folded(text)):
        if token.isalnum():
            out.append(_stem(token))
            continue
        parts = _PART.findall(token)
        if len(parts) > 1 and _DIGIT.search(token):
            out.append(re.sub(r"[_/.]", "-", token.translate(_LOOKALIKE)))
        out.extend(_stem(part) for part in parts)
    return out


def plain_words(text: str) -> list[str]:
    """Return the folded words without stemming, codes in parts."""
    return _PART.findall(folded(text))


def grams(text: str) -> list[str]:
    """Return groups of 3 and 4 letters inside each word with its edges; words of three letters stay whole."""
    return grams_of(plain_words(text))


def grams_of(words: Iterable[str]) -> list[str]:
    """Return the groups of letters of folded words."""
    out: list[str] = []
    for word in words:
        out.extend(_grams(word[:_LONGEST]))
    return out


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    if _DIGIT.search(word):
        return word.translate(_LOOKALIKE)
    return str(_STEMMERS["ru" if _CYRILLIC.search(word) else "en"].stemWord(word))


@lru_cache(maxsize=50_000)
def _grams(word: str) -> tuple[str, ...]:
    edged = f" {word} "
    if len(word) <= 3:
        return (edged,)
    return tuple(edged[i : i + size] for size in _GRAMS for i in range(len(edged) - size + 1))
