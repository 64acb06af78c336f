"""Answers that staff flagged: marked in a case, listed for curators, turned into an eval case with one press.

a person flags an answer ─► open ─┬─ make a case file ─► made
                              ▲   └─ dismiss ─► dismissed
                              └──── take back ◄────┘
"""

from typing import Annotated, Any

import yaml
from fastapi import APIRouter, Query, Response

from agent.flagged import REASONS, SUITE, FlagReason, FlagState, NothingToSay
from agent.records.chain import subject_of
from agent.records.flags import Flags
from api.console.page import HEADERS, PageRoute, redirect
from api.console.visit import Curator, CuratorSent, Operator, OperatorSent, Visit
from tools.context import ConversationId, TurnId

router = APIRouter(prefix="/console", route_class=PageRoute)

STATES: tuple[FlagState, ...] = ("open", "made", "dismissed")
LONGEST = 1000
SAID = ("made", "dismissed", "reopened")
TROUBLES = ("nothing_to_say",)


@router.get("/dialogues/{id}/flag/{turn}")
async def marking(id: str, turn: str, visit: Operator, trouble: str = "") -> Response:
    """What is wrong with an answer: its sentences to tick, a reason, what it should have said."""
    conversation = await visit.house.building.records.conversation(ConversationId(id))
    found = _flags(visit)
    said = await found.answer(conversation.id, TurnId(turn))
    about = subject_of(conversation.id, conversation.customer_id)
    await visit.note("read", id, about=about, flag=turn)
    return visit.page(
        "flag.html",
        talk=conversation,
        turn=turn,
        sentences=said,
        mine=await found.of(TurnId(turn), by=visit.who.login),
        reasons=REASONS,
        longest=LONGEST,
        trouble=trouble if trouble == "reason" else "",
    )


@router.post("/dialogues/{id}/flag/{turn}")
async def mark(id: str, turn: str, sent: OperatorSent) -> Response:
    """Flag an answer; who flags it again corrects themselves."""
    visit = sent.visit
    reason = next((one for one in REASONS if one == sent.text("reason")), None)
    if reason is None:
        return redirect(f"/console/dialogues/{id}/flag/{turn}", trouble="reason")
    conversation = await visit.house.building.records.conversation(ConversationId(id))
    found = _flags(visit)
    known = await found.answer(conversation.id, TurnId(turn))
    ticked = set(sent.texts("wrong"))
    flag = await found.add(
        conversation.id,
        TurnId(turn),
        reason,
        note=sent.text("note", most=LONGEST).strip(),
        wrong=[one for n, one in enumerate(known) if str(n) in ticked],
        expected=sent.text("expected", most=LONGEST).strip(),
        by=visit.who.login,
        at=visit.house.building.clock.now(),
    )
    about = subject_of(conversation.id, conversation.customer_id)
    await visit.note("flag", flag.id, about=about, turn=turn, reason=reason)
    return redirect(f"/console/dialogues/{id}", said="flagged")


@router.get("/flags")
async def flags(
    visit: Curator,
    state: Annotated[str, Query(max_length=16)] = "open",
    reason: Annotated[str, Query(max_length=16)] = "",
    said: Annotated[str, Query(max_length=16)] = "",
    trouble: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """The flags of one state, the latest first."""
    chosen: FlagState = next((one for one in STATES if one == state), "open")
    why: FlagReason | None = next((one for one in REASONS if one == reason), None)
    found = _flags(visit)
    shown = await found.listed(state=chosen, reason=why)
    if shown:
        await visit.note("flags", chosen, shown=await found.about(shown))
    people = {by for one in shown for by in (one.by, one.decided_by) if by}
    return visit.page(
        "flags.html",
        flags=shown,
        counts=await found.counts(),
        states=STATES,
        state=chosen,
        reasons=REASONS,
        reason=why or "",
        names=await visit.staff.names(people),
        said=said if said in SAID else "",
        trouble=trouble if trouble in TROUBLES else "",
    )


@router.post("/flags/{flag}/case")
async def make(flag: str, sent: CuratorSent) -> Response:
    """Give the eval case of a flag as a file, and note that it was made."""
    visit, found = sent.visit, _flags(sent.visit)
    known = await found.flag(flag)
    try:
        row = await found.case(flag)
    except NothingToSay as fault:
        return redirect("/console/flags", trouble=fault.code)
    await found.decide(known.id, "made", by=visit.who.login, at=visit.house.building.clock.now())
    await visit.note("flag_case", known.id, shown=await found.about([known]))
    told = {"Content-Disposition": f'attachment; filename="{row["id"]}.yaml"'}
    return Response(case_file(row), media_type="application/yaml", headers={**HEADERS, **told})


@router.post("/flags/{flag}/dismiss")
async def dismiss(flag: str, sent: CuratorSent) -> Response:
    """Say that the answer was right."""
    return await _decided(sent.visit, flag, "dismissed", said="dismissed")


@router.post("/flags/{flag}/reopen")
async def reopen(flag: str, sent: CuratorSent) -> Response:
    """Take a decision back."""
    return await _decided(sent.visit, flag, "open", said="reopened")


def case_file(row: dict[str, Any]) -> str:
    """Return a case file with one case, as `mayak eval lint` reads it."""
    text: str = yaml.safe_dump(
        {"suite": SUITE, "cases": [row]}, allow_unicode=True, sort_keys=False, width=110
    )
    return text


async def _decided(visit: Visit, flag: str, state: FlagState, *, said: str) -> Response:
    now = visit.house.building.clock.now()
    known = await _flags(visit).decide(flag, state, by=visit.who.login, at=now)
    await visit.note(f"flag_{said}", known.id)
    return redirect("/console/flags", said=said)


def _flags(visit: Visit) -> Flags:
    return Flags(visit.house.building.engine)
