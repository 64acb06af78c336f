"""What the comparison of whole turns asks of an agent: take a customer's question, return what the customer reads."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

RULES = "Answer from the evidence alone. Every sentence ends with its [ref]."
"""The system prompt of the agents that have none of their own."""


class Agent(Protocol):
    """An agent that is open. Several questions may be asked at once, each in a talk of its own."""

    async def begin(self, talk: str, *, language: str) -> None:
        """Open a conversation; it is spoken in later."""
        ...

    async def answer(self, question: str, *, talk: str) -> str:
        """Return the whole answer to a question asked in this conversation."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question, its language, and the passages (`ref`, `title`, `text`) that agents without a search are given."""

    question: str
    language: str
    evidence: tuple[Mapping[str, str], ...] = ()

    def as_message(self) -> str:
        """Return the question with its evidence as one JSON object, as a model is asked."""
        data = {"evidence": list(self.evidence), "question": self.question, "language": self.language}
        return json.dumps(data, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the process of one agent is told. `data` is a prepared data folder, `scratch` one of its own.

    `alone`: every question is asked by itself. `in_flight`: so many talks are held at once, 0 none. `long`: so many
    turns are taken in one talk, 0 none.
    """

    url: str
    company: Path
    data: Path
    scratch: Path
    embedder: str
    asked: tuple[Asked, ...]
    alone: bool = False
    in_flight: int = 0
    long: int = 0

    def to_json(self) -> str:
        """Return the job as JSON."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def of_json(cls, text: str) -> "Job":
        """Read a job back."""
        row: dict[str, Any] = json.loads(text)
        paths = {name: Path(row[name]) for name in ("company", "data", "scratch")}
        asked = tuple(Asked(**{**one, "evidence": tuple(one["evidence"])}) for one in row["asked"])
        return cls(**{**row, **paths, "asked": asked})

    def evidence_of(self) -> Mapping[str, Asked]:
        """Return the questions by their words."""
        return {one.question: one for one in self.asked}


class FakeAgent:
    """Repeats the question. `said` counts the questions of each talk; every `failing`-th of them fails."""

    def __init__(self, *, failing: int = 0) -> None:
        self.said: dict[str, int] = {}
        self.failing = failing

    async def begin(self, talk: str, *, language: str) -> None:
        self.said[talk] = 0

    async def answer(self, question: str, *, talk: str) -> str:
        self.said[talk] += 1
        if self.failing and sum(self.said.values()) % self.failing == 0:
            raise ConnectionError("every so many")
        return question


def passages_json(found: Sequence[Mapping[str, str]]) -> str:
    """Return passages as a search tool hands them to a model."""
    return json.dumps({"evidence": list(found)}, ensure_ascii=False)
