"""What a transcript looks like to its reader, as the OpenAPI document names it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from agent.cards import Card
from agent.domain import Author, Holder, Message
from agent.records.codec import message_event
from api.render import to_html
from tools.context import Language


class Cited(BaseModel):
    """Where a sentence comes from."""

    document: str
    passage: str
    title: str
    quote: str


class Offered(BaseModel):
    """One tap; `action` is what pressing it sends."""

    label: str
    action: dict[str, Any]


class Spoken(BaseModel):
    """One message. `cards` lay out what tools found; `text` is whole without them."""

    seq: int
    author: Author
    name: str
    text: str
    html: str
    citations: list[Cited]
    buttons: list[Offered]
    cards: list[Card]
    turn: str | None
    at: datetime


class Transcript(BaseModel):
    """At most 500 lines; `event` is the number of the newest event."""

    messages: list[Spoken] = Field(default_factory=list)
    event: int
    holder: Holder
    language: Language


def line_of(message: Message) -> dict[str, Any]:
    """Return a message as its reader gets it: what the event of it says, and its safe HTML."""
    return {**message_event(message), "html": to_html(message.text, author=message.author)}
