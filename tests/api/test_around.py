"""Signs of presence: they fade by themselves, nobody is told of what changes nothing, and there is an end to their number."""

import pytest

from api import around as room
from api.around import Around, Scene, Sign
from tools.context import ConversationId

TALK = ConversationId("talk")
TYPES = Sign("typing", TALK)
ONE, OTHER = Sign("online", TALK, source="tab 1"), Sign("online", TALK, source="tab 2")


class Time:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_a_sign_that_is_not_repeated_fades() -> None:
    time = Time()
    around = Around(now=time)
    around.show(TYPES)
    around.show(ONE)
    time.at = 4.9
    assert around.scene(TALK) == Scene(online=True, typing=True)
    assert around.fades(TALK) == pytest.approx(0.1)
    time.at = 5
    assert around.scene(TALK) == Scene(online=True)
    time.at = 40
    assert around.scene(TALK) == Scene()
    assert around.fades(TALK) is None


def test_a_window_that_closes_leaves_the_other_one_open() -> None:
    around = Around()
    around.show(ONE)
    around.show(OTHER)
    around.hide(ONE)
    assert around.scene(TALK).online
    around.hide(OTHER)
    assert not around.scene(TALK).online
    around.hide(OTHER)


def test_whoever_watches_is_woken_by_a_change_and_by_nothing_else() -> None:
    told: list[str] = []
    around = Around(changed=told.append)
    around.show(TYPES)
    around.show(TYPES)
    around.show(Sign("looking", TALK, "olga", "a"))
    around.show(Sign("looking", TALK, "olga", "b"))
    around.hide(Sign("looking", TALK, "olga", "a"))
    assert told == [TALK, TALK]


def test_what_another_process_says_is_not_said_to_it_again() -> None:
    said: list[tuple[Sign, bool]] = []
    around = Around()
    around.spread = lambda sign, there: said.append((sign, there))
    around.show(ONE, elsewhere=True)
    around.hide(ONE, elsewhere=True)
    around.show(TYPES)
    around.hide(TYPES)
    assert said == [(TYPES, True), (TYPES, False)]


def test_there_is_an_end_to_the_conversations_with_a_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST", 2)
    time = Time()
    around = Around(now=time)
    for name in ("a", "b", "c"):
        around.show(Sign("typing", ConversationId(name)))
    assert [around.scene(ConversationId(name)).typing for name in ("a", "b", "c")] == [True, True, False]
    time.at = 6
    around.show(Sign("typing", ConversationId("c")))
    assert around.scene(ConversationId("c")).typing
