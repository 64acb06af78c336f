"""What the bearer of a conversation's token may know of themselves."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from agent.domain import Conversation
from agent.policy.rights import Right, rights_of
from agent.policy.standing import standing
from agent.records.chain import subject_of
from api.errors import Problem
from api.opened import House, Mine, Opened
from api.rights.export import exported
from api.rights.page import POLICY, page
from api.rights.premises import premises_of
from api.rights.subject import Subject, subject_of_conversation, subject_of_customer

router = APIRouter(prefix="/v1", tags=["privacy"])


@router.get("/me", response_model=None)
async def me(
    conversation: Mine, house: House, format: Literal["json", "html"] = "json"
) -> dict[str, Any] | Response:
    """Return everything held about whose token this is, as JSON or as one page; `can` says what they may do with it.

    Without a customer that is the conversation. With one who is not sure enough any more it is the conversation as well,
    and nothing else of theirs: sign in again, or ask for a code in the chat.
    """
    building = house.building
    may = rights(house, conversation)
    async with building.engine.connect() as connection:
        subject = await _subject(connection, conversation, may)
    about = subject_of(conversation.id, subject.customer)
    await building.records.audit("customer.export", actor="customer", target=conversation.id, about=about)
    export = await exported(premises_of(building), subject)
    if format == "html":
        text = page(
            export,
            language=conversation.language,
            company=building.pack.name[conversation.language],
            timezone=building.pack.timezone,
        )
        return HTMLResponse(text, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})
    own = next(row for row in export["conversations"] if row["id"] == conversation.id)
    return {"can": list(may), "conversation": own, **export}


@router.delete("/me", status_code=202)
async def forget_me(conversation: Mine, house: House) -> dict[str, Any]:
    """Have everything deleted that `GET /v1/me` tells; returns the request, which `GET /v1/erasures/{id}` follows.

    The token opens nothing from the moment it is done. Orders under way keep their customer: see `kept`.
    """
    if "erase" not in rights(house, conversation):
        raise Problem(
            403,
            "not_sure_enough",
            "Not sure enough who you are",
            detail="This conversation belongs to a customer, and it is not sure enough any more that you are the one.",
            remedy="Sign in on the site and open a new conversation, or ask for a code in the chat.",
        )
    async with house.building.engine.connect() as connection:
        subject = await _subject(connection, conversation, ("export", "erase"))
    return await _told(house, await house.erasures.ask(subject))


@router.get("/erasures/{id}")
async def erasure(id: str, house: House) -> dict[str, Any]:
    """Return how far a request is: asked, waiting, deleting, scrubbing, done; then the counts, and what proves them."""
    return await _told(house, id)


async def _told(house: Opened, id: str) -> dict[str, Any]:
    found = await house.erasures.find(id)
    if found is None:
        raise Problem(
            404,
            "unknown_erasure",
            "Unknown request",
            detail="There is no such request.",
            remedy="Use the id that DELETE /v1/me returned.",
        )
    return found.as_dict()


def rights(house: Opened, conversation: Conversation) -> tuple[Right, ...]:
    """Return what the bearer of the conversation's token may do at this moment."""
    codes = house.building.pack.policy.assurance.codes
    sure = standing(
        conversation.assurance,
        proved=conversation.proved,
        now=house.building.clock.now(),
        verified_for=codes.verified_for,
        stepped_up_for=codes.stepped_up_for,
    )
    return rights_of(conversation.customer_id, sure)


async def _subject(connection: Any, conversation: Conversation, may: tuple[Right, ...]) -> Subject:
    if conversation.customer_id is not None and "export" in may:
        return await subject_of_customer(connection, conversation.customer_id)
    return await subject_of_conversation(connection, conversation.id)
