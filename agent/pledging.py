"""Whether a sentence of the company's side is a pledge: that somebody will act later and let the customer know. Pure.

```
sentence ─► quotations out ─► a question, a condition, said here and now? ─► none
                           ├─ «уточню», “I'll refund it”: of one person, any act to come ─────────► one
                           ├─ «с вами свяжется менеджер», “a colleague will call you” ────────────► one
                           └─ «ответим», “we'll get back to you”: of all of us, coming back alone ► us
```
What the company does for everybody («вернём деньги в течение 10 дней») is a rule of its and no pledge. Where a document
says «ответим за день», the company has pledged it to all: `us` tells such a sentence from the pledge of somebody.
Words are in `texts/pledge.{ru,en}.toml`; docs/promises.md says how often this is right.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from agent.language import dictionary
from tools.context import Language

TEXTS = Path(__file__).with_name("texts")
By = Literal["one", "us"]
"""Who is committed: somebody of ours, or all of us as the company."""

_QUOTED = re.compile(r"[«“„\"][^»”\"]*[»”\"]")
_WORD = re.compile(r"[а-яё]+")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)


def is_pledge(sentence: str) -> bool:
    """Return whether a sentence of ours commits somebody of ours to act later."""
    return pledged_by(sentence) is not None


@lru_cache(maxsize=4096)
def pledged_by(sentence: str) -> By | None:
    """Return who is committed to act later by a sentence of ours, None where nobody is."""
    spoken = " ".join(_QUOTED.sub(" ", sentence).lower().replace("’", "'").split())
    said = spoken.replace("ё", "е")
    if said.rstrip(" .!…)").endswith("?"):
        return None
    language: Language = "ru" if _CYRILLIC.search(said) else "en"
    if _pattern(language, "here").search(said) or _conditional(said, language):
        return None
    if any(pattern.search(said) for pattern in _phrases(language, "phrases")):
        return "one"
    found = _russian(said, _WORD.findall(spoken)) if language == "ru" else _english(said)
    if found is None and any(pattern.search(said) for pattern in _phrases(language, "of_us")):
        return "us"
    return found


def is_idle(sentence: str) -> bool:
    """Return whether a sentence only fills the time while something is looked up: «Сейчас проверю заказ.»"""
    said = " ".join(sentence.lower().replace("’", "'").replace("ё", "е").split())
    return bool(_pattern("ru" if _CYRILLIC.search(said) else "en", "idle").search(said))


def _conditional(said: str, language: Language) -> bool:
    left = _pattern(language, "no_condition").sub(" ", said)
    return bool(_pattern(language, "condition").search(left))


def _english(said: str) -> By | None:
    acts = (match["verb"] for match in _pattern("en", "own").finditer(said))
    return "one" if any(act not in words("en")["at_once"] and act != "be" for act in acts) else None


def _russian(said: str, spelled: Sequence[str]) -> By | None:
    found = [who for n in range(len(spelled)) if (who := _by_verb(said, spelled, n)) is not None]
    return "one" if "one" in found else next(iter(found), None)


def _by_verb(said: str, spelled: Sequence[str], n: int) -> By | None:
    """Return who is committed by the word at `n`."""
    data, word = words("ru"), spelled[n]
    if n and spelled[n - 1] in data["not_after"]:
        return None
    if _infinitive(word) and (start := _pattern("ru", "promising").search(said)) is not None:
        return None if _denied(said, start.start()) else "one"
    verb = _verb_to_come(word)
    if verb is None:
        return None
    lemma, person, one = verb
    if person == "3per":
        return "one" if lemma in data["reach"] and _ours(said, spelled, one=one) else None
    if one:
        return "one" if lemma not in data["at_once"] else None
    return "us" if lemma in (*data["returns"], *data["finds"]) and lemma not in data["rules"] else None


def _ours(said: str, spelled: Sequence[str], *, one: bool) -> bool:
    """Return whether somebody of ours is meant to come back to the customer."""
    named = any(_lemma(word) in words("ru")["people"] for word in spelled)
    nobody = not one and _pattern("ru", "to_them").search(said) and not any(map(_subject, spelled))
    return named or bool(nobody)


def _denied(said: str, place: int) -> bool:
    return _WORD.findall(said[:place])[-1:] in [[no] for no in words("ru")["not_after"]]


@lru_cache(maxsize=4096)
def _verb_to_come(word: str) -> tuple[str, str, bool] | None:
    """Return infinitive, person and whether it is one person, of a verb of the future; None for anything else."""
    parse = dictionary().parse(word)[0]
    tag = parse.tag
    if "VERB" not in tag or tag.tense != "futr" or tag.person not in ("1per", "3per"):
        return None
    return parse.normal_form.replace("ё", "е"), tag.person, tag.number == "sing"


@lru_cache(maxsize=4096)
def _infinitive(word: str) -> bool:
    parse = dictionary().parse(word)[0]
    data = words("ru")
    return "INFN" in parse.tag and parse.normal_form in (*data["returns"], *data["finds"])


@lru_cache(maxsize=4096)
def _lemma(word: str) -> str:
    return str(dictionary().parse(word)[0].normal_form)


@lru_cache(maxsize=4096)
def _subject(word: str) -> bool:
    tag = dictionary().parse(word)[0].tag
    return "NOUN" in tag and tag.case == "nomn"


@cache
def words(language: Language) -> Mapping[str, Any]:
    """Return the recogniser's data in a language."""
    data: Mapping[str, Any] = tomllib.loads((TEXTS / f"pledge.{language}.toml").read_text("utf-8"))["pledge"]
    return data


@cache
def _pattern(language: Language, name: str) -> re.Pattern[str]:
    return re.compile(words(language)[name])


@cache
def _phrases(language: Language, name: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(text) for text in words(language)[name])
