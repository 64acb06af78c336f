"""Between domain values and the JSON the tables keep."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from agent.cards import Card
from agent.domain import (
    OUTCOME_NAMES,
    Action,
    Button,
    Citation,
    Message,
    Outcome,
    Recall,
    TurnRecord,
    Verified,
    outcome_name,
)
from tools.context import TurnId

_RECORD: TypeAdapter[TurnRecord] = TypeAdapter(TurnRecord)
_RECALL: TypeAdapter[Recall] = TypeAdapter(Recall)
_CITATIONS: TypeAdapter[tuple[Citation, ...]] = TypeAdapter(tuple[Citation, ...])
_BUTTONS: TypeAdapter[tuple[Button, ...]] = TypeAdapter(tuple[Button, ...])
_CARDS: TypeAdapter[tuple[Card, ...]] = TypeAdapter(tuple[Card, ...])
_OUTCOMES: Mapping[str, type] = {name: kind for kind, name in OUTCOME_NAMES.items()}


def record_json(record: TurnRecord) -> dict[str, Any]:
    """Return the record as JSON; the outcome carries its public name under `kind`."""
    # What is forgotten must not live on in what was decided when it was remembered.
    data: dict[str, Any] = _RECORD.dump_python(record, mode="json", exclude={"notes", "contact", "pledge"})
    data["outcome"] = {"kind": outcome_name(record.outcome), **asdict(record.outcome)}
    return data


def record_of(data: Mapping[str, Any]) -> TurnRecord:
    """Read what `record_json` wrote."""
    fields = dict(data["outcome"])
    outcome: Outcome = _OUTCOMES[fields.pop("kind")](**fields)
    return _RECORD.validate_python({**data, "outcome": outcome})


def recall_of(data: Mapping[str, Any] | None) -> Recall:
    """Read what a record remembered; records of earlier releases, and no record, remember nothing."""
    return _RECALL.validate_python((data or {}).get("recall") or {})


def action_json(action: Action | None) -> dict[str, Any] | None:
    """Return an action as JSON."""
    return asdict(action) if action is not None else None


def action_of(data: Mapping[str, Any] | None) -> Action | None:
    """Read an action."""
    return Action(**data) if data else None


def citations_json(citations: Sequence[Citation]) -> list[dict[str, Any]]:
    """Return citations as JSON."""
    return [asdict(citation) for citation in citations]


def buttons_json(buttons: Sequence[Button]) -> list[dict[str, Any]]:
    """Return buttons as JSON."""
    return [asdict(button) for button in buttons]


def cards_json(cards: Sequence[Card]) -> list[dict[str, Any]]:
    """Return cards as JSON."""
    told: list[dict[str, Any]] = _CARDS.dump_python(tuple(cards), mode="json")
    return told


def message_of(row: Any) -> Message:
    """Read a row of `messages`."""
    return Message(
        seq=row.seq,
        author=row.author,
        text=row.text,
        at=row.at,
        turn=TurnId(row.turn) if row.turn else None,
        citations=_CITATIONS.validate_python(row.citations),
        buttons=_BUTTONS.validate_python(row.buttons),
        name=row.name,
        cards=_CARDS.validate_python(row.cards),
    )


def verified_of(row: Any) -> Verified:
    """Read a row of `sentences`."""
    return Verified(text=row.text, citations=_CITATIONS.validate_python(row.citations))


def message_event(message: Message) -> dict[str, Any]:
    """Return the data of a `message` event."""
    return {
        "seq": message.seq,
        "author": message.author,
        "name": message.name,
        "text": message.text,
        "citations": citations_json(message.citations),
        "buttons": buttons_json(message.buttons),
        "cards": cards_json(message.cards),
        "turn": message.turn,
        "at": message.at.isoformat(),
    }


def sentence_event(turn: TurnId, n: int, sentence: Verified, *, opening: bool = False) -> dict[str, Any]:
    """Return the data of a `sentence` event; `opening`: the AI says of itself what it is, and it is no part of the answer."""
    told = {"turn": turn, "n": n, "text": sentence.text, "citations": citations_json(sentence.citations)}
    return {**told, "opening": True} if opening else told


def handoff_event(holder: str, *, department: str = "", operator: str = "") -> dict[str, Any]:
    """Return the data of a `handoff` event; what is said with it is a message of its own."""
    return {"holder": holder, "department": department, "operator": operator, "text": ""}
