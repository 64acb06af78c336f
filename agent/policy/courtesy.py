"""Sentences that state nothing: thanks, wishes, an offer to help further. One that fails its check is left out, and no more. Pure.

```
"Рады помочь!"               nothing in it but words of courtesy      ─► may be left out
"Рады помочь за 500 ₽."      a number                                 ─► states something
"С этим помочь не сможем."   a denial                                 ─► states something
"Доставим бесплатно."        a word that is not one of courtesy       ─► states something
```
A closed list of words, so that in doubt a sentence counts as one that states something.
"""

import tomllib
from functools import cache
from pathlib import Path

from agent import lexicon

DATA = Path(__file__).with_name("courtesy.toml")


def is_courtesy(sentence: str) -> bool:
    """Return whether the sentence holds no number, no denial and no word that could be a fact."""
    if any(mark.isdigit() for mark in sentence) or lexicon.negations(sentence):
        return False
    return all(word in _words() for word in lexicon.meaning(sentence))


@cache
def _words() -> frozenset[str]:
    table = tomllib.loads(DATA.read_text("utf-8"))
    return frozenset(word for said in table.values() for text in said for word in lexicon.meaning(text))
