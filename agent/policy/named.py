"""A full name with a postcode in one message: read where it is awaited, and hidden from everybody else. Pure.

```
«Анна Петрова, 603000» · "my name is John Smith, postcode 90210" ─► Named
«603000» · «Анна, 603000»                                       ─► tries: asked for again
«а сколько стоит доставка?»                                      ─► neither: a question like any other
```
"""

import re
import unicodedata
from dataclasses import dataclass

from agent.cues import cues
from agent.language import script
from tools.contacts import HIDDEN

LONGEST = 120
"""Characters of a message that is a name and a postcode; a longer one tells a story."""
LEAST, MOST = 2, 5
"""Words of a full name."""
_POSTCODE = re.compile(
    r"(?<![\w-])(?:\d{5,6}|\d{5}-\d{4}|\d{3}[ ]\d{3}|[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2})(?![\w-])",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*\.?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What somebody says they are called, and the postcode where they live."""

    name: str
    postcode: str


def named_in(text: str) -> Named | None:
    """Return the name and the postcode the message consists of; words such as «меня зовут» may stand beside them."""
    plain = unicodedata.normalize("NFKC", text).strip()
    found = _POSTCODE.findall(plain)
    if len(plain) > LONGEST or len(found) != 1:
        return None
    rest = _POSTCODE.sub(" ", plain)
    if any(mark.isdigit() for mark in rest) or "?" in rest:
        return None
    beside = _beside(text)
    name = [word for word in _WORD.findall(rest) if word.lower().rstrip(".") not in beside]
    if not LEAST <= len(name) <= MOST:
        return None
    return Named(name=" ".join(name), postcode=re.sub(r"\s", "", found[0]).upper())


def tries(text: str) -> bool:
    """Tell whether a message that is no name with a postcode was meant to be one: it holds a postcode, and asks nothing."""
    return len(text) <= LONGEST and "?" not in text and bool(_POSTCODE.search(text))


def unnamed(text: str) -> str:
    """Return the message as anybody may read it where a name and a postcode are awaited."""
    return HIDDEN if named_in(text) is not None else _POSTCODE.sub(HIDDEN, text)


def _beside(text: str) -> frozenset[str]:
    return cues(script(text), name="identity").words["named"]
