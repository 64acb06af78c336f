"""What an operator does with a conversation beside answering it: notes for colleagues."""

from fastapi import APIRouter, Response

from agent.staff_notes import LONGEST
from api.console.dialogues import _back, _key, _page, _where
from api.console.page import PageRoute
from api.console.visit import OperatorSent
from tools.context import ConversationId

router = APIRouter(prefix="/console/dialogues", route_class=PageRoute)


@router.post("/{id}/note")
async def note(id: str, sent: OperatorSent) -> Response:
    """Write a note for colleagues; the customer's side never sees it."""
    visit, text = sent.visit, sent.text("note", most=LONGEST + 1).replace("\r\n", "\n").strip()
    if not text or len(text) > LONGEST:
        trouble = "empty_note" if not text else "long_note"
        return await _page(visit, id, *_where(sent), trouble=trouble, tool="note", note=text, status=422)
    await visit.house.building.records.note_down(
        ConversationId(id), text, operator=visit.who.login, name=visit.who.name, key=_key(sent, text)
    )
    return _back(sent, id, said="noted")
