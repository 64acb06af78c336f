"""To whom a waiting conversation goes, and when it is looked at again: rows of people, hours and what came before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.departments import department_for, journey_of
from agent.domain import Stage, ToolUse
from agent.pack import load_pack
from agent.routing import PRESENT, Case, Next, Operator, available, next_event
from tools.context import ConversationId, Language

PACK = load_pack(Path("demo"))
OPEN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday noon in Moscow: every department works."""
NIGHT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
HOLIDAY = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
LATE_DAY = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
"""Seven in the evening: the returns people have left, those of care have not."""
ACCEPT = timedelta(seconds=PACK.department("care").accept_seconds)
ANSWER = timedelta(seconds=PACK.department("care").answer_seconds)


def operator(login: str, department: str = "", **more: object) -> Operator:
    return replace(Operator(login=login, department=department, seen=OPEN), **more)  # type: ignore[arg-type]


def case(
    department: str = "returns", *, at: datetime = OPEN, waited: timedelta = timedelta(), **more: object
) -> Case:
    known = Case(
        conversation=ConversationId("c"),
        stage="queued",
        department=department,
        language="ru",
        since=at - waited,
        due=at,
    )
    return replace(known, **more)  # type: ignore[arg-type]


def decided(known: Case, *people: Operator, at: datetime = OPEN) -> Next:
    here = tuple(replace(one, seen=at) for one in people)
    return next_event(known, now=at, operators=here, pack=PACK)


@pytest.mark.parametrize(
    ("people", "language", "chosen"),
    [
        ([operator("a", load=2), operator("b", load=1), operator("c", load=3)], "ru", ["b", "a", "c"]),
        ([operator("a", "delivery"), operator("b", "returns")], "ru", ["b"]),
        ([operator("a", seen=OPEN - PRESENT), operator("b", seen=OPEN - 2 * PRESENT)], "ru", ["a"]),
        ([operator("a", load=5), operator("b", load=5, capacity=6)], "ru", ["b"]),
        ([operator("a", load=1, capacity=1), operator("b", load=4)], "ru", ["b"]),
        ([operator("a", load=1, capacity=2), operator("b", load=1, capacity=8)], "ru", ["b", "a"]),
        ([operator("a", languages=("ru",)), operator("b", languages=("ru", "en"))], "en", ["b"]),
        ([operator("a"), operator("b")], "ru", ["a", "b"]),
        ([operator("tried"), operator("b", load=4)], "ru", ["b"]),
        ([], "ru", []),
    ],
    ids=[
        "load",
        "department",
        "presence",
        "places",
        "own places",
        "share",
        "language",
        "login",
        "tried",
        "nobody",
    ],
)
def test_who_can_take_one_more(people: list[Operator], language: Language, chosen: list[str]) -> None:
    found = available(
        people, department=PACK.department("returns"), language=language, now=OPEN, but=("tried",)
    )
    assert [one.login for one in found] == chosen


def test_somebody_who_does_not_speak_the_language_is_not_chosen_because_their_department_does() -> None:
    payments = PACK.department("payments")
    assert not available([operator("a", "payments")], department=payments, language="en", now=OPEN)


@pytest.mark.parametrize(
    ("known", "people", "at", "assigned", "department", "due", "tells"),
    [
        (case(), [operator("a")], OPEN, "a", "returns", OPEN + ACCEPT, ""),
        (case(waited=ACCEPT, assigned="a"), [operator("a"), operator("b")], OPEN, "b", "returns", OPEN + ACCEPT, "later"),
        (case(waited=ACCEPT, assigned="a"), [operator("a")], OPEN, "", "returns", OPEN + ACCEPT, "later"),
        (case(waited=ACCEPT, assigned="a"), [operator("a"), operator("c", "care")], OPEN, "c", "care", OPEN + ACCEPT, "later"),
        (case(waited=ACCEPT, assigned="a", told="later"), [operator("b")], OPEN, "b", "returns", OPEN + ACCEPT, ""),
        (case(), [operator("c", "care")], OPEN, "c", "care", OPEN + ACCEPT, "later"),
        (case("care", passed=("returns",)), [operator("r", "returns")], OPEN, "", "care", OPEN + ACCEPT, ""),
        (case(), [], OPEN, "", "returns", OPEN + ACCEPT, ""),
        (case(waited=ACCEPT), [], OPEN, "", "returns", OPEN + ACCEPT, "later"),
        (case(waited=ACCEPT, told="later"), [], OPEN, "", "returns", OPEN + ACCEPT, ""),
        (case(at=LATE_DAY), [operator("c", "care")], LATE_DAY, "c", "care", LATE_DAY + ACCEPT, "later"),
        (case(at=NIGHT), [operator("a")], NIGHT, "", "returns", datetime(2026, 11, 24, 6, 0, tzinfo=UTC), ""),
        (case(at=NIGHT, waited=ACCEPT), [operator("a")], NIGHT, "", "returns", datetime(2026, 11, 24, 6, 0, tzinfo=UTC), "gone"),
        (case(at=NIGHT, waited=ACCEPT, told="gone"), [], NIGHT, "", "returns", datetime(2026, 11, 24, 6, 0, tzinfo=UTC), ""),
        (case(at=HOLIDAY), [operator("a")], HOLIDAY, "", "returns", datetime(2026, 11, 5, 6, 0, tzinfo=UTC), ""),
    ],
    ids=[
        "the first one", "the next one", "nobody else", "the fallback", "told once", "nobody here", "no way back",
        "nobody yet", "nobody still", "nobody, told once", "gone home here", "night", "they went home", "went home, told",
        "holiday",
    ],
)  # fmt: skip
def test_what_happens_next_in_the_queue(
    known: Case,
    people: list[Operator],
    at: datetime,
    assigned: str,
    department: str,
    due: datetime,
    tells: str,
) -> None:
    found = decided(known, *people, at=at)
    assert (found.assigned, found.department, found.due, found.tells) == (assigned, department, due, tells)
    assert not found.requeue


@pytest.mark.parametrize(
    ("waited", "at", "told", "requeue", "tells"),
    [
        (timedelta(), OPEN, "", False, ""),
        (ANSWER - timedelta(seconds=1), OPEN, "", False, ""),
        (ANSWER, OPEN, "", True, "later"),
        (ANSWER, OPEN, "later", True, ""),
        (ANSWER, NIGHT, "later", True, "gone"),
        (ANSWER, NIGHT, "gone", True, ""),
    ],
)
def test_somebody_who_claimed_and_says_nothing_lets_go(
    waited: timedelta, at: datetime, told: str, requeue: bool, tells: str
) -> None:
    known = case("care", at=at, waited=waited, stage="person", told=told)
    found = decided(known, at=at)
    assert (found.requeue, found.tells) == (requeue, tells)
    assert found.due == (at if requeue else known.since + ANSWER)


@pytest.mark.parametrize("stage", ["queued", "person"])
@pytest.mark.parametrize("at", [OPEN, LATE_DAY, NIGHT, HOLIDAY])
def test_a_wait_always_has_a_next_event_that_comes(stage: Stage, at: datetime) -> None:
    for people in ([], [operator("a")], [operator("b", load=9)]):
        found = decided(case(at=at, waited=ACCEPT, stage=stage), *people, at=at)
        assert found.requeue or at < found.due < at + timedelta(days=60)


def test_whoever_was_tried_is_tried_anew_when_nobody_else_is_left() -> None:
    known = case("care", waited=ACCEPT, assigned="a")
    looked = decided(known, operator("a"))
    again = replace(known, assigned=looked.assigned, tried=looked.tried, since=known.since)
    assert decided(again, operator("a")).assigned == "a"


def used(status: str) -> ToolUse:
    return ToolUse(name="order_status", arguments={}, ok=True, result={"order": "1", "status": status})


@pytest.mark.parametrize(
    ("tools", "stage"),
    [
        ([], ""),
        ([used("pending")], "paying"),
        ([used("shipped")], "under_way"),
        ([used("delivered")], "received"),
        ([used("shipped"), used("delivered")], "received"),
        ([replace(used("shipped"), ok=False)], ""),
        ([used("nonsense")], ""),
    ],
)
def test_the_stage_of_a_journey_is_told_by_the_order_that_was_looked_at(
    tools: list[ToolUse], stage: str
) -> None:
    assert journey_of(tools) == stage


@pytest.mark.parametrize(
    ("question", "stage", "language", "department"),
    [
        ("где всё это", "under_way", "ru", "delivery"),
        ("что теперь", "received", "ru", "returns"),
        ("возврат и обмен", "under_way", "ru", "returns"),
        ("what now", "paying", "en", "care"),
        ("что теперь", "paying", "ru", "payments"),
        ("что теперь", "", "ru", "care"),
    ],
    ids=[
        "stage",
        "another stage",
        "a topic is surer",
        "not in their language",
        "in their language",
        "neither",
    ],
)
def test_a_topic_finds_the_department_and_else_the_stage_of_the_journey(
    question: str, stage: str, language: Language, department: str
) -> None:
    assert department_for(question, pack=PACK, language=language, stage=stage).id == department
