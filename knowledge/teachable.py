"""Which sentences of staff are true of every customer, and may become knowledge. Pure.

words of a person ─► sentences ─┬─ courtesy   «Здравствуйте», thanks
                                ├─ waiting    «одну минуту»
                                ├─ asking     a question back
                                ├─ case       a fact of this customer: «ваш заказ приедет завтра»
                                ├─ short      says nothing by itself
                                └─ ""         may be knowledge
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from knowledge.text.sentences import sentences
from knowledge.types import Language

if TYPE_CHECKING:
    from pymorphy3 import MorphAnalyzer

Why = Literal["", "courtesy", "waiting", "asking", "case", "short"]
"""Why a sentence cannot become knowledge, empty where it may."""
DATA = Path(__file__).with_name("teachable.toml")
_EDGES = " \t\n,;:.!…—–-•"
_WORD = re.compile(r"[\w%₽$€]+")
_VOCATIVE = re.compile(r"^•••\s*[,!.]\s*|,\s*•••\s*(?=[.!…]*$)")
"""The customer's name, masked, at an end of a sentence: it can be taken off without changing what is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One sentence without its courtesies, and why it cannot become knowledge."""

    text: str
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """The compiled lists of one language."""

    head: re.Pattern[str]
    tail: re.Pattern[str]
    waiting: re.Pattern[str]
    asking: re.Pattern[str]
    case: re.Pattern[str]
    personal: re.Pattern[str]
    span: re.Pattern[str]
    moment: re.Pattern[str]
    past: re.Pattern[str] | None
    rule: re.Pattern[str]


def judged(said: str, *, language: Language) -> tuple[Judged, ...]:
    """Return the sentences of what a person wrote (masked: `•••` stands for personal data), in order."""
    return tuple(_judge(one, _rules(language)) for one in sentences(said))


def teachable(replies: Sequence[str], *, language: Language) -> str:
    """Return what may become knowledge of a person's replies, a paragraph each, nothing twice; "" for nothing."""
    out: dict[str, str] = {}
    for reply in replies:
        kept = " ".join(one.text for one in judged(reply, language=language) if not one.why)
        if kept:
            out.setdefault(kept.casefold(), kept)
    return "\n\n".join(out.values())


def _judge(sentence: str, rules: _Rules) -> Judged:
    text = _bare(sentence, rules)
    plain = _plain(text)
    words = sum(len(word) > 1 or word.isdigit() for word in _WORD.findall(plain))
    if not words:
        return Judged(text=sentence, why="courtesy")
    if rules.waiting.search(plain):
        return Judged(text=text, why="waiting")
    if rules.asking.search(plain):
        return Judged(text=text, why="asking")
    if rules.case.search(plain) or _passing(plain, rules):
        return Judged(text=text, why="case")
    return Judged(text=text, why="short" if words < int(_data()["limits"]["words"]) else "")


def _passing(plain: str, rules: _Rules) -> bool:
    """Tell whether it is said of one person or moment, and is no rule."""
    if rules.rule.search(plain):
        return False
    return _happens(plain, rules) or bool(rules.personal.search(plain) and not rules.span.search(plain))


def _happens(plain: str, rules: _Rules) -> bool:
    """Tell whether the sentence says what happened, or when something will."""
    if rules.moment.search(plain):
        return True
    if rules.past is not None:
        return rules.past.search(plain) is not None
    return any(_happened(word) for word in _WORD.findall(plain))


@lru_cache(maxsize=4096)
def _happened(word: str) -> bool:
    """Tell whether a Russian word says what somebody did, or what the writer does or will do."""
    if not word.isalpha():
        return False
    tag = _russian().parse(word)[0].tag
    return "VERB" in tag and ("past" in tag or {"1per", "sing"} in tag or {"perf", "futr", "3per"} in tag)


@cache
def _russian() -> "MorphAnalyzer":
    import pymorphy3

    return pymorphy3.MorphAnalyzer(lang="ru")


def _bare(sentence: str, rules: _Rules) -> str:
    """Return the sentence without courtesies at its ends; it begins with a capital again where it did."""
    text, before = _VOCATIVE.sub("", sentence.strip()), ""
    while text != before:
        before = text
        plain = _plain(text)
        if head := rules.head.match(plain):
            text = text[head.end() :].lstrip(_EDGES)
        elif tail := rules.tail.search(plain):
            text = text[: tail.start()].rstrip(" ,;:—–-") + text[len(text.rstrip(".!…?")) :]
        text = _VOCATIVE.sub("", text)
    if text[:1].islower() and sentence.strip()[:1].isupper():
        return text[:1].upper() + text[1:]
    return text


def _plain(text: str) -> str:
    """Fold for the lists, letter for letter: places stay where they are."""
    lower = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
    return lower.replace("ё", "е").replace("’", "'")


@cache
def _rules(language: Language) -> _Rules:
    lists: Mapping[str, Sequence[str]] = _data()[language]
    courtesy = "|".join(lists["courtesy"])
    names = ("waiting", "asking", "case", "personal", "span", "moment", "rule")
    joined = {name: re.compile("|".join(lists[name])) for name in names}
    past = re.compile("|".join(lists["past"])) if lists["past"] else None
    return _Rules(
        past=past,
        head=re.compile(rf"^(?:{courtesy})(?=[\s,.!…:;—–-]+|$)"),
        tail=re.compile(rf"(?:^|[\s,;:—–-]+)(?:{courtesy})[\s.!…]*$"),
        **joined,
    )


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text("utf-8"))
