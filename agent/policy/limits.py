"""What never leaves in an answer, whoever wrote it and whatever it rests on. Pure.

```
orders_to_a_model   commands for a model, planted in a document, a review, an order note
promise             something somebody shall do whom nobody told: a promise without an owner
legal · medical     advice that is for a lawyer or a doctor
forbidden_words     words the company does not use
```
A rule that no document states needs no limit of its own: grounding finds no evidence for it.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, get_args

DATA = Path(__file__).with_name("limits.toml")
Told = Literal["orders_to_a_model", "promise", "legal", "medical"]
"""Limits whose sentences are told by patterns of `limits.toml`, in the order they are tried."""
Limit = Told | Literal["forbidden_words"]

OF_A_MODEL: frozenset[Limit] = frozenset({"promise", "legal", "medical"})
"""Limits for what a writer says in its own words; the company's documents may say it."""


def limit_of(sentence: str, *, forbidden: Iterable[str] = ()) -> Limit | None:
    """Return the limit the sentence is over, None for one that may leave.

    A sentence that commands a model is nobody's answer, even when a document really contains it.
    """
    said = " ".join(sentence.split())
    for limit, patterns in _patterns().items():
        if any(pattern.search(said) for pattern in patterns):
            return limit
    folded = said.casefold()
    return "forbidden_words" if any(words.casefold() in folded for words in forbidden) else None


@cache
def _patterns() -> Mapping[Told, tuple[re.Pattern[str], ...]]:
    table = tomllib.loads(DATA.read_text("utf-8"))
    limits: tuple[Told, ...] = get_args(Told)
    return {
        limit: tuple(re.compile(text, re.IGNORECASE) for lang in ("ru", "en") for text in table[limit][lang])
        for limit in limits
    }
