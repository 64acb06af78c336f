"""What is remembered of the customer: seen and deleted outside the chat, one by one or all at once."""

from typing import Any

from fastapi import APIRouter, Response

from agent.domain import Conversation
from agent.notes import NoteId
from api.errors import Problem
from api.opened import House, Mine
from tools.context import CustomerId

router = APIRouter(prefix="/v1/me/notes", tags=["privacy"])


@router.get("")
async def notes(conversation: Mine, house: House) -> dict[str, Any]:
    """Return what is remembered of the customer this token speaks for, oldest first; of nobody, nothing is."""
    customer = _known(conversation)
    kept = await house.building.records.notes_of(customer) if customer is not None else ()
    return {
        "notes": [
            {
                "id": note.id,
                "kind": note.kind,
                "text": note.text,
                "language": note.language,
                "purpose": "memory",
                "consent": note.consent,
                "source": {"conversation": note.conversation, "seq": note.seq, "channel": note.channel},
                "at": note.at.isoformat(),
                "expires": note.expires.isoformat(),
            }
            for note in kept
        ]
    }


@router.delete("")
async def forget_all(conversation: Mine, house: House) -> dict[str, int]:
    """Forget everything that is remembered of the customer; how many notes that were."""
    customer = _known(conversation)
    return {"forgotten": await house.building.records.forget(customer) if customer is not None else 0}


@router.delete("/{id}", status_code=204, response_class=Response)
async def forget(id: str, conversation: Mine, house: House) -> None:
    """Forget one note. Another customer's and one that is gone are the same to the caller: there is none."""
    customer = _known(conversation)
    if customer is None or not await house.building.records.forget(customer, [NoteId(id)]):
        raise Problem(
            404,
            "unknown_note",
            "Unknown note",
            detail="Nothing with this id is remembered about you.",
            remedy="GET /v1/me/notes for what is.",
        )


def _known(conversation: Conversation) -> CustomerId | None:
    return conversation.customer_id if conversation.assurance != "anonymous" else None
