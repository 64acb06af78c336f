"""What becomes of a promise whose time has passed."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.overdue import Overdue, late_words, lateness, renewed
from agent.pack import load_pack
from agent.pledge import SOON, Owed, PledgeId
from agent.routing import Operator
from api.container import AGENT_TEXTS
from tools.context import ConversationId
from tools.phrases import Phrases

PACK = load_pack(Path("demo"))
PHRASES = Phrases(AGENT_TEXTS, currency="RUB", timezone=PACK.timezone)
TUESDAY = datetime(2026, 11, 24, 18, 0, tzinfo=ZoneInfo("Europe/Moscow"))


def owed(**how: Any) -> Owed:
    known: dict[str, Any] = {
        "id": PledgeId("p"),
        "conversation": ConversationId("c"),
        "seq": 3,
        "owner": "person",
        "name": "olga",
        "department": "care",
        "words": "Вернусь до 18:00.",
        "language": "ru",
        "due": TUESDAY,
        "exact": True,
        "state": "open",
        "made": TUESDAY - timedelta(hours=1),
    }
    return Owed(**(known | how))


def overdue(*, stage: str = "person", operator: str = "olga", **how: Any) -> Overdue:
    language, restricted = how.pop("language", "ru"), how.pop("restricted", False)
    about: dict[str, Any] = {"stage": stage, "operator": operator if stage == "person" else ""}
    return Overdue(owed=owed(**how), language=language, restricted=restricted, **about)


def there(login: str, now: datetime = TUESDAY) -> Operator:
    return Operator(login=login, seen=now)


@pytest.mark.parametrize(
    ("stage", "present", "move"),
    [
        ("person", ["olga"], "stays"),
        ("person", ["ivan"], "let_go"),
        ("queued", [], "stays"),
        ("ai", [], "called"),
        ("closed", [], "called"),
        ("returned", [], "called"),
    ],
)
def test_it_comes_to_somebody_who_can_answer(stage: str, present: list[str], move: str) -> None:
    operators = [there(login) for login in present]
    assert lateness(overdue(stage=stage), now=TUESDAY, operators=operators, pack=PACK).move == move


def test_a_new_time_is_named_where_somebody_can_keep_it() -> None:
    late = lateness(overdue(), now=TUESDAY, operators=[there("ivan")], pack=PACK)
    assert (late.tells, late.again) == ("due", TUESDAY + timedelta(minutes=5))
    said = late_words(overdue(), late, now=TUESDAY, phrases=PHRASES, pack=PACK)
    assert said.text == "Обещали ответить до 18:00 и не успели. Теперь ответим до 18:05."
    pledge = renewed(late, said)
    assert pledge is not None
    assert pledge.due == late.again


def test_no_time_is_named_where_nobody_is_there() -> None:
    late = lateness(overdue(), now=TUESDAY, operators=[], pack=PACK)
    assert (
        late.tells,
        late.again,
        renewed(late, late_words(overdue(), late, now=TUESDAY, phrases=PHRASES, pack=PACK)),
    ) == ("late", None, None)


def test_a_second_time_that_passes_is_followed_by_no_third() -> None:
    late = lateness(overdue(renews="p0"), now=TUESDAY, operators=[there("ivan")], pack=PACK)
    assert (late.tells, late.again) == ("late", None)


def test_when_everybody_has_gone_home_the_new_time_is_in_the_morning() -> None:
    now = TUESDAY.replace(hour=20, minute=30)
    late = lateness(overdue(), now=now, operators=[], pack=PACK)
    assert late.again == datetime(2026, 11, 25, 9, 5, tzinfo=now.tzinfo)
    said = late_words(overdue(due=now), late, now=now, phrases=PHRASES, pack=PACK)
    assert said.text.endswith("Теперь ответим завтра до 09:05.")


def test_at_night_it_is_late_and_the_customer_is_told_in_the_morning() -> None:
    now = TUESDAY.replace(hour=23)
    assert lateness(overdue(), now=now, operators=[], pack=PACK).tells == ""
    morning = TUESDAY.replace(day=25, hour=9)
    assert lateness(overdue(state="late"), now=morning, operators=[], pack=PACK).tells == "late"


@pytest.mark.parametrize(("hour", "is_quiet"), [(8, True), (9, False), (20, False), (21, True), (0, True)])
def test_quiet_hours_are_the_companys(hour: int, is_quiet: bool) -> None:
    late = lateness(overdue(), now=TUESDAY.replace(hour=hour), operators=[], pack=PACK)
    assert (late.tells == "") is is_quiet


def test_a_customer_whose_data_rest_is_told_nothing_by_a_program() -> None:
    late = lateness(overdue(restricted=True), now=TUESDAY, operators=[there("olga")], pack=PACK)
    assert (late.tells, late.again, late.move) == ("nothing", None, "stays")


def test_who_was_told_is_not_told_again() -> None:
    late = lateness(overdue(told="late"), now=TUESDAY, operators=[there("olga")], pack=PACK)
    assert (late.tells, late.again) == ("late", None)


def test_what_named_no_time_is_told_without_one() -> None:
    late = lateness(overdue(), now=TUESDAY, operators=[], pack=PACK)
    said = {
        language: late_words(
            overdue(language=language, exact=False), late, now=TUESDAY, phrases=PHRASES, pack=PACK
        ).text
        for language in ("ru", "en")
    }
    assert said == {
        "ru": "Обещали вернуться с ответом и не успели. Ваш вопрос снова первый в очереди.",
        "en": "We promised to come back to you and did not. Your question is first in the queue again.",
    }


def test_its_owner_is_reminded_a_quarter_of_an_hour_before() -> None:
    one = owed()
    assert one.haste(TUESDAY - SOON - timedelta(seconds=1)) == "calm"
    assert one.haste(TUESDAY - SOON) == "near"
    assert one.haste(TUESDAY) == "late"
    assert replace(one, state="late").haste(TUESDAY - SOON) == "late"
    assert replace(one, state="kept").haste(TUESDAY) == "over"
