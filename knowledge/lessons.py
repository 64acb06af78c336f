"""What people of the company answered and the AI could not: proposals of knowledge, one for all who asked the same. Pure.

    a case is resolved ─► Taught ─┬─ asks what a proposal asks ─► that one, counted once more
                                  └─ else ─► a new proposal          open ─┬─► drafted ─► (published)
                                                                     ▲     └─► refused, with the reason
                                                                     └── taken back ◄─┘
A refused proposal stays: who asks the same again is counted there, and no new one is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from knowledge.clusters import Encode, Space, weights
from knowledge.types import DocumentId, Language

LessonState = Literal["open", "drafted", "refused"]
Refusal = Literal["case", "known", "wrong", "secret", "other"]
"""Why a proposal is refused: a fact of one customer; in the documents already; not true; not for customers; else."""
Wish = Literal["", "yes", "no"]
"""What the person who answered wished: nothing said, proposed in their own words, or not to be proposed."""
EXAMPLES = 5
LONGEST_QUESTION, LONGEST_ANSWER = 300, 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """One case in which a person answered; `question` and `said` are masked, `answer` is what may become knowledge.

    `turn` is the customer's question, by which the case is known.
    """

    turn: str
    conversation: str
    question: str
    language: Language
    said: tuple[str, ...]
    answer: str
    by: str
    at: datetime
    wish: Wish = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A proposal: what is asked, what to answer, and the words of people it is made of."""

    id: str
    state: LessonState
    question: str
    answer: str
    language: Language
    by: str
    at: datetime
    members: tuple[str, ...] = ()
    """Turns of the customers who asked."""
    examples: tuple[str, ...] = ()
    """How they asked."""
    document: DocumentId | None = None
    decided_by: str = ""
    decided_at: datetime | None = None
    refusal: Refusal | None = None
    why: str = ""

    @property
    def count(self) -> int:
        """How many customers' questions it answers."""
        return len(self.members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one person replied in one case, word for word but for personal data."""

    lesson: str
    conversation: str
    said: tuple[str, ...]
    by: str
    at: datetime


def same(
    taught: Taught,
    lessons: Sequence[Lesson],
    *,
    encode: Encode,
    background: Sequence[tuple[str, str]] = (),
) -> Lesson | None:
    """Return the proposal that asks what the case asked, the most alike of several; None for none.

    `background` are (text, language) of other questions, as of `knowledge.gaps.find_gaps`.
    """
    plain = _plain(taught.question)
    for lesson in lessons:
        if plain in {_plain(text) for text in (lesson.question, *lesson.examples)}:
            return lesson
    texts = [(taught.question, str(taught.language))]
    places: list[list[int]] = []
    for lesson in lessons:
        wordings = list(dict.fromkeys((lesson.question, *lesson.examples)))
        places.append(list(range(len(texts), len(texts) + len(wordings))))
        texts += [(text, str(lesson.language)) for text in wordings]
    if not lessons:
        return None
    space = Space(
        [text for text, _ in texts], [spoken for _, spoken in texts], encode=encode, background=background
    )
    scores = [float(space.alike([0], at).mean()) for at in places]
    best = max(range(len(lessons)), key=scores.__getitem__)
    return lessons[best] if scores[best] >= weights().join else None


def joined(lesson: Lesson, taught: Taught) -> Lesson:
    """Return the proposal with one more case in it; an open one takes the words a person chose to propose."""
    asked = tuple(dict.fromkeys((*lesson.examples, taught.question)))[:EXAMPLES]
    members = tuple(dict.fromkeys((*lesson.members, taught.turn)))
    chosen = taught.wish == "yes" and lesson.state == "open"
    answer = taught.answer if chosen or not lesson.answer else lesson.answer
    return replace(lesson, members=members, examples=asked, answer=answer)


def begun(taught: Taught, *, id: str) -> Lesson:
    """Return a new proposal."""
    return Lesson(
        id=id,
        state="open",
        question=taught.question[:LONGEST_QUESTION],
        answer=taught.answer[:LONGEST_ANSWER],
        language=taught.language,
        by=taught.by,
        at=taught.at,
        members=(taught.turn,),
        examples=(taught.question[:LONGEST_QUESTION],),
    )


def article(lesson: Lesson) -> str:
    """Return the draft: how customers ask as its heading, the answer below. What it is made of stays with the proposal."""
    return f"# {_line(lesson.question)}\n\n{lesson.answer.strip()}\n"


def _plain(text: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in text.casefold()).split())


def _line(text: str) -> str:
    return " ".join(text.split())
