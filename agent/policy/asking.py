"""What a writer may ask back, and where a prepared change may go. Pure.

```
ask_back: one question ─┬─ asks, over no limit, short, almost all known words, none of the rules' ─► asked
                        └─ anything else ─► the house's own question
          options ──────── those that stand in what was read or said ─► buttons
change:   an address ───── in the customer's own words ─► proposed, to be confirmed
                        └─ from a document, an order, a model ─► the customer is asked for it
```
A question back rests on no evidence, so it could carry anything a model was talked into: it is the one place where
a writer's own words reach a customer, and it is kept too narrow to carry much.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from agent.domain import Draft, Sentence
from agent.language import sentences, stem, words
from agent.policy.hosts import foreign
from agent.policy.limits import asks_for_a_secret, limit_of

LONGEST_QUESTION = 200
"""Characters; who asks for more than one detail explains instead of asking."""
OWN_WORDS = 6
"""Words with a meaning of their own that a question back may have beyond what was read and said."""
RUN = 4
"""Words in a row that repeat the rules."""
SHORT_WORD = 3
"""Letters of the longest word that carries nothing by itself: «для», "the", «ул»."""

_MARKED = re.compile(r"[\[\]<>{}|`]|\*\*")
"""Marks of links, images, tables and tags, which no question needs."""


def asked_back(
    draft: Draft,
    *,
    read: Iterable[str],
    said: Sequence[str],
    hosts: Collection[str],
    rules: Iterable[str] = (),
) -> Draft:
    """Return the draft of a question back without what it may not ask.

    `read` are the texts the writer had as evidence, `said` the customer's messages, `rules` what it was told to do.
    """
    known, secret = _tokens([*read, *said]), frozenset(run for text in rules for run in _runs(text))

    def plain(text: str) -> bool:
        return (
            not _MARKED.search(text)
            and limit_of(text, hosts=hosts) is None
            and secret.isdisjoint(_runs(text))
        )

    asked = tuple(one for one in draft.sentences[:1] if plain(one.text) and _asks(one, known))
    options = tuple(one for one in draft.options if plain(one) and not _beyond(one, known))
    return replace(draft, sentences=asked, options=options)


def theirs(destination: str, said: Sequence[str], *, hosts: Collection[str]) -> bool:
    """Whether an address or a recipient is the customer's own word: every number, and every word that names anything."""
    known = _tokens(said)
    return not foreign(destination, allowed=hosts) and not _beyond(destination, known)


def _asks(sentence: Sentence, known: Collection[str]) -> bool:
    text = sentence.text.strip()
    if not text.endswith("?") or len(text) > LONGEST_QUESTION or len(sentences(text)) > 1:
        return False
    beyond = _beyond(text, known)
    return (
        not asks_for_a_secret(text) and len(beyond) <= OWN_WORDS and not any(_is_code(one) for one in beyond)
    )


def _runs(text: str) -> list[tuple[str, ...]]:
    """Return every run of words that is long enough to be somebody's very words."""
    spoken = [word.lower() for word in words(text)]
    return [tuple(spoken[n : n + RUN]) for n in range(len(spoken) - RUN + 1)]


def _beyond(text: str, known: Collection[str]) -> list[str]:
    """Return the words of the text that carry something and are not known."""
    return [one for one in _tokens([text]) if one not in known]


def _tokens(texts: Iterable[str]) -> dict[str, None]:
    """Return stems of words that carry something, and numbers and codes as they are, each once."""
    found = (one.lower() for text in texts for one in words(text))
    return dict.fromkeys(
        one if _is_code(one) else stem(one) for one in found if _is_code(one) or len(one) > SHORT_WORD
    )


def _is_code(word: str) -> bool:
    return any(mark.isdigit() for mark in word)
