"""How short customer utterances are recognised: phrases kept as data, compiled once, matched in well under 1 ms.

A phrase of `texts/cues.{ru,en}.toml` is written in words; between them

    word*      the word in any ending           (a|b c)   one of these
    {name}     one of the section's list        [a|b]     one of these or nothing
    ~          up to three words of any kind    ^ $ ? /   start, end of a clause, of a question, the break

Messages are read lower-case, «ё» as «е», without punctuation inside a clause; a slip of one letter inside
a longer word is forgiven when the word meant occurs in the phrases.
"""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tools.context import Language

TEXTS = Path(__file__).parent / "texts"
READ_FROM_EACH_END = 600
"""Characters of a long message that are looked at: what people ask for stands at its start or its end."""
SHORTEST_FORGIVEN = 5

_TABLES = ("words", "expand", "patterns")
"""Tables of a file that are no sections of phrases."""
_UTTERED = frozenset(("yes", "no", "greeting", "thanks", "repeat", "shorter", "unhelpful", "vague"))
"""Lists of words that are whole utterances, in which a slip of one letter is forgiven."""
_ELEMENT = re.compile(r"\[[^\]]*\]|\([^)]*\)|\{\w+\}|\S+")
_BREAK = re.compile(r"([.!?…;\n\r]+)")
_QUOTED = re.compile(r"[\"“«][^\"”»]{3,}[\"”»]")
_NOT_WORD = re.compile(r"[^\w□+']+")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "ё": "е", "_": " "})
_SHORTENED: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(pattern), full)
    for pattern, full in (
        (r"\bwon't\b", "will not"),
        (r"\bcan't\b", "can not"),
        (r"\bain't\b", "are not"),
        (r"n't\b", " not"),
        (r"'re\b", " are"),
        (r"'m\b", " am"),
        (r"'ll\b", " will"),
        (r"'ve\b", " have"),
        (r"'d\b", " would"),
        (r"'s\b", " is"),
    )
)


def plain(text: str) -> str:
    """Return the text as the phrases see it: one space between words, ` . ` or ` ? ` after a clause."""
    folded = _unquoted(unicodedata.normalize("NFKC", text).lower()).translate(_APOSTROPHES)
    for pattern, full in _SHORTENED:
        folded = pattern.sub(full, folded)
    pieces = [*_BREAK.split(folded), ""]
    spoken = ""
    for clause, mark in zip(pieces[::2], pieces[1::2], strict=True):
        heard = _NOT_WORD.sub(" ", clause).replace("'", "").split()
        if heard:
            spoken += f"{' '.join(heard)} {'?' if '?' in mark else '.'} "
    return f". {spoken}"


def _unquoted(text: str) -> str:
    """Leave out what is only quoted, unless the whole message stands in quotation marks."""
    rest = _QUOTED.sub(" □ ", text)
    return rest if any(mark.isalnum() for mark in rest) else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One kind of utterance: phrases that show it and phrases that look like it but are something else."""

    phrases: re.Pattern[str]
    never: re.Pattern[str] | None

    def found(self, spoken: str) -> bool:
        """Tell whether the kind occurs anywhere in `spoken` (the result of `plain`)."""
        rest = self.never.sub("□ ", spoken) if self.never else spoken
        return self.phrases.search(rest) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cues:
    """The utterance cues of one language."""

    sections: Mapping[str, Section]
    words: Mapping[str, frozenset[str]]
    expand: Mapping[str, str]
    vocabulary: Mapping[str, str]
    """Every word with one letter left out, or two exchanged, to the word itself."""

    def spoken(self, text: str, *, kept: Callable[[str], bool] = lambda word: False) -> str:
        """Return the text in the form the sections read, slips of the keyboard put right except in `kept` words."""
        tokens = plain(_ends(text)).split()
        return " ".join(self.expand.get(one, one) if kept(one) else self._meant(one) for one in tokens) + " "

    def _meant(self, token: str) -> str:
        if token in self.expand:
            return self.expand[token]
        if len(token) < SHORTEST_FORGIVEN - 1 or self.vocabulary.get(token) == token:
            return token
        for slip in slips(token):
            word = self.vocabulary.get(slip)
            if word is not None and _same_but_for_a_slip(token, word):
                return word
        return token

    def find(self, kind: str, text: str) -> bool:
        """Tell whether `text` contains an utterance of this kind."""
        return self.sections[kind].found(self.spoken(text))

    def only(self, text: str, *, kind: str, fillers: str = "fillers") -> bool:
        """Tell whether the whole message is made of words of `kind`, polite fillers aside."""
        tokens = self._tokens(text)
        said = [token for token in tokens if token not in self.words[fillers]]
        return bool(said) and all(token in self.words[kind] for token in said)

    def _tokens(self, text: str) -> list[str]:
        """Words of the text with the several-word members of the lists kept together (`не_надо`)."""
        spoken = " ".join(token for token in self.spoken(text).split() if token not in ".?")
        for phrase in self._joined:
            spoken = f" {spoken} ".replace(f" {phrase} ", f" {phrase.replace(' ', '_')} ")
        return spoken.split()

    @property
    def _joined(self) -> list[str]:
        return _joined(frozenset().union(*self.words.values()))


@cache
def _joined(words: frozenset[str]) -> list[str]:
    return sorted((w.replace("_", " ") for w in words if "_" in w), key=len, reverse=True)


@cache
def cues(language: Language, *, name: str = "cues") -> Cues:
    """Return the cues of `language` in the file of that name, read and compiled once."""
    raw = tomllib.loads((TEXTS / f"{name}.{language}.toml").read_text(encoding="utf-8"))
    words = {name: frozenset(w.replace(" ", "_") for w in raw["words"][name]) for name in raw["words"]}
    sections = {name: _section(raw[name]) for name in raw if name not in _TABLES}
    return Cues(
        sections=sections, words=words, expand=raw.get("expand", {}), vocabulary=_vocabulary(_written(raw))
    )


def _section(raw: Mapping[str, Any]) -> Section:
    lists = {name: words for name, words in raw.items() if name not in ("phrases", "never")}
    never = raw.get("never", [])
    return Section(phrases=_any_of(raw["phrases"], lists), never=_any_of(never, lists) if never else None)


def _any_of(phrases: Iterable[str], lists: Mapping[str, Sequence[str]]) -> re.Pattern[str]:
    return re.compile("(?:^|(?<= ))(?:" + "|".join(_pattern(phrase, lists) for phrase in phrases) + ")")


def _pattern(phrase: str, lists: Mapping[str, Sequence[str]]) -> str:
    """Compile one phrase; every piece eats the space after it, so matches begin and end at words."""
    return "".join(_piece(element, lists) for element in _ELEMENT.findall(phrase))


def _piece(element: str, lists: Mapping[str, Sequence[str]]) -> str:
    if element == "^":
        return r"(?<=[.?] )"
    if element == "/":
        return r"[.?] "
    if element == "~":
        return r"(?:\w+ ){0,3}"
    if element[0] in "[(":
        one = "|".join(_alternative(option, lists) for option in element[1:-1].split("|"))
        return f"(?:{one})?" if element[0] == "[" else f"(?:{one})"
    return _alternative(element, lists)


def _alternative(option: str, lists: Mapping[str, Sequence[str]]) -> str:
    if option == "?":
        return r"(?=\? )"
    if option == "$":
        return r"(?=[.?] )"
    if option[:1] == "{":
        return f"(?:{'|'.join(map(_words, lists[option[1:-1]]))}) "
    return _words(option) + " "


def _words(text: str) -> str:
    return " ".join(re.escape(word).replace(r"\*", r"\w*") for word in text.split())


def _written(raw: Mapping[str, Any]) -> frozenset[str]:
    """Return the words that occur in phrases and lists in full, i.e. without a star."""
    found: set[str] = set()
    for name, section in raw.items():
        if name not in _TABLES:
            for values in section.values():
                found.update(
                    word for value in values for word in re.findall(r"(?<!\*)\b[^\W\d_]+(?!\w*\*)\b", value)
                )
    for name in raw["words"].keys() & _UTTERED:
        found.update(part for word in raw["words"][name] for part in word.split())
    return frozenset(word for word in found if len(word) >= SHORTEST_FORGIVEN - 1)


def _vocabulary(words: frozenset[str]) -> dict[str, str]:
    known: dict[str, str] = {}
    for word in sorted(words):
        for slip in slips(word):
            known.setdefault(slip, word)
    return known | {word: word for word in words}


def slips(word: str) -> list[str]:
    """Return the word, the word with each letter left out, and with each two neighbours exchanged."""
    left_out = [word[:i] + word[i + 1 :] for i in range(len(word))] if len(word) >= SHORTEST_FORGIVEN else []
    swapped = [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)]
    return [word, *left_out, *swapped]


def _same_but_for_a_slip(token: str, word: str) -> bool:
    """Refuse a difference in the last two letters: that is an ending, not a slip."""
    if sorted(token) == sorted(word):
        return True
    return token[0] == word[0] and token[-2:] == word[-2:] and abs(len(token) - len(word)) <= 1


def _ends(text: str) -> str:
    if len(text) <= 2 * READ_FROM_EACH_END:
        return text
    return f"{text[:READ_FROM_EACH_END]}\n{text[-READ_FROM_EACH_END:]}"
