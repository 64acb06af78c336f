"""The states of a version and the line of time, and what a diff shows: pure parts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import WrongState
from knowledge.keeping.diff import compare
from knowledge.keeping.life import STEPS, Slot, after, counting, line, overtaken, state_at, status_of
from knowledge.types import DocumentId, document_in, passage_id

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MOMENTS = st.integers(min_value=-5, max_value=5).map(lambda days: NOW + timedelta(days=days))
BEGINNINGS = st.lists(st.none() | MOMENTS, max_size=6, unique=True)
NAMES = st.text(alphabet="ab@#12.", min_size=1, max_size=6)


def slots(beginnings: list[datetime | None]) -> list[Slot]:
    return [Slot(version=n, begins=begins) for n, begins in enumerate(beginnings, start=1)]


@pytest.mark.parametrize(
    ("step", "state", "led"),
    [
        ("submit", "draft", "review"),
        ("reject", "review", "draft"),
        ("publish", "review", "published"),
        ("publish", "retired", "published"),
        ("publish", "superseded", "published"),
        ("withdraw", "published", "draft"),
        ("overtake", "published", "superseded"),
        ("retire", "published", "retired"),
    ],
)
def test_a_step_leads_where_the_table_says(step, state, led):
    assert after(step, state) == led


@pytest.mark.parametrize("step", STEPS)
def test_a_step_from_anywhere_else_is_refused(step):
    for state in {"draft", "review", "published", "superseded", "retired"} - set(STEPS[step]):
        with pytest.raises(WrongState):
            after(step, state)


@given(BEGINNINGS, MOMENTS)
def test_at_any_moment_the_line_and_the_counting_version_agree(beginnings, now):
    known = slots(beginnings)
    following = line(known)
    covering = [
        slot.version
        for slot in known
        if slot.begun(now) and (following[slot.version] is None or following[slot.version] > now)
    ]
    current = counting(known, now=now)
    assert covering == ([] if current is None else [current.version])


@given(BEGINNINGS, st.none() | MOMENTS, MOMENTS)
def test_after_publishing_no_two_versions_begin_together(beginnings, begins, now):
    known, new = slots(beginnings), Slot(version=99, begins=begins)
    gone = overtaken(known, by=new, now=now)
    left = [slot for slot in known if slot.version not in gone]
    assert begins not in [slot.begins for slot in left]
    if new.begun(now):
        assert counting([*left, new], now=now) == new
    else:
        assert counting([*left, new], now=now) == counting(known, now=now)


def test_a_document_stands_where_its_versions_say():
    assert status_of(["draft", "published"]) == "published"
    assert status_of(["draft", "retired"]) == "retired"
    assert status_of(["review", "superseded"]) == "review"
    assert status_of([]) == "draft"
    assert state_at("published", NOW, now=NOW) == "superseded"
    assert state_at("published", NOW, now=NOW - timedelta(seconds=1)) == "published"


@given(
    st.tuples(NAMES, st.integers(1, 30), st.integers(1, 30)),
    st.tuples(NAMES, st.integers(1, 30), st.integers(1, 30)),
)
def test_no_two_passages_share_an_id_and_each_names_its_document(one, other):
    ids = [passage_id(DocumentId(name), version=version, n=n) for name, version, n in (one, other)]
    assert (ids[0] == ids[1]) is (one == other)
    assert [document_in(id) for id in ids] == [one[0], other[0]]


LINES = st.lists(
    st.sampled_from(["Срок 14 дней.", "Срок 30 дней.", "Доставка 290 ₽.", "", "Гирлянда."]), max_size=8
)


@given(LINES, LINES)
def test_the_rows_of_a_diff_hold_both_texts_whole(before, now):
    diff = compare("\n".join(before), "\n".join(now), old=1, new=2)
    left = ["".join(piece.text for piece in row.left) for row in diff.rows if row.left_line]
    right = ["".join(piece.text for piece in row.right) for row in diff.rows if row.right_line]
    assert left == "\n".join(before).splitlines()
    assert right == "\n".join(now).splitlines()
    assert (diff.unified == "") is (left == right)


def test_words_that_differ_are_marked_inside_their_lines():
    diff = compare(
        "Курьер стоит 290 ₽.\nОбщая строка.\nУйдёт.", "Курьер стоит 350 ₽.\nОбщая строка.", old=1, new=2
    )
    changed, same, removed = diff.rows
    assert [(piece.text, piece.changed) for piece in changed.right] == [
        ("Курьер стоит ", False),
        ("350", True),
        (" ₽.", False),
    ]
    assert (same.kind, removed.kind, removed.left_line, removed.right_line) == ("same", "removed", 3, None)
    assert diff.unified.splitlines()[:2] == ["--- version 1", "+++ version 2"]
