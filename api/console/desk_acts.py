"""What an operator does with a conversation beside answering it: notes for colleagues, passing on, putting aside; and an
answer that is ready, where there is no script to insert it."""

from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from agent.basis import digest
from agent.domain import Conversation
from agent.handoff import NotPossible
from agent.pack import Department
from agent.passing import WHYS, Colleague, Passing, passing_to, passing_words
from agent.records.errors import AnswerFirst, NotYours, TakenAlready
from agent.snoozing import BadMoment, moment_of
from agent.staff_notes import LONGEST
from api.console.deskwork import colleagues
from api.console.dialogues import LONGEST_REPLY, back_to, case_page, place_in_list, refused
from api.console.page import PageRoute
from api.console.visit import OperatorSent, Sent
from tools.context import ConversationId

router = APIRouter(prefix="/console/dialogues", route_class=PageRoute)


@router.post("/{id}/note")
async def note(id: str, sent: OperatorSent) -> Response:
    """Write a note for colleagues; the customer's side never sees it."""
    visit, text = sent.visit, _words(sent, "note")
    if not text or len(text) > LONGEST:
        trouble = "empty_note" if not text else "long_note"
        return await case_page(
            visit, id, *place_in_list(sent), trouble=trouble, tool="note", note=text, status=422
        )
    await visit.house.building.records.note_down(
        ConversationId(id), text, operator=visit.who.login, name=visit.who.name, key=_key(sent, text)
    )
    return back_to(sent, id, said="noted")


@router.post("/{id}/transfer")
async def transfer(id: str, sent: OperatorSent) -> Response:
    """Pass the conversation on; what may make it slower there is said first, and done only when it is sent again."""
    building, me = sent.visit.house.building, sent.visit.who
    conversation = await building.records.conversation(ConversationId(id))
    words = _words(sent, "note")
    target = await _target(sent, conversation)
    why = next((one for one in WHYS if one == sent.text("why")), None)
    if target is None or why is None or len(words) > LONGEST:
        trouble = "long_note" if len(words) > LONGEST else "nobody_chosen" if target is None else "no_why"
        return await _asked_again(sent, id, trouble=trouble)
    department, colleague = target
    now, language = building.clock.now(), conversation.language
    passing = passing_to(
        department,
        colleague=colleague,
        why=why,
        language=language,
        now=now,
        present=await building.records.operators(),
        pack=building.pack,
    )
    if passing.obstacles and sent.text("sure") != sent.text("to"):
        return await _asked_again(sent, id, passing=passing)
    said = passing_words(
        passing,
        department,
        colleague=colleague,
        language=language,
        now=now,
        phrases=building.phrases,
        pack=building.pack,
    )
    try:
        await building.records.pass_to(
            conversation.id, passing, operator=me.login, name=me.name, said=said, note=words
        )
    except (TakenAlready, NotPossible) as fault:
        return await refused(sent, id, fault)
    return back_to(sent, id, said="transferred")


@router.post("/{id}/snooze")
async def snooze(id: str, sent: OperatorSent) -> Response:
    """Put the conversation aside until a moment."""
    visit, building = sent.visit, sent.visit.house.building
    zone, where = ZoneInfo(visit.timezone), place_in_list(sent)
    try:
        until = moment_of(sent.text("when"), sent.text("at"), now=building.clock.now(), zone=zone)
        await building.records.snooze(ConversationId(id), operator=visit.who.login, until=until)
    except BadMoment:
        return await case_page(
            visit, id, *where, trouble="bad_moment", tool="snooze", at=sent.text("at"), status=422
        )
    except AnswerFirst:
        return await case_page(visit, id, *where, trouble="answer_first", tool="snooze", status=409)
    except (NotYours, NotPossible) as fault:
        return await refused(sent, id, fault)
    return back_to(sent, id, said="snoozed")


@router.post("/{id}/wake")
async def wake(id: str, sent: OperatorSent) -> Response:
    """Take up again what was put aside."""
    try:
        await sent.visit.house.building.records.wake(ConversationId(id), operator=sent.visit.who.login)
    except (NotYours, NotPossible) as fault:
        return await refused(sent, id, fault)
    return back_to(sent, id, said="woken")


@router.post("/{id}/ready")
async def ready(id: str, sent: OperatorSent) -> Response:
    """Put an answer that is ready behind what is typed, for a page without scripts; nothing is sent."""
    visit, typed = sent.visit, sent.text("text", most=LONGEST_REPLY).replace("\r\n", "\n").rstrip()
    return await case_page(visit, id, *place_in_list(sent), typed=typed, insert=sent.text("ready", most=64))


def _key(sent: Sent, text: str) -> str:
    """Return the note's key: the page's and its words', so that the form posted twice writes it once."""
    page = sent.text("note_key", most=64)
    return digest(f"note\n{page}\n{text}")[:32] if page else ""


def _words(sent: Sent, field: str) -> str:
    return sent.text(field, most=LONGEST + 1).replace("\r\n", "\n").strip()


async def _target(sent: Sent, conversation: Conversation) -> tuple[Department, Colleague | None] | None:
    """Read where the form passes it: a department, or a colleague in theirs; None for nobody known."""
    kind, _, name = sent.text("to").partition(":")
    pack = sent.visit.house.building.pack
    if kind == "department":
        found = next((one for one in pack.departments if one.id == name), None)
        return (found, None) if found is not None else None
    if kind != "person":
        return None
    for one in await colleagues(sent.visit):
        if one.login == name:
            return pack.department(one.department or conversation.department), one
    return None


async def _asked_again(sent: Sent, id: str, *, trouble: str = "", passing: Passing | None = None) -> Response:
    """Show the form with what was chosen, and why it was not done yet."""
    return await case_page(
        sent.visit,
        id,
        *place_in_list(sent),
        trouble=trouble,
        tool="transfer",
        chosen={name: sent.text(name) for name in ("to", "why")},
        pass_note=_words(sent, "note"),
        obstacles=passing.obstacles if passing else (),
        status=422,
    )
