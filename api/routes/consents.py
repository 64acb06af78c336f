"""What the customer allowed, what they may withdraw, and what is stored about them."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from agent.policy.consent import change
from api.errors import Problem
from api.opened import House, Mine, Own
from api.routes.conversations import consents_of

router = APIRouter(prefix="/v1", tags=["privacy"])


class Choice(BaseModel):
    """Body of POST …/consents."""

    model_config = ConfigDict(extra="forbid")

    purpose: str = Field(max_length=64)
    granted: bool


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
    row = change(purpose, granted=body.granted, language=conversation.language)
    await house.building.records.consent_outside(conversation.id, row)
    return {"consents": await consents_of(house, conversation)}


@router.get("/me")
async def me(conversation: Mine, house: House) -> dict[str, Any]:
    """Return what is stored about the conversation this token belongs to: transcript, consents, turns."""
    return await house.building.records.export(conversation.id)
