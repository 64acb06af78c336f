"""What customers ask and the documents do not answer: questions grouped, ranked by harm × frequency. Pure.

    troubles ─┬─ ask what a taken-up gap asks ─► that gap            open ─► drafted ─► closed (by a document)
              └─ the rest, in groups ──────────► open gaps             └───────────────────┘

A trouble is a question that ended badly: nothing found, a person called, a thumbs-down, an unsure answer. After a gap
is closed, `Effect` says how the same question has ended since.
"""

import hashlib
import tomllib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from knowledge.clusters import Encode, Space, weights
from knowledge.teachable import judged
from knowledge.types import DocumentId, Language

Status = Literal["open", "drafted", "closed"]
DATA = Path(__file__).with_name("gaps.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One question of a customer and how it ended; texts carry no names. `replies` are answers of people, in order."""

    id: str
    text: str
    language: Language
    at: datetime
    outcome: str
    conversation: str = ""
    reason: str = ""
    confidence: float | None = None
    disliked: bool = False
    person_after: bool = False
    replies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Words of a person of the company, and the conversation they stand in."""

    text: str
    conversation: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """The document that comes nearest to the question, and how sure the search is of it, 0..1."""

    document: DocumentId
    title: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A gap somebody has taken up. `examples` say what it asks, `members` are ids of its questions then."""

    id: str
    status: Status
    question: str
    language: Language
    examples: tuple[str, ...]
    members: tuple[str, ...]
    draft: str = ""
    document: str = ""
    by: str = ""
    drafted_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How the question of a closed gap has ended since: how often it was asked, and outcomes by name."""

    questions: int
    outcomes: Mapping[str, int]
    troubles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Questions that ask the same and ended badly; `question` is the one most like the others.

    `score` is the sum of their harm, `reasons` counts why they are here. `quotes` are the words a draft is made of.
    """

    id: str
    status: Status
    question: str
    language: Language
    examples: tuple[str, ...]
    members: tuple[str, ...]
    count: int
    score: float
    reasons: Mapping[str, int]
    first: datetime | None
    last: datetime | None
    quotes: tuple[Quote, ...] = ()
    near: Near | None = None
    draft: str = ""
    document: str = ""
    closed_at: datetime | None = None
    effect: Effect | None = None


Nearest = Callable[[str, Language], Awaitable[Near | None]]


def harm(ended: Ended) -> tuple[str, float]:
    """Return why a question is a trouble and its harm, 0..1; ("", 0) when it is none."""
    known: Mapping[str, float] = _data()["harm"]
    why: list[str] = []
    if ended.outcome == "escalated":
        why.append(ended.reason)
    elif ended.outcome in ("declined", "clarify"):
        why.append(ended.outcome)
    elif ended.outcome == "answered" and _unsure(ended.confidence):
        why.append("unsure")
    why += [name for name in ("disliked", "person_after") if getattr(ended, name)]
    worst = max(why, key=lambda name: known.get(name, 0.0), default="")
    return (worst, known[worst]) if known.get(worst, 0.0) > 0 else ("", 0.0)


def find_gaps(
    questions: Sequence[Ended],
    *,
    kept: Sequence[Kept] = (),
    encode: Encode,
    background: Sequence[tuple[str, str]] = (),
    tell: Callable[[int], None] = lambda _: None,
) -> tuple[Gap, ...]:
    """Return gaps, the most harmful first; those taken up are there even when nobody asks any more.

    `questions` are all that were asked, good endings too: only these show an effect. `background` are (text,
    language) of other questions. `tell` hears how many texts were read. The same input gives the same gaps.
    """
    ended = sorted(questions, key=lambda one: (one.at, one.id))
    examples = [(text, one.language) for one in kept for text in one.examples]
    space = Space(
        [*(one.text for one in ended), *(text for text, _ in examples)],
        [*(one.language for one in ended), *(language for _, language in examples)],
        encode=encode,
        background=background,
        tell=tell,
    )
    taken = _taken(ended, kept, space)
    troubles = [row for row, one in enumerate(ended) if harm(one)[1] > 0]
    free = [row for row in troubles if row not in taken]
    gaps = [_open(group, ended, space) for group in space.groups(free)]
    for one in kept:
        rows = [row for row, owner in taken.items() if owner == one.id]
        gaps.append(_kept(one, rows, ended, space))
    return tuple(sorted(gaps, key=lambda gap: (gap.status == "closed", -gap.score, gap.id)))


async def placed(gaps: Sequence[Gap], *, nearest: Nearest) -> tuple[Gap, ...]:
    """Return the gaps with the document nearest to each."""
    return tuple([replace(gap, near=await nearest(gap.question, gap.language)) for gap in gaps])


def draft_text(gap: Gap) -> str:
    """Return a draft in Markdown: what people ask, and what staff replied, word for word, each with its source.

    Nothing in it is made up: without replies it says so.
    """
    texts: Mapping[str, str] = _data()["texts"][gap.language]
    lines = [f"# {_line(gap.question)}", "", f"*{texts['draft']}*", "", f"## {texts['answered']}", ""]
    for quote in gap.quotes:
        source = texts["source"].format(conversation=quote.conversation[:8], day=f"{quote.at:%Y-%m-%d}")
        lines += [*(f"> {part}" for part in quote.text.splitlines()), f"> — {source}", ""]
    if not gap.quotes:
        lines += [texts["none"], ""]
    lines += [f"## {texts['asked']}", "", *(f"- {_line(text)}" for text in gap.examples), ""]
    return "\n".join(lines)


def answer_text(gap: Gap, said: str = "") -> str:
    """Return an approved answer to begin with: the wordings customers use as one heading, and what is known to say.

    `said` is what a document answers it with; without one the first words of staff stand there, and else nothing.
    """
    asked = dict.fromkeys(_line(text).rstrip(" ?.!…") for text in (gap.question, *gap.examples))
    heading = " ".join(f"{text}?" for text in asked if text and "?" not in text)
    words = said or (gap.quotes[0].text if gap.quotes else "")
    return f"## {heading}\n\n{words.strip()}\n"


def _taken(ended: Sequence[Ended], kept: Sequence[Kept], space: Space) -> dict[int, str]:
    """Return which questions ask what a taken-up gap asks: its own, and those alike enough to be of its group."""
    own = {name: one.id for one in kept for name in one.members}
    out = {row: own[one.id] for row, one in enumerate(ended) if one.id in own}
    at = len(ended)
    best: dict[int, tuple[str, float]] = {}
    rows = [row for row in range(len(ended)) if row not in out]
    for one in kept:
        places = range(at, at := at + len(one.examples))
        if not places or not rows:
            continue
        for row, score in zip(rows, space.alike(rows, places).mean(axis=1), strict=True):
            if score >= weights().join and score > best.get(row, ("", -1.0))[1]:
                best[row] = (one.id, float(score))
    return out | {row: name for row, (name, _) in best.items()}


def _open(rows: Sequence[int], ended: Sequence[Ended], space: Space) -> Gap:
    first = ended[rows[0]]
    name = hashlib.sha256(first.id.encode()).hexdigest()[:12]
    chosen = ended[space.middle(rows)]
    gap = _figures(rows, ended, space)
    return replace(gap, id=name, question=chosen.text, language=chosen.language)


def _kept(one: Kept, rows: Sequence[int], ended: Sequence[Ended], space: Space) -> Gap:
    troubles = [row for row in rows if harm(ended[row])[1] > 0]
    after = [ended[row] for row in rows if one.closed_at is not None and ended[row].at >= one.closed_at]
    effect = Effect(
        questions=len(after),
        outcomes=dict(Counter(each.outcome for each in after).most_common()),
        troubles=sum(harm(each)[1] > 0 for each in after),
    )
    gap = _figures(troubles, ended, space)
    return replace(
        gap,
        id=one.id,
        status=one.status,
        question=one.question,
        language=one.language,
        examples=one.examples,
        draft=one.draft,
        document=one.document,
        closed_at=one.closed_at,
        effect=effect if one.status == "closed" else None,
    )


def _figures(rows: Sequence[int], ended: Sequence[Ended], space: Space) -> Gap:
    own = [ended[row] for row in rows]
    judged = [harm(one) for one in own]
    limits = _data()["limits"]
    order = list(rows)
    if rows:
        near = space.alike(rows, [space.middle(rows)])[:, 0]
        order = [rows[n] for n in sorted(range(len(rows)), key=lambda n: -float(near[n]))]
    examples = list(dict.fromkeys(ended[row].text for row in order))[: int(limits["examples"])]
    return Gap(
        id="",
        status="open",
        question="",
        language="ru",
        examples=tuple(examples),
        members=tuple(one.id for one in own),
        count=len(own),
        score=round(sum(score for _, score in judged), 3),
        reasons=dict(Counter(why for why, _ in judged).most_common()),
        first=min((one.at for one in own), default=None),
        last=max((one.at for one in own), default=None),
        quotes=_quotes([ended[row] for row in order], most=int(limits["quotes"]), wordy=int(limits["wordy"])),
    )


def _quotes(ended: Sequence[Ended], *, most: int, wordy: int) -> tuple[Quote, ...]:
    """Return what people replied, from the questions most like the others first, nothing twice, and nothing that holds for one customer."""
    out: dict[str, Quote] = {}
    for one in ended:
        for reply in one.replies:
            fit = (each.text for each in judged(reply, language=one.language) if not each.why)
            said = [line for line in fit if len(line.split()) >= wordy]
            text = "\n".join(said)
            if text:
                key = " ".join(text.casefold().split())
                out.setdefault(key, Quote(text=text, conversation=one.conversation, at=one.at))
    return tuple(out.values())[:most]


def _unsure(confidence: float | None) -> bool:
    return confidence is not None and confidence < float(_data()["limits"]["unsure_below"])


def _line(text: str) -> str:
    return " ".join(text.split())


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text("utf-8"))
