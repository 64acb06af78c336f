"""Answers a company has ready for its people: `replies.toml` of the pack, with variables that are filled from what is known.

```
replies.toml ─► canned_replies ─► fill(values) ─► text, with a gap ⟨order number⟩ where nothing is known ─► a person
```
A gap is for the person to fill: words with one in them are not sent.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, field_validator

from agent.errors import BadPack
from agent.pack_files import line_of, model_of, toml_of
from agent.terms import Part, Words
from tools.context import Language

FILE = "replies.toml"
Variable = Literal[
    "customer_name", "operator_name", "department", "company", "order", "phone", "email", "site"
]
"""What a text may name: the customer and the operator by name, the operator's department, the company, the one order the
conversation showed, the company's phone, e-mail and site."""
VARIABLES: tuple[Variable, ...] = get_args(Variable)
_PLACE = re.compile(r"\{([^{}]*)\}")
_GAP = re.compile(r"⟨[^⟨⟩]*⟩")
LONGEST = 2000


class Canned(Part):
    """One answer: its title for staff, its text for customers, in every language of the company."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    title: Words
    text: Words

    @field_validator("text")
    @classmethod
    def _known(cls, text: Words) -> Words:
        for words in text.values():
            for name in _PLACE.findall(words):
                if name not in VARIABLES:
                    raise ValueError(f"unknown variable {{{name}}}; known are {', '.join(VARIABLES)}")
            if len(words) > LONGEST or "⟨" in words or "⟩" in words:
                raise ValueError(f"at most {LONGEST} letters, and no ⟨ ⟩: they mark what is to be filled in")
        return text


class Replies(Part):
    """`replies.toml`."""

    replies: tuple[Canned, ...] = ()


def canned_replies(folder: Path, languages: tuple[Language, ...]) -> tuple[Canned, ...]:
    """Read the pack's answers, none where it has no such file. Raises `BadPack` with file, line and remedy."""
    path = folder / FILE
    if not path.is_file():
        return ()
    replies = model_of(path, toml_of(path), Replies).replies
    seen: set[str] = set()
    for n, one in enumerate(replies):
        if one.id in seen:
            raise _bad(path, n, "id", f"there is another “{one.id}”", "Give each answer an id of its own.")
        seen.add(one.id)
        for key, words in (("title", one.title), ("text", one.text)):
            for language in languages:
                if not words.get(language, "").strip():
                    said = f"no words in “{language}”, but `languages` names it"
                    raise _bad(path, n, key, said, f'Write {key} = {{ {language} = "…" }} there.')
    return replies


def _bad(path: Path, n: int, key: str, said: str, remedy: str) -> BadPack:
    line = line_of(path, ["replies", str(n), key])
    return BadPack(f"{path}:{line}: replies.{n}.{key}: {said}", remedy=remedy)


def fill(text: str, values: Mapping[Variable, str], *, gaps: Mapping[Variable, str]) -> str:
    """Return the text with its variables filled; where nothing is known, a gap with the name `gaps` has for it."""

    def filled(place: re.Match[str]) -> str:
        name: Variable = next(one for one in VARIABLES if one == place[1])
        # What a customer chose to be called makes no gap of its own.
        value = values.get(name, "").replace("⟨", "").replace("⟩", "").strip()
        return value or f"⟨{gaps[name]}⟩"

    return _PLACE.sub(filled, text)


def gaps_in(text: str) -> tuple[str, ...]:
    """Return the gaps a person has not filled."""
    return tuple(_GAP.findall(text))
