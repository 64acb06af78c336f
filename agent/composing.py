"""An answer made of quotes: which sentences of the evidence answer the question. Pure, a few milliseconds.

```
passages ─► sentences ─► score each ─┬─ the question's words, rarer ones weigh more
                                     ├─ the words of the title it stands under
                                     ├─ nearness in meaning, where an embedder is given
                                     ├─ a date for “when”, a sum for “how much”, a yes or no for “may I”
                                     └─ the place of its passage in the ranking
         best sentence ─► what belongs to it: the exception after it, the one before a “this …” ─► 1–4 quotes
```
Sentences are quoted as `agent.language.sentences` cuts them, so that a check finds them word for word.
"""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from agent.domain import Evidence, Sentence
from agent.language import content, readable, sentences, stem, words
from agent.likeness import alike, lexicon, nearest
from agent.ports import Similarity
from agent.wording import denied
from tools.context import Language

LONGEST_ANSWER = 4
"""Sentences of one answer; a chat is not a leaflet."""
LONGEST_QUOTE = 420
"""Characters from which a sentence is a wall of text and counts for less."""
FITS = 0.23
"""Share of the question's weight that must be found for an answer to be one. Low on purpose: the
house judges the whole answer after this; below it the words only happen to be there."""
COMPANION = 0.72
"""A further sentence of the same passage must score at least this share of the best one …"""
STRANGER = 0.86
"""… a sentence of another passage this share, and say something of the question that is not yet said."""
CLOSE_IN_MEANING = 6
"""Sentences whose nearness in meaning is asked for: it costs an embedding each."""
UNDER_TITLE = 0.6
NEXT_TO_IT = 0.2
UNMET = 1.5
"""What a word that stands nowhere in the evidence weighs beside the average word that does."""
KIND_OF_ANSWER = 0.2
TERSE = 0.2
"""A sentence about nothing but the question, beside one that mentions it among other things."""
ADJOINING = 0.5
"""The sentence next to the best one needs only this share of its score: answers run on."""
DENIED = 0.5
"""What a word counts that the sentence denies: “what cannot be returned” is no way to return it."""
MEANING = 0.5
PLACES = (0.3, 0.2, 0.14, 0.09, 0.05)
"""What a passage's place in the ranking adds to its sentences."""
BEHIND, FAR_BEHIND = 0.15, 2.0
"""What a sentence loses for each unit its passage's search score is behind the best one's, up to so many units."""

_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(slots=True, kw_only=True)  # mutable: collects its slots while the plan is made
class Candidate:
    """One sentence that may be quoted. `found` maps stems of the question to how well they are met."""

    text: str
    ref: str
    rank: int
    n: int
    stems: frozenset[str]
    denied: frozenset[str] = frozenset()
    behind: float = 0.0
    found: Mapping[str, float] = field(default_factory=dict)
    titled: Mapping[str, float] = field(default_factory=dict)
    score: float = 0.0
    fit: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """Quotes that answer a question, and how much of the question they meet, 0..1."""

    sentences: tuple[Sentence, ...]
    fit: float
    near: float
    """Share of the question's words that occur anywhere in the evidence, 0..1."""
    topic: float = 0.0
    """Share of the question's weight that one title meets, 0..1: there is a text about just this."""

    @property
    def fits(self) -> bool:
        """Whether this is an answer rather than words that happen to be there."""
        return bool(self.sentences) and self.fit >= FITS


def compose(
    question: str,
    evidence: Sequence[Evidence],
    *,
    language: Language,
    similarity: Similarity | None = None,
    context: str = "",
) -> Composed:
    """Return the sentences of `evidence` (best passage first) that answer `question`.

    `context` is what a short question goes on with, usually the customer's earlier message.
    """
    asked = readable(question)
    weights = _asked(asked, context)
    candidates = _candidates(_in_language(evidence, language))
    if not candidates or not weights:
        return Composed(sentences=(), fit=0.0, near=0.0)
    near = _meet(weights, candidates)
    _weigh(weights, candidates)
    _score(asked, weights, candidates, language)
    if similarity is not None:
        _add_meaning(asked, candidates, similarity)
    chosen = _choose(candidates, language)
    best = max(candidates, key=lambda c: c.score)
    quoted = tuple(Sentence(text=c.text, refs=(c.ref,)) for c in chosen)
    return Composed(sentences=quoted, fit=best.fit, near=near, topic=_topic(weights, candidates))


def language_of(text: str) -> Language:
    """Return the language a passage is written in, by its letters."""
    return "ru" if 2 * len(_CYRILLIC.findall(text)) >= len(_LETTER.findall(text)) else "en"


def _in_language(evidence: Sequence[Evidence], language: Language) -> list[Evidence]:
    """Return the passages in the customer's language, or all where there is none."""
    own = [item for item in evidence if language_of(item.text) == language]
    return own or list(evidence)


def _asked(question: str, context: str) -> dict[str, float]:
    """Return the stems asked for with their first weights; what came earlier counts for half."""
    weights = dict.fromkeys(content(question), 1.0)
    for earlier in content(context):
        weights.setdefault(earlier, 0.5)
    return weights


def _candidates(evidence: Sequence[Evidence]) -> list[Candidate]:
    found: list[Candidate] = []
    seen: set[tuple[str, ...]] = set()
    top = max((item.score for item in evidence), default=0.0)
    for rank, item in enumerate(evidence):
        title = frozenset(map(stem, words(item.title)))
        for n, text in enumerate(sentences(item.text)):
            key = tuple(words(text))
            if not key or key in seen or text.endswith(("?", ":")):
                continue
            seen.add(key)
            titled = dict.fromkeys(title, 1.0)
            found.append(
                Candidate(
                    text=text,
                    ref=item.ref,
                    rank=rank,
                    n=n,
                    stems=frozenset(map(stem, key)),
                    denied=denied(text),
                    behind=min(FAR_BEHIND, top - item.score),
                    titled=titled,
                )
            )
    return found


def _weigh(weights: dict[str, float], candidates: Sequence[Candidate]) -> None:
    """Multiply each weight by how rare the stem is in this evidence: a word of every sentence tells nothing."""
    frequency = {asked: sum(1 for c in candidates if asked in c.found) for asked in weights}
    rare = {asked: math.log(1 + (len(candidates) + 1) / (n + 1)) for asked, n in frequency.items()}
    met = [rare[asked] for asked, n in frequency.items() if n]
    unmet = UNMET * sum(met) / len(met) if met else 1.0
    for asked, n in frequency.items():
        weights[asked] *= rare[asked] if n else unmet


def _meet(weights: Mapping[str, float], candidates: Sequence[Candidate]) -> float:
    """Fill in which stems each sentence and its title meet; return the share met anywhere."""
    known = frozenset().union(*(c.stems | c.titled.keys() for c in candidates))
    close = {asked: {one: met for one in known if (met := alike(asked, one)) > 0} for asked in weights}
    for c in candidates:
        c.found = _met(close, c.stems)
        c.titled = _met(close, c.titled.keys())
    anywhere = {asked for c in candidates for asked in (*c.found, *c.titled)}
    return len(anywhere) / len(weights)


def _topic(weights: Mapping[str, float], candidates: Sequence[Candidate]) -> float:
    met = (sum(weights[asked] * n for asked, n in c.titled.items()) for c in candidates)
    return max(met) / sum(weights.values())


def _met(close: Mapping[str, Mapping[str, float]], stems: Collection[str]) -> dict[str, float]:
    """Return for each stem asked for how well the best of `stems` meets it, where one does."""
    met = {
        asked: max((n for one, n in near.items() if one in stems), default=0.0)
        for asked, near in close.items()
    }
    return {asked: n for asked, n in met.items() if n}


def _score(
    question: str, weights: Mapping[str, float], candidates: Sequence[Candidate], language: Language
) -> None:
    total = sum(weights.values())
    kind_of_answer = expected(question, language)
    ways = kind_of_answer is not None and kind_of_answer == _kinds(language).get("how")
    for n, c in enumerate(candidates):
        around = [o for o in candidates[max(0, n - 1) : n + 2] if o is not c and o.rank == c.rank]
        met = 0.0
        for asked, weight in weights.items():
            beside = max((o.found.get(asked, 0.0) for o in around), default=0.0)
            own = c.found.get(asked, 0.0) * (DENIED if ways and asked in c.denied else 1.0)
            best = max(own, UNDER_TITLE * c.titled.get(asked, 0.0), NEXT_TO_IT * beside)
            met += weight * best
        c.fit = met / total
        wall = 0.1 if len(c.text) > LONGEST_QUOTE else 0.0
        kind = KIND_OF_ANSWER if kind_of_answer and kind_of_answer.search(c.text.lower()) else 0.0
        place = PLACES[c.rank] if c.rank < len(PLACES) else 0.0
        terse = TERSE * len(c.found) / max(1, len(c.stems))
        c.score = c.fit + kind + place + terse - wall - BEHIND * c.behind - 0.01 * min(c.n, 6)


def _add_meaning(question: str, candidates: Sequence[Candidate], similarity: Similarity) -> None:
    """Let nearness in meaning decide among the best; without shared words it alone can carry a sentence."""
    best = sorted(candidates, key=lambda c: -c.score)[:CLOSE_IN_MEANING]
    for c, close in zip(best, similarity(question, [c.text for c in best]), strict=True):
        c.score += MEANING * close
        c.fit = max(c.fit, 0.5 * c.fit + 0.5 * close)


def _choose(candidates: Sequence[Candidate], language: Language) -> list[Candidate]:
    ranked = sorted(candidates, key=lambda c: (-c.score, c.rank, c.n))
    chosen: list[Candidate] = []
    for c in ranked:
        if len(chosen) >= LONGEST_ANSWER:
            break
        if not any(_repeats(c, other) for other in chosen) and _belongs(c, chosen, ranked[0]):
            chosen += _with_what_belongs(c, candidates, chosen, language)
    first = {c.rank: n for n, c in reversed(list(enumerate(chosen)))}
    return sorted(chosen[:LONGEST_ANSWER], key=lambda c: (first[c.rank], c.n))


def _belongs(c: Candidate, chosen: Sequence[Candidate], best: Candidate) -> bool:
    """Tell whether a sentence belongs to the answer: near the best one, or with something new from elsewhere."""
    if c is best:
        return True
    if c.rank == best.rank:
        return c.score >= (ADJOINING if c.n == best.n + 1 else COMPANION) * best.score
    said = {asked for other in chosen for asked in other.found}
    return c.score >= STRANGER * best.score and bool(c.found.keys() - said)


def _with_what_belongs(
    c: Candidate, candidates: Sequence[Candidate], chosen: Sequence[Candidate], language: Language
) -> list[Candidate]:
    """Return the sentence with the one it leans on before it and the exception right after it."""
    found = [c]
    for other in candidates:
        if other.rank != c.rank or other in chosen:
            continue
        if other.n == c.n - 1 and _opens_with(c.text, "leads_to_next", language):
            found.insert(0, other)
        if other.n == c.n + 1 and _opens_with(other.text, "exceptions", language):
            found.append(other)
    return found


def _opens_with(text: str, name: str, language: Language) -> bool:
    said = " ".join(words(text)) + " "
    return said.startswith(_openings(name, language))


def _repeats(c: Candidate, other: Candidate) -> bool:
    if c is other:
        return True
    return len(c.stems & other.stems) >= 0.8 * min(len(c.stems), len(other.stems)) > 3


def pick(request: str, told: Sequence[str], *, language: Language, most: int) -> list[int]:
    """Return which of a tool's sentences, by number, tell what was asked for; the first opens unless one says it all."""
    heard = [frozenset(map(stem, words(sentence))) for sentence in told]
    asked = {one: sum(1 for stems in heard if nearest(one, stems) > 0) for one in content(readable(request))}
    telling = [one for one, n in asked.items() if 0 < 2 * n <= len(told)]
    scores = [sum(nearest(one, stems) / asked[one] for one in telling) for stems in heard]
    best = max(scores, default=0.0)
    kind = expected(readable(request), language)
    of_kind = [n for n, sentence in enumerate(told) if kind and kind.search(sentence.lower())]
    if best <= 0:
        return of_kind[:most] if 0 < 2 * len(of_kind) <= len(told) else list(range(min(most, len(told))))
    found = [n for n, score in enumerate(scores) if score >= 0.6 * best][:most]
    complete = kind is None or any(n in of_kind for n in found)
    return found if complete else sorted({0, *found[: most - 1]})


@cache
def _openings(name: str, language: Language) -> tuple[str, ...]:
    return tuple(f"{' '.join(words(opening))} " for opening in lexicon(language)["reading"][name])


def expected(question: str, language: Language) -> re.Pattern[str] | None:
    """Return what an answer should hold, by the question's words: a date, a sum, a place, a yes or no."""
    said = f" {' '.join(words(question))} "
    forms = _question_forms(language)
    return next((answer for asks, answer in forms if any(form in said for form in asks)), None)


@cache
def _kinds(language: Language) -> Mapping[str, re.Pattern[str]]:
    return {kind: re.compile(answer) for kind, answer in lexicon(language)["answer"].items()}


@cache
def _question_forms(language: Language) -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    asks = lexicon(language)["question"]
    return tuple(
        (tuple(f" {' '.join(words(form))} " for form in asks[kind]), answer)
        for kind, answer in _kinds(language).items()
    )
