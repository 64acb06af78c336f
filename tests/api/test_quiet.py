"""The quiet window: what is said in one breath is answered at once, and nobody waits longer than 3 seconds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain import Action, Incoming
from api.quiet import LONGEST, quiet_window, reads_finished
from tools.context import MessageId

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def said(text: str, *, at: float = 0.0, action: Action | None = None) -> Incoming:
    moment = START + timedelta(seconds=at)
    return Incoming(id=MessageId("m"), seq=1, key="k", text=text, action=action, at=moment)


def window(*messages: Incoming, now: float = 0.0, typing: float | None = None) -> float:
    moment = None if typing is None else START + timedelta(seconds=typing)
    left = quiet_window(
        messages, moment, START + timedelta(seconds=now), urgent=lambda text: text == "human!"
    )
    return round(left, 3)


def test_nothing_to_wait_for_waits_for_nothing() -> None:
    assert window() == 0


def test_a_button_or_a_request_for_a_person_never_waits() -> None:
    assert window(said("", action=Action(kind="confirm", target="p"))) == 0
    assert window(said("hello"), said("human!")) == 0


def test_a_message_that_reads_as_finished_waits_shortly_and_another_longer() -> None:
    assert window(said("Where is my order?")) == 0.25
    assert window(said("hello")) == 0.7
    assert window(said("hello"), now=0.5) == 0.2
    assert window(said("hello"), now=0.8) == 0


def test_another_message_starts_the_window_again_but_not_for_ever() -> None:
    assert window(said("hi"), said("you", at=0.6), now=0.6) == 0.7
    assert window(said("hi"), said("you", at=2.9), now=2.9) == 0.1


def test_typing_prolongs_the_window_up_to_three_seconds() -> None:
    assert window(said("hello"), now=0.5, typing=0.4) == 1.4
    assert window(said("hello"), now=2.9, typing=2.8) == 0.1
    assert window(said("hello", at=1.0), now=1.0, typing=0.5) == 0.7, "typing before the message is over"


def test_no_window_at_all_where_it_is_switched_off() -> None:
    typing = START + timedelta(seconds=1)
    assert quiet_window([said("hello")], typing, START, longest=timedelta(0)) == 0


@pytest.mark.parametrize(
    ("text", "finished"),
    [
        ("Где мой заказ?", True),
        ("где мой заказ", True),
        ("Спасибо.", True),
        ("«Верните деньги!»", True),
        ("привет", False),
        ("мой заказ", False),
        ("у меня вопрос:", False),
        ("я хотел узнать про доставку,", False),
        ("ну вот...", False),
        ("подождите…", False),
        ("", False),
    ],
)
def test_a_message_reads_as_finished_or_not(text: str, finished: bool) -> None:
    assert reads_finished(text) is finished


@given(
    st.lists(st.tuples(st.text(max_size=40), st.floats(0, 3)), min_size=1, max_size=5),
    st.floats(0, 10),
    st.none() | st.floats(0, 10),
)
def test_nobody_waits_longer_than_three_seconds(
    lines: list[tuple[str, float]], now: float, typing: float | None
) -> None:
    messages = [said(text, at=at) for text, at in sorted(lines, key=lambda line: line[1])]
    first = min(at for _, at in lines)
    left = window(*messages, now=now, typing=typing)
    assert left >= 0
    assert now + left <= max(now, first + LONGEST.total_seconds()) + 0.01
