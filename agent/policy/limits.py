"""What never leaves in an answer, whoever wrote it: orders to a model, and words the company does not use. Pure."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

DATA = Path(__file__).with_name("limits.toml")
Limit = Literal["orders_to_a_model", "forbidden_words"]


def limit_of(sentence: str, *, forbidden: Iterable[str] = ()) -> Limit | None:
    """Return the limit the sentence is over, None for one that may leave.

    A sentence that commands a model is nobody's answer, even when a document really contains it.
    """
    said = " ".join(sentence.split())
    if any(pattern.search(said) for pattern in _orders()):
        return "orders_to_a_model"
    folded = said.casefold()
    return "forbidden_words" if any(words.casefold() in folded for words in forbidden) else None


@cache
def _orders() -> tuple[re.Pattern[str], ...]:
    table = tomllib.loads(DATA.read_text("utf-8"))["orders_to_a_model"]
    return tuple(re.compile(text, re.IGNORECASE) for language in ("ru", "en") for text in table[language])
