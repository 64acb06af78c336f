"""Special categories of personal data: what is about these is never remembered, whoever says it and of whom. Pure.

```
text ─► as it was typed, as it was meant (layout, transliteration) ─► words of each category, Russian and English
                                                                       └─► the first category that has one, or None
```
A list with stems, not a judgement: in doubt a word is on it, because what is not remembered costs a question and what
is cannot be unsaid. A lamp for a prayer corner tells a religion, so it counts; a pet's illness counts as well, because
nothing here can tell whose it is.
"""

import re
from typing import Literal, get_args

from agent.cues import cues, plain
from agent.language import dictionary, readable, script
from agent.privacy.latin import fitted
from tools.context import Language

Category = Literal["health", "religion", "politics", "intimate", "origin", "biometrics", "union", "criminal"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
LANGUAGES: tuple[Language, ...] = get_args(Language)
READ = 1000
"""Characters read at once; a longer text is read in pieces that overlap by a line's length."""
OVERLAP = 120

_QUOTES = re.compile(r"[\"“”«»„]")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]")


def special(text: str) -> Category | None:
    """Return the special category the text tells something of, None when it tells of none."""
    # Quotation marks hide words from cues, and a hidden sign inside a word hides the word.
    bare = _INVISIBLE.sub("", _QUOTES.sub(" ", text))
    for piece in _pieces(bare):
        for said in dict.fromkeys((piece, readable(piece))):
            found = _category(said)
            if found is not None:
                return found
    return None


def _category(said: str) -> Category | None:
    for language in LANGUAGES:
        known = cues(language, name="special")
        # A word put right may be another word ("prison", "person"): what was typed counts as it stands, too.
        readings = dict.fromkeys((plain(said), known.spoken(said, kept=_a_word)))
        for category in CATEGORIES:
            if any(map(known.sections[category].found, readings)):
                return category
    return None


def _a_word(token: str) -> bool:
    """Tell whether a token is a word as it stands: "pays" is no slip of "prays", nor Mario of "Maori"."""
    if script(token) == "ru":
        return bool(dictionary().word_is_known(token))
    return any(fitted().told(token.removesuffix(end)) for end in ("", "s", "ed", "ing"))


def _pieces(text: str) -> list[str]:
    step = READ - OVERLAP
    return [text[n : n + READ] for n in range(0, max(1, len(text) - OVERLAP), step)]
