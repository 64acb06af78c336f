"""The receipt of one answer, as an operator opens it: what it was made of. Reading it is written down like reading the talk."""

import re

from fastapi import APIRouter, Response

from agent.itemising import receipt_of
from agent.receipt_words import Reciting
from agent.records.chain import subject_of
from agent.records.errors import UnknownTurn
from api.console.page import PageRoute
from api.console.visit import Operator
from api.errors import Problem
from tools.context import ConversationId, TurnId

router = APIRouter(prefix="/console/dialogues", route_class=PageRoute)

_TURN = re.compile(r"[A-Za-z0-9._~:-]{1,128}")


@router.get("/{id}/receipts/{turn}")
async def receipt(id: str, turn: str, visit: Operator) -> Response:
    """Show what an answer of this conversation was made of: a part for an open page (`X-Part`), else a page.

    Fields are named and values behind placeholders counted, as for the customer: no value is read here. A turn of another
    conversation and one that never was are the same 404.
    """
    building = visit.house.building
    conversation = await building.records.conversation(ConversationId(id))
    if not _TURN.fullmatch(turn):
        raise UnknownTurn()
    record = await building.records.receipt(conversation.id, TurnId(turn))
    if record is None:
        raise Problem(404, "turn_open", "Not decided yet")
    await visit.note("read", id, about=subject_of(conversation.id, conversation.customer_id), receipt=turn)
    words = Reciting(receipt_of(record), phrases=building.phrases, language=visit.language)
    part = visit.request.headers.get("X-Part")
    return visit.page(
        "_receipt.html" if part else "receipt.html",
        talk=conversation.id,
        turn=turn,
        sections=words.told(),
        warning=words.warning(),
        record=record,
    )
