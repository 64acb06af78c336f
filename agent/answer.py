"""The public answer object: what `mayak ask --json`, receipts and evals print for one turn."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from agent.domain import Escalated, TurnRecord, Waiting, outcome_name
from agent.records.codec import cards_json


def public(record: TurnRecord) -> Mapping[str, Any]:
    """Return the turn as JSON types; names are part of the public contract (docs/contract.md)."""
    return {
        "outcome": outcome_name(record.outcome),
        "text": "\n".join(reply.text for reply in record.replies),
        "language": record.language,
        "confidence": record.confidence,
        "reasons": list(record.reasons),
        "signals": dict(record.signals),
        "citations": [asdict(citation) for reply in record.replies for citation in reply.citations],
        "buttons": [
            {"label": button.label, "action": asdict(button.action)}
            for reply in record.replies
            for button in reply.buttons
        ],
        "cards": cards_json([card for reply in record.replies for card in reply.cards]),
        "tools": [{"name": use.name, "ok": use.ok, "fault": use.fault} for use in record.tools],
        "data_used": [asdict(use) for use in record.data_used],
        "waiting": _waiting(record),
        "handoff": _handoff(record),
        "path": record.path,
        "model": record.model,
        "cost": asdict(record.cost),
        "ms": dict(record.ms),
        "conversation": record.conversation,
        "turn": record.turn,
    }


def _waiting(record: TurnRecord) -> dict[str, str] | None:
    if not isinstance(record.outcome, Waiting):
        return None
    return {"what": record.outcome.what, "target": record.outcome.target}


def _handoff(record: TurnRecord) -> dict[str, Any] | None:
    if not isinstance(record.outcome, Escalated) or record.ticket is None:
        return None
    return {
        "reason": record.outcome.reason,
        "department": record.ticket.department,
        "partial": record.outcome.partial,
    }
