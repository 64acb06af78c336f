"""What a turn costs around its own account, as only the worker sees it."""

import pytest

from api import turn_clocks
from api.turn_clocks import TurnClocks
from tools.context import TurnId

TURN = TurnId("t1")


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> TurnClocks:
    readings = iter([10.0, 10.5])
    monkeypatch.setattr(turn_clocks, "perf_counter", lambda: next(readings))
    return TurnClocks()


def test_a_turn_waited_since_its_window_closed_and_committed_for_what_its_account_leaves(
    clocks: TurnClocks,
) -> None:
    clocks.closed(TURN, 9.75)
    assert clocks.waited(TURN) == 250.0
    clocks.committed(TURN, {"queue": 250.0, "model": 400.0, "total": 650.0})
    assert clocks.committing(TURN) == pytest.approx(100.0)
    assert clocks.committing(TURN) is None, "it is taken once"


def test_a_turn_resumed_after_a_crash_waited_nobody_knows_how_long(clocks: TurnClocks) -> None:
    assert clocks.waited(TURN) == 0.0
    clocks.committed(TURN, {"total": 9_000.0})
    assert clocks.committing(TURN) == 0.0, "never less than nothing"


def test_a_turn_that_never_began_here_has_no_commit_to_tell(clocks: TurnClocks) -> None:
    clocks.closed(TURN, 9.0)
    assert clocks.committing(TURN) is None
    assert clocks.waited(TURN) == 0.0, "its window is forgotten with it"
