"""What one answer was made of: for the customer to read, and as a record for programs."""

import re
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from agent.answer import public
from agent.domain import TurnRecord
from agent.itemising import receipt_of
from agent.receipt_words import Reciting
from agent.records.errors import UnknownTurn
from api.errors import Problem
from api.opened import House, Opened, Own
from api.receipts.iso27560 import MEDIA_TYPE, as_record
from tools.context import ConversationId, Language, TurnId

router = APIRouter(prefix="/v1/conversations", tags=["privacy"])

_TURN = re.compile(r"[A-Za-z0-9._~:-]{1,128}")
VARIES = {"Vary": "Accept"}
TOLD = (
    "turn",
    "outcome",
    "language",
    "confidence",
    "reasons",
    "citations",
    "tools",
    "data_used",
    "handoff",
    "path",
    "model",
    "cost",
    "ms",
)
"""What of the answer object its receipt repeats."""


@router.get("/{id}/receipts/{turn}", response_model=None)
async def receipt(
    turn: str,
    conversation: Own,
    house: House,
    format: Annotated[Literal["readable", "iso27560"] | None, Query()] = None,
    language: Annotated[Language | None, Query()] = None,
    accept: Annotated[str, Header()] = "",
) -> JSONResponse:
    """Return what one answer of this conversation was made of: documents, data, basis, models, what is remembered.

    `told` says it in the conversation's language, or in `language`. With `format=iso27560`, or `Accept:
    application/ld+json`, the same as a record after ISO/IEC TS 27560 in terms of the W3C Data Privacy Vocabulary.
    A turn of another conversation and one that never was are the same 404.
    """
    record = await _record(house, conversation.id, turn)
    if format == "iso27560" or (format is None and MEDIA_TYPE in accept):
        company = house.building.pack.name[record.language]
        return JSONResponse(as_record(record, company=company), media_type=MEDIA_TYPE, headers=VARIES)
    words = house.language(language) if language else conversation.language
    told = jsonable_encoder(_readable(house, record, language=words))
    return JSONResponse(told, headers=VARIES)


async def _record(house: Opened, conversation: ConversationId, turn: str) -> TurnRecord:
    if not _TURN.fullmatch(turn):
        raise UnknownTurn()
    record = await house.building.records.receipt(conversation, TurnId(turn))
    if record is None:
        raise Problem(
            404,
            "turn_open",
            "Not decided yet",
            detail="This turn has no outcome yet.",
            remedy="Ask again when its message has arrived.",
        )
    return record


def _readable(house: Opened, record: TurnRecord, *, language: Language) -> dict[str, Any]:
    receipt, answer = receipt_of(record), public(record)
    words = Reciting(receipt, phrases=house.building.phrases, language=language)
    return {
        **{name: answer[name] for name in TOLD},
        **asdict(receipt),
        "told": [asdict(section) for section in words.told()],
        "warning": words.warning(),
    }
