"""What the routes of an open application share; made when it starts, found on `app.state`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Header, Request

from agent.domain import Conversation
from api.errors import Problem
from api.metrics import Metrics
from api.rights.erasures import Erasures
from api.security import Identity, Rate, bearer, conversation_of, same
from api.worker import Worker
from api.writable import Writable
from tools.context import ConversationId, CustomerId, Language

if TYPE_CHECKING:
    from api.container import Building

PER_ADDRESS = 10
"""How many conversations' worth of messages one network address may send."""
OPENINGS_PER_MINUTE = 30
"""Conversations one network address may open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The built house and what the front door adds to it."""

    building: Building
    worker: Worker
    erasures: Erasures
    metrics: Metrics
    writable: Writable
    identity: Identity
    by_conversation: Rate
    by_address: Rate
    openings: Rate

    def language(self, wanted: Language | None) -> Language:
        """Return the wanted language if the company speaks it, else its main one."""
        languages = self.building.pack.languages
        return wanted if wanted in languages else languages[0]

    def signed(self, identity: str) -> CustomerId:
        """Return the customer a signed token names. Raises a 401 problem, also where the company counts no tokens."""
        if "token" not in self.building.pack.policy.assurance.factors:
            raise Problem(
                401,
                "identity_off",
                "Identity tokens are off",
                detail="This company does not count signed tokens.",
                remedy='Leave the identity out, or add "token" to factors under [assurance] in policy.toml.',
            )
        return self.identity.customer(identity)


def opened(request: Request) -> Opened:
    """Return the open application."""
    found = getattr(request.app.state, "opened", None)
    if found is None:
        raise Problem(
            503,
            "starting",
            "Starting",
            detail="Mayak is starting or stopping.",
            remedy="Try again in a moment.",
        )
    return cast(Opened, found)


def address_of(request: Request) -> str:
    """Return the network address the request came from, empty when unknown."""
    return request.client.host if request.client else ""


House = Annotated[Opened, Depends(opened)]


async def own_conversation(
    id: str, house: House, authorization: Annotated[str | None, Header()] = None
) -> Conversation:
    """Return the conversation of the path if the bearer token is its own; 401 without, 404 otherwise.

    A token of another conversation and one of none give the same answer: nothing tells whether `id` exists.
    """
    token = bearer(authorization)
    stored = await house.building.records.token_hash(ConversationId(id))
    if conversation_of(token) != id or not same(token, stored):
        raise no_such_conversation()
    return await house.building.records.conversation(ConversationId(id))


async def token_owner(house: House, authorization: Annotated[str | None, Header()] = None) -> Conversation:
    """Return the conversation a bearer token belongs to."""
    token = bearer(authorization)
    return await own_conversation(conversation_of(token), house, authorization)


def no_such_conversation() -> Problem:
    """The answer to every address below a conversation that is not the caller's."""
    return Problem(
        404,
        "unknown_conversation",
        "Unknown conversation",
        detail="There is no such conversation for this token.",
        remedy="Use the id and the token that POST /v1/conversations returned together, or open a new one.",
    )


Own = Annotated[Conversation, Depends(own_conversation)]
Mine = Annotated[Conversation, Depends(token_owner)]
