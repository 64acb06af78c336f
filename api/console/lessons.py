"""Answers of people that become knowledge: proposed when a case ends, decided on by a curator.

open ─ make a draft, published like any other ─► drafted        open ─ refuse, with a reason ─► refused
  ▲──────────────────────────────── take back ◄────────────────────────────────┘
"""

from collections.abc import Sequence
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Query, Response

from agent.records.chain import subject_of
from api.console.dialogues import close, give_back
from api.console.jobs import jobs
from api.console.keeping import by_whom
from api.console.learned import JOB, learn_soon
from api.console.page import PageRoute, redirect
from api.console.visit import Curator, CuratorSent, Operator, OperatorSent, Visit
from api.curation import Curation
from api.learning import Learning, Proposal
from knowledge.errors import KnowledgeFault, WrongState
from knowledge.lessons import LONGEST_ANSWER, LONGEST_QUESTION, Refusal
from knowledge.teachable import judged
from tools.context import ConversationId

router = APIRouter(prefix="/console", route_class=PageRoute)

Shelf = Literal["open", "drafted", "published", "refused"]
SHELVES: tuple[Shelf, ...] = get_args(Shelf)
REFUSALS: tuple[Refusal, ...] = get_args(Refusal)
SAID = ("refused", "reopened")
TROUBLES = ("wrong_state", "unknown_document")


@router.get("/lessons")
async def lessons(
    visit: Curator,
    show: Annotated[str, Query(max_length=16)] = "open",
    said: Annotated[str, Query(max_length=16)] = "",
    trouble: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    """The proposals of one shelf, the most asked first; cases nobody has looked at are, beside the page."""
    shelf: Shelf = next((one for one in SHELVES if one == show), "open")
    if jobs(visit.request).of(JOB) is None:
        learn_soon(visit, anew=False)
    job = jobs(visit.request).of(JOB)
    found = await Learning(visit.house.building).proposals()
    shown = [one for one in found if shelf_of(one) == shelf]
    await _read(visit, shown)
    return visit.page(
        "lessons.html",
        proposals=shown,
        counts={name: sum(shelf_of(one) == name for one in found) for name in SHELVES},
        shelves=SHELVES,
        shelf=shelf,
        names=await visit.staff.names(_people(shown)),
        refusals=REFUSALS,
        job=job,
        longest=(LONGEST_QUESTION, LONGEST_ANSWER),
        said=said if said in SAID else "",
        trouble=trouble if trouble in TROUBLES else "",
    )


@router.post("/lessons")
async def again(sent: CuratorSent) -> Response:
    """Look at the cases that ended."""
    learn_soon(sent.visit)
    return redirect("/console/lessons")


@router.post("/lessons/{lesson}/draft")
async def draft(lesson: str, sent: CuratorSent) -> Response:
    """Make a draft of the curator's words, and go to it."""
    visit = sent.visit
    question, answer = sent.text("question", most=LONGEST_QUESTION), sent.text("answer", most=LONGEST_ANSWER)
    try:
        saved = await Learning(visit.house.building).draft(
            lesson, question=question, answer=answer.replace("\r\n", "\n"), by=by_whom(visit)
        )
    except KnowledgeFault as fault:
        return redirect("/console/lessons", trouble=fault.code)
    await visit.note("draft", saved.document, lesson=lesson)
    return redirect(f"/console/knowledge/{saved.document}", said="drafted")


@router.post("/lessons/{lesson}/refuse")
async def refuse(lesson: str, sent: CuratorSent) -> Response:
    """Decide against it, with a reason; it does not come back."""
    visit = sent.visit
    refusal: Refusal = next((one for one in REFUSALS if one == sent.text("refusal")), "other")
    try:
        await Learning(visit.house.building).refuse(
            lesson, refusal, why=sent.text("why").strip(), by=by_whom(visit)
        )
    except KnowledgeFault as fault:
        return redirect("/console/lessons", trouble=fault.code)
    await visit.note("lesson_refused", lesson, reason=refusal)
    return redirect("/console/lessons", said="refused")


@router.post("/lessons/{lesson}/reopen")
async def reopen(lesson: str, sent: CuratorSent) -> Response:
    """Take the decision back."""
    visit = sent.visit
    try:
        await Learning(visit.house.building).reopen(lesson)
    except KnowledgeFault as fault:
        return redirect("/console/lessons", trouble=fault.code)
    await visit.note("lesson_reopened", lesson)
    return redirect("/console/lessons", said="reopened")


@router.get("/dialogues/{id}/lesson")
async def ending(id: str, visit: Operator, trouble: Annotated[str, Query(max_length=16)] = "") -> Response:
    """What an operator proposes when they end a case: their own words, and why some cannot become knowledge."""
    conversation = await visit.house.building.records.conversation(ConversationId(id))
    taught = await Learning(visit.house.building).of(conversation.id)
    about = subject_of(conversation.id, conversation.customer_id)
    await visit.note("read", id, about=about, lesson=True)
    sentences = (
        [one for text in taught.said for one in judged(text, language=taught.language)] if taught else []
    )
    return visit.page(
        "lesson.html",
        talk=conversation,
        mine=conversation.holder == "person" and conversation.operator == visit.who.login,
        taught=taught,
        left_out=[one for one in sentences if one.why],
        told={name: visit.say(f"customer.{name}", conversation.language) for name in ("returned", "closed")},
        longest=(LONGEST_QUESTION, LONGEST_ANSWER),
        trouble=trouble if trouble in ("empty", "seen") else "",
    )


@router.post("/dialogues/{id}/lesson")
async def end(id: str, sent: OperatorSent) -> Response:
    """Note what the operator proposes, then end the case as they chose."""
    visit, page = sent.visit, f"/console/dialogues/{id}/lesson"
    conversation = await visit.house.building.records.conversation(ConversationId(id))
    finish = give_back if sent.text("end") == "return" else close
    if (conversation.holder, conversation.operator) != ("person", visit.who.login):
        return await finish(id, sent)
    propose = sent.text("propose") == "yes"
    question, answer = sent.text("question", most=LONGEST_QUESTION), sent.text("answer", most=LONGEST_ANSWER)
    if propose and not (question.strip() and answer.strip()):
        return redirect(page, trouble="empty")
    try:
        await Learning(visit.house.building).wish(
            conversation.id,
            propose=propose,
            question=question,
            answer=answer.replace("\r\n", "\n").strip(),
            by=visit.who.login,
        )
    except WrongState:
        return redirect(page, trouble="seen")
    about = subject_of(conversation.id, conversation.customer_id)
    await visit.note("lesson_proposed" if propose else "lesson_withheld", id, about=about)
    return await finish(id, sent)


def shelf_of(proposal: Proposal) -> Shelf:
    """Return the shelf a proposal stands on; a draft that is live is published."""
    if proposal.lesson.state == "drafted":
        return "published" if proposal.published else "drafted"
    return proposal.lesson.state


def _people(shown: Sequence[Proposal]) -> set[str]:
    """Return the logins of who answered and who decided."""
    found = {each.by for one in shown for each in one.evidence}
    found |= {by for one in shown for by in (one.lesson.by, one.lesson.decided_by)}
    return {by.removeprefix("staff:") for by in found if by}


async def _read(visit: Visit, shown: Sequence[Proposal]) -> None:
    """Write down whose questions are about to be shown; they are masked, and theirs all the same."""
    members = [turn for one in shown for turn in one.lesson.members]
    if whose := await Curation(visit.house.building).questions.asked_by(members):
        await visit.note("questions", "lessons", shown=whose)
