"""The company's voice, held against a sentence before it leaves: whose words, whose form of address, which language. Pure.

```
sentence ─► voice_of ─► None, it may leave
                    └─► other_language · forbidden_words · address · one_sex · plural · emoji · exclamation
```
The pack says how the company speaks; grammar is grammar. What is quoted in «…» or "…" is somebody else's voice.
"""

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from agent.domain import Draft, Sentence
from agent.language import dictionary, words
from agent.pack import Voice
from tools.context import Language

DATA = Path(__file__).with_name("voice.toml")
Fault = Literal["other_language", "forbidden_words", "address", "one_sex", "plural", "emoji", "exclamation"]
MOSTLY = 0.5
"""Share of its letters that an answer has in its own alphabet at least; names of brands and codes are Latin."""
ENOUGH = 12
"""Letters from which a share means anything."""
FEW = 1
"""Emoji a sentence may have where the pack allows few."""

_QUOTED = re.compile(r"[«“\"][^»”\"]*[»”\"]")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
_CODE = re.compile(r"\d|@|\w\.\w")
_OWN_LATIN = re.compile(r"\b[a-z]{2,}\b")
_OWN_CYRILLIC = re.compile(r"\b[а-яё]{2,}\b")
_BRAND = re.compile(r"\b[A-Z][\w-]*")
_NAMED = re.compile(r"\b(?:[А-ЯЁ][\w-]*|(?:ул|д|кв|г|пр|обл|стр|корп|р-н|пер|пос)\.)")
"""Names and the small words of an address: data, not words of ours."""
_SPELLED = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """A draft without the sentences that are not in the company's voice, and those, each with its reason."""

    draft: Draft
    dropped: tuple[str, ...]


def fitting(draft: Draft, *, voice: Voice, language: Language) -> Fitting:
    """Return what of a draft is in the company's voice; options of a question back are held to its language."""
    kept: list[Sentence] = []
    dropped: list[str] = []
    for sentence in draft.sentences:
        fault = voice_of(sentence.text, voice=voice, language=language)
        if fault is None:
            kept.append(sentence)
        else:
            dropped.append(f"{fault}: {sentence.text}")
    options = tuple(option for option in draft.options if not other_language(option, language))
    return Fitting(draft=replace(draft, sentences=tuple(kept), options=options), dropped=tuple(dropped))


def voice_of(sentence: str, *, voice: Voice, language: Language) -> Fault | None:
    """Return what is wrong with the sentence as the company's own, None when it may leave."""
    if other_language(sentence, language):
        return "other_language"
    folded = " ".join(sentence.casefold().split())
    if any(phrase.casefold() in folded for phrase in voice.forbidden):
        return "forbidden_words"
    own = _QUOTED.sub(" ", sentence)
    if language == "ru":
        fault = _russian(own, voice)
        if fault is not None:
            return fault
    if _smiles(own) > {"never": 0, "few": FEW, "free": len(own)}[voice.emoji]:
        return "emoji"
    return "exclamation" if "!" in own and not voice.exclamation else None


def other_language(text: str, language: Language) -> bool:
    """Tell whether the text is in another language; codes, brands and what is quoted do not count.

    A Russian text may name brands in Latin letters, an English one places and people in Cyrillic ones.
    """
    spelled = " ".join(token for token in _QUOTED.sub(" ", text).split() if not _CODE.search(token))
    own, named = (_OWN_LATIN, _NAMED) if language == "en" else (_OWN_CYRILLIC, _BRAND)
    if own.search(spelled):
        spelled = named.sub(" ", spelled)
    cyrillic, latin = len(_CYRILLIC.findall(spelled)), len(_LATIN.findall(spelled))
    if language == "en":
        return cyrillic > 0 and (
            cyrillic + latin < ENOUGH or cyrillic > (1 - MOSTLY) * (cyrillic + latin) / 2
        )
    return latin >= ENOUGH and cyrillic < MOSTLY * (cyrillic + latin)


def plurals(text: str) -> tuple[str, ...]:
    """Return counted nouns of a Russian text that stand in a form their number does not take: «5 товара»."""
    return tuple(match.group() for match in _pattern("counted").finditer(text) if _miscounted(match, text))


def _russian(own: str, voice: Voice) -> Fault | None:
    wrong = "informal" if voice.formality == "вы" else "formal"
    if _pattern(wrong).search(own) or (wrong == "informal" and _told_as_a_friend(own)):
        return "address"
    if _pattern("both_sexes").search(own) or _has_a_sex(own):
        return "one_sex"
    return "plural" if plurals(own) else None


def _has_a_sex(own: str) -> bool:
    """Tell whether the customer is spoken of as a man or a woman: «вы уверена», «ты сделал»."""
    for match in _pattern("spoken_to").finditer(own):
        tag = _best(match["said"].lower())
        told = tag.POS in ("ADJS", "PRTS") or ("VERB" in tag and "past" in tag)
        if told and "sing" in tag and tag.gender in ("masc", "femn"):
            return True
    return False


def _told_as_a_friend(own: str) -> bool:
    """Tell whether a verb speaks to one friend: «можешь», or «Напиши» at the beginning."""
    spelled = _SPELLED.findall(own)
    for n, word in enumerate(spelled):
        lower = word.lower()
        if lower.endswith(("ешь", "ишь", "ёшь", "ешься", "ишься", "ёшься")):
            tag = _best(lower)
            if "VERB" in tag and "2per" in tag and "sing" in tag:
                return True
        if n == 0 and _commands_a_friend(lower):
            return True
    return False


@lru_cache(maxsize=4096)
def _commands_a_friend(word: str) -> bool:
    tags = [parse.tag for parse in dictionary().parse(word)]
    return bool(tags) and all("impr" in tag and "sing" in tag for tag in tags)


def _miscounted(match: re.Match[str], text: str) -> bool:
    before = words(text[: match.start()])[-1:]
    if before and any(_labels(one, before[0]) for one in _data()["labels"]):
        return False
    nouns = _data()["nouns"]
    parses = [p for p in dictionary().parse(match["noun"].lower()) if p.normal_form in nouns]
    if not parses:
        return False
    number = int(match["number"])
    noun = parses[0].normalized
    allowed = {noun.make_agree_with_number(number).word.replace("ё", "е")}
    if number % 10 == 1 and number % 100 != 11:
        one = noun.inflect({"sing", "accs"})
        allowed |= {one.word.replace("ё", "е")} if one is not None else set()
    return match["noun"].lower().replace("ё", "е") not in allowed


def _labels(label: str, word: str) -> bool:
    return word.startswith(label[:-1]) if label.endswith("*") else word == label


def _smiles(own: str) -> int:
    return len(_pattern("emoji").findall(own)) + len(_pattern("smile").findall(own))


@lru_cache(maxsize=4096)
def _best(word: str) -> Any:
    return dictionary().parse(word)[0].tag


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(_data()[name], re.IGNORECASE)


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text("utf-8"))
