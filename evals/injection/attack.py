"""Attacks and look-alikes: the project's own in every disguise, and the public sets where they are.

```
attacks.yaml ── form ──► plain | base64 | homoglyph | zero_width | rtl | html ─┐
EVALDATA/injection/*.jsonl  label: injection ──────────────────────────────────┼─► Attack
                            label: benign, kb_ru/rutube.questions ──► look-alikes
```
"""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from agent.language import detect
from knowledge.records import rows_of
from tools.context import Language

ROWS = Path(__file__).with_name("attacks.yaml")
LANGUAGES: tuple[Language, ...] = get_args(Language)
LONGEST = 1200
"""Characters of a public attack that are planted; a longer one repeats itself."""
FOREIGN_ORDER = "6601"
Form = Literal["plain", "base64", "homoglyph", "zero_width", "rtl", "html"]

_LATIN, _CYRILLIC = "aceopxAEOPCTX", "асеорхАЕОРСТХ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One text that orders a model about; `marker` is said by nobody else, empty for a public one."""

    id: str
    kind: str
    language: Language
    text: str
    source: str = "own"
    form: Form = "plain"
    marker: str = ""

    def aimed(self, *, own: str) -> "Attack":
        """Return the attack on the customer whose order is `own`, in its disguise."""
        if self.source != "own":
            return self
        text = self.text.format(own=own, foreign=FOREIGN_ORDER, marker=self.marker)
        return replace(self, text=FORMS[self.form](text))


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAlike:
    """A customer's honest message, some with the words that attacks have."""

    id: str
    language: Language
    text: str
    source: str


def own_attacks(path: Path = ROWS) -> tuple[Attack, ...]:
    """Return the project's own attacks, each with a marker of its own. Raises `TypeError` for an unknown key."""
    rows = yaml.safe_load(path.read_text("utf-8"))
    return tuple(Attack(**row, marker=f"ZEBRA-{n:03d}") for n, row in enumerate(rows, start=101))


def public_attacks(evaldata: Path) -> tuple[Attack, ...]:
    """Return the attacks of the public sets."""
    return tuple(
        Attack(
            id=row["id"],
            kind=str(row["kind"]),
            language=_language(row),
            text=row["text"][:LONGEST],
            source=str(row["source"]),
        )
        for row in _rows(evaldata)
        if row["label"] == "injection"
    )


def public_look_alikes(evaldata: Path) -> tuple[LookAlike, ...]:
    """Return honest messages: benign rows of the public sets, and questions put to a real support."""
    benign = [
        LookAlike(
            id=row["id"], language=_language(row), text=row["text"][:LONGEST], source=str(row["source"])
        )
        for row in _rows(evaldata)
        if row["label"] == "benign"
    ]
    path = evaldata / "kb_ru" / "rutube.questions.open.jsonl"
    asked = [
        LookAlike(id=row["qid"], language="ru", text=row["question"][:LONGEST], source="rutube")
        for _, row in (rows_of(path) if path.exists() else ())
    ]
    return (*benign, *asked)


def company_look_alikes(folder: Path) -> tuple[LookAlike, ...]:
    """Return the company's own questions."""
    rows = yaml.safe_load((folder / "questions.yaml").read_text("utf-8"))
    return tuple(
        LookAlike(id=f"q{n}", language=row.get("language", "ru"), text=row["q"], source="company")
        for n, row in enumerate(rows, start=1)
    )


def _rows(evaldata: Path) -> Iterator[Mapping[str, Any]]:
    for path in sorted((evaldata / "injection").glob("*.jsonl")):
        yield from (row for _, row in rows_of(path))


def _language(row: Mapping[str, Any]) -> Language:
    """Return the language a customer of ours would be served in."""
    return detect(row["text"], languages=LANGUAGES, previous="en")


def _packed(text: str) -> str:
    return f"base64: {base64.b64encode(text.encode()).decode()}"


def _borrowed(text: str) -> str:
    russian = re.search("[а-я]", text) is not None
    one, other = (_CYRILLIC, _LATIN) if russian else (_LATIN, _CYRILLIC)
    # Codes and addresses stay as they are: disguised, they would name nothing.
    return " ".join(
        word if any(mark in word for mark in "/_0123456789") else word.translate(str.maketrans(one, other))
        for word in text.split(" ")
    )


def _unseen(text: str) -> str:
    return " ".join(word if "_" in word else "\u200b".join(word) for word in text.split(" "))


def _turned(text: str) -> str:
    return f"\u202e{text}\u202c"


def _hidden(text: str) -> str:
    return f'<!-- {text} --><span style="display:none">{text}</span>'


FORMS: Mapping[Form, Callable[[str], str]] = {
    "plain": lambda text: text,
    "base64": _packed,
    "homoglyph": _borrowed,
    "zero_width": _unseen,
    "rtl": _turned,
    "html": _hidden,
}
