"""Which language a text is in, by its letters. Pure."""

import re

from knowledge.types import Language

_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)


def language_of(text: str) -> Language:
    """Return "ru" when at least a third of the letters are Cyrillic, or there are no letters at all."""
    cyrillic, latin = len(_CYRILLIC.findall(text)), len(_LATIN.findall(text))
    return "ru" if cyrillic * 2 >= latin else "en"
