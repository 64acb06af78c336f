"""What never leaves in an answer, whoever wrote it and whatever it rests on. Pure.

```
orders_to_a_model   commands for a model, planted in a document, a review, an order note
human               words of a program that it is a person, or none
promise             what somebody shall do whom nobody told (`agent.pledging`), a guarantee, an exception: nobody keeps it
own_rules           six words in a row of the rules a model is given: they are nobody's answer
legal · medical     advice that is for a lawyer or a doctor
foreign_link        a link, an image or an e-mail address that leads to none of the company's own hosts
forbidden_words     words the company does not use
```
A rule that no document states needs no limit of its own: grounding finds no evidence for it.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from agent.pledging import is_pledge
from agent.policy.hosts import foreign

DATA = Path(__file__).with_name("limits.toml")
RULES = Path(__file__).parent.parent / "prompts"
RUN = 6
"""Words in a row that nobody writes by chance."""
Told = Literal["orders_to_a_model", "human", "promise", "legal", "medical"]
"""Limits whose sentences are told by patterns of `limits.toml`, in the order they are tried."""
Limit = Told | Literal["own_rules", "foreign_link", "forbidden_words"]

_WORD = re.compile(r"[^\W_]+")

OF_A_MODEL: frozenset[Limit] = frozenset({"human", "promise", "legal", "medical", "own_rules"})
"""Limits for what a writer says in its own words; the company's documents may say it."""


def limit_of(
    sentence: str, *, forbidden: Iterable[str] = (), hosts: Collection[str] | None = None
) -> Limit | None:
    """Return the limit the sentence is over, None for one that may leave. `hosts`: where links may lead; None: anywhere.

    A sentence that commands a model is nobody's answer, even when a document really contains it.
    """
    said = " ".join(sentence.split())
    for limit, patterns in _patterns().items():
        if any(pattern.search(said) for pattern in patterns):
            return limit
    if not _rules().isdisjoint(_runs(said)):
        return "own_rules"
    if hosts is not None and foreign(sentence, allowed=hosts):
        return "foreign_link"
    folded = said.casefold()
    if any(words.casefold() in folded for words in forbidden):
        return "forbidden_words"
    return "promise" if is_pledge(sentence) else None


def asks_for_a_secret(text: str) -> bool:
    """Whether the text asks for what nobody may ask for: a password, a card's code, a code from a message."""
    return any(pattern.search(" ".join(text.split())) for pattern in _compiled("secrets"))


@cache
def _rules() -> frozenset[str]:
    """Runs of words of every prompt as it is kept; what a company fills in is the company's to tell."""
    return frozenset(run for file in RULES.glob("*.md") for run in _runs(file.read_text("utf-8")))


def _runs(text: str) -> list[str]:
    spoken = [word.casefold() for word in _WORD.findall(text)]
    return [" ".join(spoken[n : n + RUN]) for n in range(len(spoken) - RUN + 1)]


@cache
def _patterns() -> Mapping[Told, tuple[re.Pattern[str], ...]]:
    limits: tuple[Told, ...] = get_args(Told)
    return {limit: _compiled(limit) for limit in limits}


@cache
def _compiled(name: str) -> tuple[re.Pattern[str], ...]:
    table = tomllib.loads(DATA.read_text("utf-8"))[name]
    return tuple(re.compile(text, re.IGNORECASE) for language in ("ru", "en") for text in table[language])
