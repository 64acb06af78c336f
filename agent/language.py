"""What language a text is in, its sentences and stems, and the few utterances that need no model.

Pure functions over data (`texts/cues.{ru,en}.toml`), each well under 1 ms for a message of usual length.
Russian typed in Latin letters (`kak vernut tovar`) or on the wrong keyboard layout (`rfr dthyenm njdfh`) is
read as Russian when most of it turns into Russian words.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import Stemmer

from agent.cues import Cues, cues
from agent.sentences import sentences
from tools.context import Language

__all__ = [
    "content",
    "detect",
    "dictionary",
    "is_function",
    "is_greeting",
    "is_russian_noun",
    "is_russian_predicate",
    "is_thanks",
    "readable",
    "says_no",
    "says_yes",
    "script",
    "sentences",
    "stem",
    "stems",
    "wants_person",
    "warm",
    "words",
]

LONGEST_ANSWER = 6
"""Words of a plain yes or no; anything longer says more than that."""
CYRILLIC_SHARE = 0.6
"""Share of Cyrillic among the letters from which a text is Russian; below, its small words decide: brands are Latin."""
RUSSIAN_SHARE = 0.6
"""Share of letters that must turn into Russian words before Latin text is read as disguised Russian."""
ENGLISH_SHARE = 0.5
"""Share of letters in plainly English words from which Latin text is English."""
LONG_ENOUGH = 3
"""Letters of a small English word that no transliterated Russian word looks like: "my" and "do" are both."""
EXAMINED = 400
"""Characters that decide about the language; more add nothing."""

_PREDICATE = frozenset({"VERB", "INFN", "PRTS", "PRED", "ADJS", "GRND"})

_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
_VOWEL = re.compile(r"[aeiou]")
_TYPED = re.compile(r"[A-Za-z\[\];'`,.]+")
_CODE = re.compile(r"\d\D*\d|^\W*\d+\W*$")
_CODED = re.compile(r"\S*\d\S*")
"""Order numbers and codes are spelled in either alphabet, whatever the language around them."""
_TWINS = str.maketrans("авсенкмортх", "abcehkmoptx")
_LAYOUT = str.maketrans(
    "qwertyuiop[]asdfghjkl;'zxcvbnm,.`QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>~",
    "йцукенгшщзхъфывапролджэячсмитьбюёЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮЁ",
)
_TRANSLITERATED: Sequence[tuple[str, str]] = (
    *(
        ("shch", "щ"),
        ("iya", "ия"),
        ("iye", "ие"),
        ("iyu", "ию"),
        ("sch", "щ"),
        ("yo", "ё"),
        ("zh", "ж"),
        ("kh", "х"),
        ("ts", "ц"),
        ("ch", "ч"),
        ("sh", "ш"),
    ),
    *(
        ("yu", "ю"),
        ("ju", "ю"),
        ("ya", "я"),
        ("ja", "я"),
        ("jo", "ё"),
        ("iy", "ий"),
        ("yy", "ый"),
        ("ye", "е"),
    ),
    *(("ay", "ай"), ("ey", "ей"), ("oy", "ой"), ("uy", "уй"), ("a", "а"), ("b", "б"), ("c", "ц"), ("d", "д")),
    *(
        ("e", "е"),
        ("f", "ф"),
        ("g", "г"),
        ("h", "х"),
        ("i", "и"),
        ("j", "й"),
        ("k", "к"),
        ("l", "л"),
        ("m", "м"),
    ),
    *(
        ("n", "н"),
        ("o", "о"),
        ("p", "п"),
        ("q", "к"),
        ("r", "р"),
        ("s", "с"),
        ("t", "т"),
        ("u", "у"),
        ("v", "в"),
    ),
    *(("w", "в"), ("x", "х"), ("y", "ы"), ("z", "з"), ("'", "ь"), ("4", "ч"), ("6", "ш")),
)
_TO_CYRILLIC = dict(_TRANSLITERATED)
_SYLLABLE = re.compile("|".join(sorted(map(re.escape, _TO_CYRILLIC), key=len, reverse=True)), re.IGNORECASE)


def detect(text: str, *, languages: Sequence[Language], previous: Language | None) -> Language:
    """Return which of the configured `languages` the text is in; unclear texts keep `previous`.

    `languages` is not empty, its first is the main one.
    """
    fallback = previous if previous is not None and previous in languages else languages[0]
    if len(languages) == 1:
        return languages[0]
    sample = _CODED.sub(" ", text[:EXAMINED])
    cyrillic, latin = len(_CYRILLIC.findall(sample)), len(_LATIN.findall(sample))
    if cyrillic + latin < 2:
        return fallback
    if cyrillic == 0 and _unclear(sample):
        return fallback
    russian = cyrillic >= CYRILLIC_SHARE * (cyrillic + latin) or _mostly_russian(sample, mixed=cyrillic > 0)
    found: Language = "ru" if russian else "en"
    return found if found in languages else fallback


def readable(text: str) -> str:
    """Return what was meant: Russian typed on the wrong layout or in Latin letters becomes Cyrillic."""
    if _CYRILLIC.search(text) or not _LATIN.search(text) or _english(text):
        return text
    for reading in (_other_layout(text), _in_cyrillic(text)):
        if _russian_share(reading) >= RUSSIAN_SHARE:
            return reading
    return text


def words(text: str) -> list[str]:
    """Return the words of the text: lower-case, «ё» as «е», codes whole with look-alike letters made one."""
    found: list[str] = []
    for token in _WORD.findall(text.lower().replace("ё", "е")):
        if any(mark.isdigit() for mark in token):
            found.append(token.translate(_TWINS))
        else:
            found.extend(part for part in re.split(r"[-'’]", token) if part)
    return found


def stems(text: str) -> list[str]:
    """Return the stem of every word of the text, in order; numbers and codes as they are."""
    return [stem(word) for word in words(text)]


def content(text: str) -> list[str]:
    """Return the stems that carry meaning: without function words and polite phrases."""
    return [stem(word) for word in words(text) if word not in _function()]


def is_function(word: str) -> bool:
    """Tell whether a lower-case word only links others: «и», «на», "the"."""
    return word in _function()


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return the stem of one lower-case word, by its script."""
    if any(mark.isdigit() for mark in word):
        return word
    return str(_stemmer("ru" if _CYRILLIC.search(word) else "en").stemWord(word))


@lru_cache(maxsize=50_000)
def is_russian_predicate(word: str) -> bool:
    """Tell whether a lower-case Russian word is most likely what a clause says of its subject: a verb, «можно», «готов»."""
    if not _CYRILLIC.search(word):
        return False
    return any(_PREDICATE & parse.tag.grammemes for parse in dictionary().parse(word)[:1])


@lru_cache(maxsize=50_000)
def is_russian_noun(word: str) -> bool:
    """Tell whether a lower-case Russian word is most likely a noun that something is said of."""
    if not _CYRILLIC.search(word):
        return False
    return any({"NOUN", "nomn"} <= parse.tag.grammemes for parse in dictionary().parse(word)[:1])


def is_greeting(text: str) -> bool:
    """Tell whether the whole message is a greeting: nothing is asked yet."""
    return any(c.only(text, kind="greeting", fillers="greeting_fillers") for c in _read(text))


def is_thanks(text: str) -> bool:
    """Tell whether the whole message is thanks; "thanks, and where is …" is not."""
    return any(_with(c, text, kind="thanks", fillers="fillers") for c in _read(text))


def says_yes(text: str) -> bool:
    """Tell whether the message is a short and plain yes: what a consent or a confirmation may rest on."""
    return _plain_answer(text, "yes") and not _plain_answer(text, "no")


def says_no(text: str) -> bool:
    """Tell whether the message is a short and plain no."""
    return _plain_answer(text, "no") and not _plain_answer(text, "yes")


def wants_person(text: str) -> bool:
    """Tell whether a person is asked for, anywhere in the message."""
    return any(c.find("person", text) for c in _read(text))


def asks_what_was_used(text: str) -> bool:
    """Tell whether the customer asks what an answer was made of: how we know, which data was used, why this is offered."""
    return cues(script(text), name="receipt").find("receipt", text)


def wants_erasure(text: str) -> bool:
    """Tell whether the customer asks that what is held of them be deleted."""
    return any(c.find("erase", text) for c in _read(text))


def script(text: str) -> Language:
    """Return Russian for a text with Cyrillic words, English for any other; codes are in neither."""
    return "ru" if _CYRILLIC.search(_CODED.sub(" ", text)) else "en"


def warm() -> None:
    """Load what is read lazily: cues, stemmers, the Russian dictionary. About a second, once a process."""
    for text in ("слово", "word"):
        stem(text)
        wants_person(text)
    dictionary()


def _read(text: str) -> list[Cues]:
    return [cues(script(text))]


def _with(c: Cues, text: str, *, kind: str, fillers: str) -> bool:
    """Tell whether the message is `kind` and fillers, with at least one word of the kind."""
    return c.only(text, kind=kind, fillers=fillers)


def _plain_answer(text: str, kind: str) -> bool:
    if len(words(text)) > LONGEST_ANSWER or "?" in text:
        return False
    return any(c.only(text, kind=kind, fillers="answer_fillers") for c in _read(text))


def _unclear(text: str) -> bool:
    """One short Latin word, or codes and numbers only, tell nothing about the language."""
    spelled = [word for word in words(text) if word.isalpha()]
    return sum(map(len, spelled)) <= 3 or not spelled


def _mostly_russian(text: str, *, mixed: bool) -> bool:
    if not mixed:
        return readable(text) != text
    small = [word for word in words(text) if word in _function()]
    return 2 * sum(1 for word in small if _CYRILLIC.search(word)) >= len(small)


def _english(text: str) -> bool:
    """Tell whether Latin text is plainly English: common words or spellings that other readings lack."""
    english = cues("en")
    known = english.words["function"] | english.words["common"] | english.words["greeting"]
    spelled = [word for word in words(text) if word.isalpha() and _LATIN.match(word)]
    plainly = sum(len(word) for word in spelled if word in known or _english_spelling(word))
    # A greeting is lent from one language to the other.
    little = [w for w in spelled if w in english.words["function"] and w not in english.words["greeting"]]
    small = any(len(word) >= LONG_ENOUGH for word in little) or _no_russian(spelled, little)
    return small or plainly > ENGLISH_SHARE * max(1, sum(map(len, spelled)))


def _no_russian(spelled: Sequence[str], little: Sequence[str]) -> bool:
    """Tell whether small English words that are none in Russian ("am") stand among words that are not Russian either."""
    russian = cues("ru").words["function"]
    telling = any(len(word) > 1 and _in_cyrillic(word) not in russian for word in little)
    rest = " ".join(word for word in spelled if word not in little)
    return telling and _russian_share(_in_cyrillic(rest)) < RUSSIAN_SHARE


def _english_spelling(word: str) -> bool:
    return bool(_VOWEL.search(word)) and any(mark in f"{word} " for mark in cues("en").words["spelling"])


def _other_layout(text: str) -> str:
    """Return the text as if typed on the Russian layout; a comma or a dot that ends a word stays one."""
    return _TYPED.sub(lambda match: match.group().translate(_LAYOUT), text)


def _in_cyrillic(text: str) -> str:
    return " ".join(token if _CODE.search(token) else _cyrillic_word(token) for token in text.split())


def _cyrillic_word(token: str) -> str:
    return _SYLLABLE.sub(lambda match: _TO_CYRILLIC[match.group().lower()], token)


def _russian_share(text: str) -> float:
    """Return the share of letters that stand in words of the Russian dictionary, 0..1."""
    spelled = [word for word in words(text[:EXAMINED]) if word.isalpha()]
    letters = sum(map(len, spelled))
    if not letters:
        return 0.0
    known = dictionary()
    return sum(len(word) for word in spelled if known.word_is_known(word)) / letters


@cache
def dictionary() -> Any:
    """Return the Russian dictionary (pymorphy3's analyser), loaded once."""
    import pymorphy3

    return pymorphy3.MorphAnalyzer(lang="ru")


@cache
def _stemmer(language: Language) -> Any:
    return Stemmer.Stemmer({"ru": "russian", "en": "english"}[language])


@cache
def _function() -> frozenset[str]:
    lists = (cues("ru").words["function"], cues("en").words["function"])
    return frozenset(word for words_of in lists for word in words_of)
