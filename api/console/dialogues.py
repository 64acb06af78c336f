"""Dialogues: who waits for a person, what was said, and taking part in it."""

from typing import Annotated, Any, get_args

from fastapi import APIRouter, Query, Response

from agent.basis import digest
from agent.canned import gaps_in
from agent.domain import Conversation
from agent.handoff import NotPossible
from agent.records.chain import Subject, subject_of
from agent.records.desk import MOST, SHELVES, Shelf
from agent.records.errors import NotYours, TakenAlready, UnknownConversation
from api.console.around import around, replied
from api.console.cases import case, case_mark, rows
from api.console.copilot import settle, suggest
from api.console.drawn import drawings_of
from api.console.inbox import chosen, inbox_of, standing
from api.console.learned import learn_soon
from api.console.page import HEADERS, PageRoute, error_page, redirect
from api.console.promises import pledged
from api.console.visit import Operator, OperatorSent, Sent, Visit
from tools.context import ConversationId

router = APIRouter(prefix="/console/dialogues", route_class=PageRoute)

SAID = (
    "claimed", "replied", "returned", "closed", "promise", "noted", "transferred", "snoozed", "woken",
    "flagged", "suggested",
)  # fmt: skip
TROUBLE = ("promise_time", "promise_past")
"""What another form of the page may come back with."""
LONGEST_REPLY = 4000
"""Letters of one reply: what every channel carries in one message."""
LONGEST_KEPT = 200_000
"""Letters of a reply that is too long which come back to be shortened."""
assert get_args(Shelf) == SHELVES

Chosen = Annotated[str, Query(alias="show", max_length=16)]
Within = Annotated[str, Query(alias="department", max_length=64)]
Known = Annotated[str, Query(max_length=64)]


@router.get("")
async def dialogues(visit: Operator, show: Chosen = "open", department: Within = "") -> Response:
    """The list, nothing chosen yet."""
    values = await _list(visit, show, department)
    return visit.page("dialogues.html", open=None, open_id="", said="", trouble="", **values)


@router.get("/list")
async def only_list(
    visit: Operator, show: Chosen = "open", department: Within = "", known: Known = "", open: Known = ""
) -> Response:
    """The list alone, for a page that is open already; empty when nothing changed since `known`."""
    values = await _list(visit, show, department, known=known, open=open)
    if values["mark"] == known:
        return Response(status_code=204, headers=dict(HEADERS))
    return visit.page("_list.html", open_id=open, **values)


@router.get("/{id}")
async def dialogue(
    id: str,
    visit: Operator,
    show: Chosen = "open",
    department: Within = "",
    whole: bool = False,
    said: Annotated[str, Query(max_length=16)] = "",
    trouble: Annotated[str, Query(max_length=16)] = "",
    take: Known = "",
) -> Response:
    """One conversation beside the list; `take` is the suggestion whose words stand in the field."""
    told, wrong = (said if said in SAID else ""), (trouble if trouble in TROUBLE else "")
    return await case_page(visit, id, show, department, whole=whole, said=told, trouble=wrong, taken=take)


@router.get("/{id}/part")
async def only_dialogue(
    id: str,
    visit: Operator,
    show: Chosen = "open",
    department: Within = "",
    known: Known = "",
    whole: bool = False,
) -> Response:
    """The conversation alone, for a page that is open already; empty when nothing changed since `known`."""
    conversation = await visit.house.building.records.conversation(ConversationId(id))
    if await case_mark(visit, conversation) == known:
        return Response(status_code=204, headers=dict(HEADERS))
    opened = await case(visit, conversation, whole=whole)
    await visit.note("read", id, about=_about(conversation), messages=len(opened.said), live=True)
    return visit.page("_case.html", shelf=show, within=department, **await _case_values(visit, opened))


@router.post("/{id}/claim")
async def claim(id: str, sent: OperatorSent) -> Response:
    """Take the conversation; of two at once one wins, the other is told."""
    visit = sent.visit
    conversation = await visit.house.building.records.conversation(ConversationId(id))
    pack = visit.house.building.pack
    department = visit.who.department or conversation.department
    greeting = visit.say(
        "customer.joined" if department else "customer.joined_alone",
        conversation.language,
        name=visit.who.name,
        department=pack.department(department).name[conversation.language],
    )
    try:
        await visit.house.building.records.claim(
            conversation.id, operator=visit.who.login, name=visit.who.name, said=greeting
        )
    except (TakenAlready, NotPossible) as fault:
        return await refused(sent, id, fault)
    return back_to(sent, id, said="claimed")


@router.post("/{id}/reply")
async def reply(id: str, sent: OperatorSent) -> Response:
    """Send words to the customer."""
    visit, text = sent.visit, _typed(sent).strip()
    taken = sent.text("suggestion", most=64)
    trouble = "empty_reply" if not text else "long_reply" if len(text) > LONGEST_REPLY else ""
    if trouble or gaps_in(text):
        trouble = trouble or "gap"
        return await case_page(
            visit, id, *place_in_list(sent), trouble=trouble, typed=text, taken=taken, status=422
        )
    records = visit.house.building.records
    try:
        conversation = await records.conversation(ConversationId(id))
    except UnknownConversation:
        return error_page(visit.request, status=404, code="unknown_conversation", typed=text)
    pledge = await pledged(visit, conversation.id, text)
    who = {"operator": visit.who.login, "name": visit.who.name}
    try:
        said = await records.person_says(conversation.id, text, key=_key(sent, text), pledge=pledge, **who)
    except NotYours as fault:
        return await refused(sent, id, fault, typed=text)
    replied(visit, id)
    await settle(visit, conversation, said, taken=taken, about=_about(conversation))
    return back_to(sent, id, said="replied")


@router.post("/{id}/suggest")
async def suggest_answer(id: str, sent: OperatorSent) -> Response:
    """Show what the assistant would answer; the words in the field stay."""
    visit, typed = sent.visit, _typed(sent)
    conversation = await visit.house.building.records.conversation(ConversationId(id))
    if conversation.holder != "person" or conversation.operator != visit.who.login:
        return await refused(sent, id, NotYours(), typed=typed)
    why = await suggest(visit, conversation, about=_about(conversation))
    if why is None and not typed.strip():
        return back_to(sent, id, said="suggested")
    taken = sent.text("suggestion", most=64)
    return await case_page(visit, id, *place_in_list(sent), typed=typed, taken=taken, nothing=why or "")


@router.post("/{id}/return")
async def give_back(id: str, sent: OperatorSent) -> Response:
    """Let the assistant go on."""
    records = sent.visit.house.building.records
    try:
        conversation = await records.conversation(ConversationId(id))
        said = sent.visit.say("customer.returned", conversation.language)
        await records.return_to_ai(conversation.id, operator=sent.visit.who.login, said=said)
    except (TakenAlready, NotPossible) as fault:
        return await refused(sent, id, fault)
    learn_soon(sent.visit)
    return back_to(sent, id, said="returned")


@router.post("/{id}/close")
async def close(id: str, sent: OperatorSent) -> Response:
    """Finish the case; the customer is asked how it went."""
    records = sent.visit.house.building.records
    try:
        conversation = await records.conversation(ConversationId(id))
        said = sent.visit.say("customer.closed", conversation.language)
        await records.close(conversation.id, operator=sent.visit.who.login, said=said)
    except (TakenAlready, NotPossible) as fault:
        return await refused(sent, id, fault)
    learn_soon(sent.visit)
    return back_to(sent, id, said="closed")


def _typed(sent: Sent) -> str:
    """Return the words of a reply as they were typed: a browser sends two letters for the end of a line."""
    return sent.text("text", most=LONGEST_KEPT).replace("\r\n", "\n")


def _key(sent: Sent, text: str) -> str:
    """Return the reply's key: the page's and its words', so that other words from the same page are another reply."""
    page = sent.text("key", most=64)
    return digest(f"{page}\n{text}")[:32] if page else ""


def _about(conversation: Conversation) -> Subject:
    return subject_of(conversation.id, conversation.customer_id)


async def _list(
    visit: Visit, show: str, department: str, *, known: str = "", open: str = ""
) -> dict[str, Any]:
    choice = chosen(visit, show, department)
    found = await standing(visit, choice)
    if found.mark == known:
        return {"mark": found.mark}
    if found.lines:
        await visit.note("list", choice.shelf, shown=[_about(line.conversation) for line in found.lines])
    departments = visit.house.building.pack.departments
    shown = await rows(visit, found.lines, known=inbox_of(visit.request.app).known)
    return {
        "rows": shown,
        "drawn": drawings_of(visit.request.app).rows(visit, shown, choice=choice, open=ConversationId(open)),
        "counts": found.counts,
        "shelves": SHELVES,
        "shelf": choice.shelf,
        "within": choice.within,
        "departments": [(one.id, one.name[visit.language]) for one in departments],
        "most": MOST,
        "now": visit.house.building.clock.now(),
        "mark": found.mark,
    }


async def case_page(
    visit: Visit,
    id: str,
    show: str,
    department: str,
    *,
    whole: bool = False,
    said: str = "",
    trouble: str = "",
    typed: str = "",
    taken: str = "",
    nothing: str = "",
    status: int = 200,
    **more: Any,
) -> Response:
    """Show a conversation beside the list; `more` goes to its tools, `insert` names the ready answer to be put in."""
    conversation = await visit.house.building.records.conversation(ConversationId(id))
    opened = await case(visit, conversation, whole=whole)
    await visit.note("read", id, about=_about(conversation), messages=len(opened.said))
    values = await _list(visit, show, department, open=id)
    insert = more.pop("insert", "")
    ready = [one.text for one in opened.work.ready if one.id == insert]
    if opened.suggestion is None or taken != opened.suggestion.id:
        taken = ""
    elif not typed and not trouble and not ready:
        typed = opened.suggestion.text
    typed = "\n".join(filter(None, (typed, *ready)))
    shown = {"said": said, "trouble": trouble, "typed": typed, "taken": taken, "nothing": nothing, **more}
    return visit.page("dialogues.html", status=status, **values, **await _case_values(visit, opened) | shown)


async def _case_values(visit: Visit, opened: Any) -> dict[str, Any]:
    conversation: Conversation = opened.conversation
    return {
        "open": opened,
        "around": await around(visit, conversation),
        "open_id": conversation.id,
        "told": {
            name: visit.say(f"customer.{name}", conversation.language) for name in ("returned", "closed")
        },
        "longest": LONGEST_REPLY,
        "said": "",
        "trouble": "",
        "typed": "",
        "taken": "",
        "nothing": "",
    }


def place_in_list(sent: Sent) -> tuple[str, str]:
    """Return the list's shelf and department the form was sent beside."""
    return sent.text("show") or "open", sent.text("department")


def back_to(sent: Sent, id: str, *, said: str) -> Response:
    """Lead back to the conversation, beside the list the form was sent from."""
    show, department = place_in_list(sent)
    return redirect(f"/console/dialogues/{id}", show=show, department=department, said=said)


async def refused(sent: Sent, id: str, fault: Exception, *, typed: str = "") -> Response:
    """Show how things stand now, and say why nothing was done."""
    trouble = {TakenAlready: "taken", NotYours: "not_yours"}.get(type(fault), "not_possible")
    conversation = await sent.visit.house.building.records.conversation(ConversationId(id))
    if typed and conversation.holder == "closed":
        trouble = "closed"
    return await case_page(sent.visit, id, *place_in_list(sent), trouble=trouble, typed=typed, status=409)
