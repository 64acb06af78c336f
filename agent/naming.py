"""Names in a text, and whether the evidence has them. Pure.

A name is a word with a capital letter that does not open a sentence, or one in quotation marks.
"""

import re
from functools import lru_cache
from typing import Protocol

from agent import lexicon
from agent.language import stem
from knowledge.text.quantities import quantities, words_masked

_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]", re.IGNORECASE)
_CAPITAL = re.compile(r"(?<![\w-])[A-ZА-ЯЁ][^\W\d_]*(?:-[^\W\d_]+)*")
_SENTENCE_START = re.compile(r"^[\W_]*$|[.!?…:]\s*[\W_]*$|[«\"“„(]$")
_IN_QUOTES = re.compile(r"[«“„\"](?P<what>[^«»“”„\"]{2,60})[»”“\"]")


class Stands(Protocol):
    """What names are looked for in, beside the place itself."""

    @property
    def whole(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def opening(self) -> str: ...


def names_occur(text: str, given: str, ground: Stands) -> bool:
    """Whether every name of the text stands in the evidence, its title, or the sentence that opens its passage.

    A first word has its capital anyway: it is a name where the passage has it as one.
    """
    known = names(ground.whole)
    wanted = {*names(text), *(word for word in first_stem(text) if word in known)}
    here = _stems_of(given)
    missing = {name for name in wanted if not _occurs(name, here)}
    if not missing:
        return True
    others = [name for name in names(given) if not _occurs(name, frozenset(wanted))]
    others += [q.value for q in quantities(given) if q.kind == "code" and q.value not in _codes(text)]
    if all(_occurs(name, _stems_of(ground.title)) for name in missing):
        # A title may name several things: then the evidence speaks of the one it names itself.
        return not any(_occurs(name, _stems_of(ground.title)) for name in others)
    return not others and all(_occurs(name, _stems_of(ground.whole)) for name in missing)


def quoted_occur(text: str, given: str, ground: Stands) -> bool:
    """Whether every name in quotation marks stands in the evidence: a state, a level, a button."""
    here = lexicon.plain(f"{given} {ground.title} {ground.opening}")
    return all(
        all(_occurs(word, _stems_of(here)) for word in _stems_of(match["what"]))
        for match in _IN_QUOTES.finditer(text)
    )


def first_stem(text: str) -> list[str]:
    """Return the stem of the first word; empty without one."""
    return [stem(word) for word in lexicon.spelled(text)[:1]]


def names_across(text: str, given: str) -> list[str]:
    """Return the names of `text` that stand in `given` in another alphabet."""
    here = frozenset(lexicon.skeleton(word) for word in _stems_of(given))
    return [name for name in names(text) if _occurs(lexicon.skeleton(name), here)]


@lru_cache(maxsize=4096)
def names(text: str) -> frozenset[str]:
    """Return the stems of words with a capital letter that do not open a sentence, and of those in quotes."""
    masked = words_masked(text)
    found: set[str] = set()
    for match in _CAPITAL.finditer(masked):
        before = masked[: match.start()]
        quoted = before.endswith(("«", "“", "„", '"'))
        opens = bool(_SENTENCE_START.search(before)) and not quoted
        foreign = bool(_LATIN.match(match.group())) and bool(_CYRILLIC.search(text))
        if (opens and not foreign) or lexicon.is_ignored_name(match.group()):
            continue
        found.update(stem(part) for part in lexicon.plain(match.group()).split("-") if part)
    return frozenset(found)


def _codes(text: str) -> frozenset[str]:
    return frozenset(quantity.value for quantity in quantities(text) if quantity.kind == "code")


@lru_cache(maxsize=4096)
def _stems_of(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in re.findall(r"[^\W\d_]+", lexicon.plain(words_masked(text))))


def _occurs(name: str, there: frozenset[str]) -> bool:
    shortest = max(3, len(name) - 2)
    return name in there or any(len(o) >= shortest and o[:shortest] == name[:shortest] for o in there)
