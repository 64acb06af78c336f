"""Opening a conversation, writing into it, reading it back."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.answer import public
from agent.domain import Action, Conversation, Reply
from agent.policy.consent import bases, declined
from agent.policy.disclosure import words
from agent.records.rules import clean
from api.around import Sign
from api.errors import Problem
from api.opened import House, Opened, Own, address_of
from api.render import to_html
from api.routes.reading import Transcript, line_of
from api.security import hashed, is_local, new_id, new_token
from tools.context import ConversationId, Language

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])

BUTTONS_OF_THE_DOOR: Mapping[str, str] = {
    "person": "button.person",
    "ai": "button.go_on",
    "code": "button.code",
}
"""Buttons that a channel shows by itself, and the text they stand for in the transcript."""
KEY = r"^[A-Za-z0-9._~:-]{1,128}$"


class Opening(BaseModel):
    """Body of POST /v1/conversations. Who the customer is can only be said by a signed `identity`."""

    model_config = ConfigDict(extra="forbid")

    language: Language | None = None
    channel: Literal["widget", "api", "cli", "eval"] = "widget"
    identity: str | None = Field(default=None, max_length=4096)

    @model_validator(mode="before")
    @classmethod
    def _no_claimed_customer(cls, data: Any) -> Any:
        claimed = {"customer", "customer_id", "user", "user_id", "email", "phone"}
        if isinstance(data, dict) and claimed & set(data):
            raise ValueError("a customer cannot be named by the client; send a signed `identity` token")
        return data


class Pressed(BaseModel):
    """A button as it is sent."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["person", "ai", "consent", "confirm", "rate", "say", "code", "forget"]
    target: str = Field(default="", max_length=1000)
    yes: bool = True

    @field_validator("target")
    @classmethod
    def _clean(cls, value: str) -> str:
        return clean(value)


class Writing(BaseModel):
    """Body of POST …/messages: `key` is the client's own; the same key is accepted once."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(pattern=KEY)
    text: str | None = None
    action: Pressed | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Writing":
        if (self.text is None) == (self.action is None):
            raise ValueError("send either `text` or `action`")
        return self


@router.post("", status_code=201)
async def open_conversation(body: Opening, request: Request, house: House) -> dict[str, Any]:
    """Open a conversation. The returned token is shown once and is needed for everything below it."""
    address = address_of(request)
    if not is_local(address):
        house.openings.take(address)
    customer = house.signed(body.identity) if body.identity else None
    language = house.language(body.language)
    built = house.building
    first = words("first", language=language, company=built.pack.name[language], phrases=built.phrases)
    id, token = await _opened(house, body, language=language, customer=customer, disclosure=first)
    conversation = await house.building.records.conversation(id)
    return {
        "id": id,
        "token": token,
        "language": language,
        "disclosure": first,
        "quick_replies": list(house.building.pack.quick_replies.get(language, ())),
        "consents": await consents_of(house, conversation),
        "holder": conversation.holder,
        "assurance": conversation.assurance,
    }


async def _opened(
    house: Opened, body: Opening, *, language: Language, customer: Any, disclosure: str
) -> tuple[ConversationId, str]:
    id = new_id()
    token = new_token(f"{id}.")
    await house.building.records.open_conversation(
        id=id,
        channel=body.channel,
        language=language,
        customer_id=customer,
        assurance="verified" if customer else "anonymous",
        token_hash=hashed(token),
        disclosure=Reply(text=disclosure),
    )
    return id, token


async def consents_of(house: Opened, conversation: Conversation) -> list[dict[str, Any]]:
    """Return every purpose with its text and what the customer chose."""
    rows = await house.building.records.consents(conversation.id)
    purposes = house.building.pack.purposes
    live, refused = bases(purposes, rows), declined(rows, conversation.id)
    when = {row.purpose: row.at.isoformat() for row in rows}
    return [
        {
            "purpose": name,
            "basis": purpose.basis,
            "state": "granted" if name in live else "refused" if name in refused else "none",
            "text": purpose.text[conversation.language],
            "gives": purpose.gives[conversation.language],
            "version": purpose.version,
            "at": when.get(name),
        }
        for name, purpose in purposes.items()
    ]


@router.post("/{id}/messages", status_code=202)
async def send(body: Writing, request: Request, conversation: Own, house: House) -> dict[str, int]:
    """Accept one message. It is stored before this answers; the answer comes as events."""
    house.by_conversation.take(conversation.id)
    address = address_of(request)
    if not is_local(address):
        house.by_address.take(address)
    limit = house.building.pack.limits.message_chars
    if body.text is not None and len(body.text) > limit:
        raise Problem(
            413,
            "message_too_long",
            "Message too long",
            detail=f"A message has at most {limit} characters; this one has {len(body.text)}.",
            remedy="Shorten it, or send it in parts.",
            more={"limit": limit},
        )
    action = Action(**body.action.model_dump()) if body.action else None
    label = ""
    if action is not None and action.kind in BUTTONS_OF_THE_DOOR:
        label = house.building.phrases.say(BUTTONS_OF_THE_DOOR[action.kind], conversation.language)
    accepted = await house.building.records.accept(
        conversation.id, key=body.key, text=body.text or "", action=action, label=label
    )
    if accepted.new:
        house.metrics.messages.labels(conversation.channel).inc()
        house.worker.wake(conversation.id)
        house.building.notices.around.hide(Sign("typing", conversation.id))
    return {"seq": accepted.seq}


@router.post("/{id}/typing", status_code=204, response_class=Response)
async def typing(conversation: Own, house: House) -> None:
    """Say that the customer is still typing: their messages are then taken together, and a person sees it."""
    house.worker.typing(conversation.id)
    house.building.notices.around.show(Sign("typing", conversation.id))


@router.get("/{id}/messages", response_model=Transcript)
async def transcript(
    conversation: Own, house: House, after: Annotated[int, Query(ge=0)] = 0
) -> dict[str, Any]:
    """Return the transcript, at most 500 lines after `after`, and the number of the newest event."""
    records = house.building.records
    event = await records.last_event(conversation.id)
    messages = await records.messages(conversation.id, after=after)
    return {
        "messages": [line_of(message) for message in messages],
        "event": event,
        "holder": conversation.holder,
        "language": conversation.language,
    }


@router.get("/{id}/turns")
async def turn_of(conversation: Own, house: House, message: Annotated[int, Query(ge=1)]) -> dict[str, Any]:
    """Return the answer object of the turn that took up a message; null until it is decided."""
    records = house.building.records
    turn = await records.turn_of(conversation.id, message)
    record = await records.receipt(conversation.id, turn) if turn else None
    return {"turn": public(record) if record else None}


@router.get("/{id}/passages/{passage}")
async def passage(passage: str, conversation: Own, house: House) -> dict[str, Any]:
    """Return a passage that customers may read, as long as its document is live."""
    found = (await house.building.library.live([passage])).get(passage)
    if found is None:
        raise Problem(
            404,
            "unknown_passage",
            "Unknown passage",
            detail="There is no such passage, or its document was replaced.",
            remedy="Ask the question again to get the current one.",
        )
    return {
        "document": found.document,
        "title": found.title,
        "heading": found.heading,
        "text": found.text,
        "html": to_html(found.text, author="system"),
        "language": found.language,
        "page": found.page,
    }
