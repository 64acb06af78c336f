"""What the customer allowed, and what they may withdraw."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from agent.policy.consent import change
from api.errors import Problem
from api.opened import House, Own
from api.routes.conversations import consents_of
from tools.context import Language

router = APIRouter(prefix="/v1", tags=["privacy"])


class Choice(BaseModel):
    """Body of POST …/consents."""

    model_config = ConfigDict(extra="forbid")

    purpose: str = Field(max_length=64)
    granted: bool
    version: str | None = Field(default=None, max_length=64)
    """Of the text that was read; without it, the text of this moment."""
    language: Language | None = None
    """Of the text that was read; without it, the conversation's."""


@router.get("/conversations/{id}/consents")
async def consents(conversation: Own, house: House) -> dict[str, Any]:
    """Return every purpose, its exact text and the customer's choice."""
    return {"consents": await consents_of(house, conversation)}


@router.post("/conversations/{id}/consents")
async def choose(body: Choice, conversation: Own, house: House) -> dict[str, Any]:
    """Grant or withdraw one purpose; the ledger keeps the text, its version and the moment."""
    purpose = house.building.pack.purposes.get(body.purpose)
    if purpose is None:
        raise Problem(
            404,
            "unknown_purpose",
            "Unknown purpose",
            detail="There is no such purpose here.",
            remedy="GET the same address for the list.",
        )
    if body.granted and body.version not in (None, purpose.version):
        raise Problem(
            409,
            "stale_consent",
            "The text has changed",
            detail="What was agreed to is no longer what is asked.",
            remedy="GET the same address, show the text there, and ask again.",
        )
    language = body.language or conversation.language
    if language not in purpose.text:
        raise Problem(
            422,
            "unknown_language",
            "Not asked in this language",
            detail=f"This purpose is asked for in {', '.join(purpose.text)}.",
            remedy="Name one of these languages, the one of the text that was read.",
        )
    row = change(purpose, granted=body.granted, language=language)
    await house.building.records.consent_outside(conversation.id, row)
    return {"consents": await consents_of(house, conversation)}
