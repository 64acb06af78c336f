"""What is told beside an open conversation: the customer is there, somebody types, a colleague looks on."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Response

from agent.domain import Conversation
from api.around import Scene, Sign
from api.console.cases import mark_of
from api.console.page import HEADERS, PageRoute
from api.console.visit import Operator, OperatorSent, Visit
from tools.context import ConversationId

router = APIRouter(prefix="/console/dialogues", route_class=PageRoute)

SEEN_CHANNELS = ("widget", "api")
"""Channels whose customers keep a line open to us; of the others nothing is known between two messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AroundCase:
    """What the line above the reply field shows. `others` are names of colleagues who have it open, too."""

    mark: str
    there: bool | None
    """Whether the customer's chat is open; None where that cannot be known."""
    typing: bool
    others: tuple[str, ...]
    answering: tuple[str, ...]


@router.get("/{id}/around")
async def around_it(id: str, visit: Operator, known: Annotated[str, Query(max_length=64)] = "") -> Response:
    """The line alone, for a page that is open already; empty when nothing changed since `known`."""
    conversation = await visit.house.building.records.conversation(ConversationId(id))
    if around_mark(visit, conversation.id) == known:
        return Response(status_code=204, headers=dict(HEADERS))
    return visit.page("_around.html", around=await around(visit, conversation))


@router.post("/{id}/typing")
async def typing(id: str, sent: OperatorSent) -> Response:
    """Say that the person who holds the conversation is writing; nothing of it is kept."""
    building, login = sent.visit.house.building, sent.visit.who.login
    conversation = await building.records.conversation(ConversationId(id))
    if conversation.holder == "person" and conversation.operator == login:
        building.notices.around.show(Sign("answering", conversation.id, login))
    return Response(status_code=204, headers=dict(HEADERS))


def replied(visit: Visit, id: str) -> None:
    """What was being written has been sent."""
    sign = Sign("answering", ConversationId(id), visit.who.login)
    visit.house.building.notices.around.hide(sign)


def around_mark(visit: Visit, conversation: ConversationId) -> str:
    """Return what changes when the line would."""
    scene = _scene(visit, conversation)
    seen = (scene.online, scene.typing, sorted(scene.looking), sorted(scene.answering))
    return mark_of(visit.language, *seen)


async def around(visit: Visit, conversation: Conversation) -> AroundCase:
    """Gather the line of one conversation as this person sees it."""
    scene = _scene(visit, conversation.id)
    names = await visit.staff.names({*scene.looking, *scene.answering})
    return AroundCase(
        mark=around_mark(visit, conversation.id),
        there=scene.online if conversation.channel in SEEN_CHANNELS else None,
        typing=scene.typing,
        others=tuple(sorted(names.get(login, login) for login in scene.looking)),
        answering=tuple(sorted(names.get(login, login) for login in scene.answering)),
    )


def _scene(visit: Visit, conversation: ConversationId) -> Scene:
    """Return what is to be seen, without the reader."""
    found = visit.house.building.notices.around.scene(conversation)
    own = {visit.who.login}
    return Scene(
        online=found.online,
        typing=found.typing,
        looking=found.looking - found.answering - own,
        answering=found.answering - own,
    )
