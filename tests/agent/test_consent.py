"""Which purposes have a live basis: every way a purpose may rest on something, and every way it may not."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from agent.basis import BasisKind, ConsentRow, digest
from agent.domain import Draft, ToolUse
from agent.policy.consent import EXTERNAL_MODEL, bases, change, declined, is_current, reworded, worth_asking
from agent.terms import Purpose
from tests.agent.test_turn import situation
from tools.context import ConversationId

HERE = ConversationId("here")


def purpose(basis: BasisKind = "consent", *, version: str = "1", text: str = "May I?") -> Purpose:
    return Purpose(
        name="orders:read",
        basis=basis,
        version=version,
        text={"en": text, "ru": "Можно?"},
        gives={"en": "an answer", "ru": "ответ"},
    )


def row(*, granted: bool = True, version: str = "1", text: str = "May I?") -> ConsentRow:
    return ConsentRow(
        number=1,
        conversation=HERE,
        customer_id=None,
        assurance="anonymous",
        purpose="orders:read",
        granted=granted,
        version=version,
        text=text,
        text_sha256=digest(text),
        language="en",
        channel="widget",
        address="",
        actor="customer",
        turn=None,
        at=datetime(2026, 11, 29, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("basis", "rows", "found"),
    [
        ("consent", [], None),
        ("consent", [row()], "consent"),
        ("consent", [row(), row(granted=False)], None),
        ("consent", [row(granted=False), row()], "consent"),
        ("consent", [row(version="0")], None),
        ("consent", [row(text="May I? And sell it?")], None),
        ("consent", [row(), row(version="0")], None),
        ("contract", [], "contract"),
        ("contract", [row()], "contract"),
        ("contract", [row(granted=False)], None),
        ("legal", [], "legal"),
        ("legal", [row(granted=False)], "legal"),
    ],
)
def test_what_a_purpose_rests_on(basis: BasisKind, rows: list[ConsentRow], found: str | None) -> None:
    live = bases({"orders:read": purpose(basis)}, rows)
    assert {name: one.kind for name, one in live.items()} == ({"orders:read": found} if found else {})
    assert found not in get_args(BasisKind) or (live["orders:read"].row is not None) == (found == "consent")


def test_a_purpose_the_pack_does_not_know_has_no_basis() -> None:
    assert bases({}, [row()]) == {}


def test_a_consent_in_a_language_that_is_asked_in_no_longer_is_not_current() -> None:
    only_russian = purpose().model_copy(update={"text": {"ru": "Можно?"}})
    assert is_current(purpose(), row())
    assert not is_current(only_russian, row())


def test_a_row_holds_the_words_in_the_language_they_were_shown_in() -> None:
    told = change(purpose(), granted=True, language="ru")
    assert (told.text, told.version, told.language, told.granted) == ("Можно?", "1", "ru", True)


def test_a_refusal_counts_where_it_was_said_until_it_is_taken_back() -> None:
    elsewhere = replace(row(granted=False), conversation=ConversationId("elsewhere"))
    assert declined([row(granted=False)], HERE) == {"orders:read"}
    assert declined([elsewhere], HERE) == frozenset()
    assert declined([row(granted=False), row()], HERE) == frozenset()


def test_words_that_changed_under_the_same_version_are_told() -> None:
    known = {"orders:read": purpose(text="May I? And sell it?")}
    assert reworded(known, [row()]) == ("orders:read",)
    assert reworded(known, [row(version="0")]) == ()
    assert reworded({"orders:read": purpose()}, [row()]) == ()
    assert reworded({}, [row()]) == ()


BROKEN = ToolUse(name="order_status", arguments={}, ok=False, result={}, fault="unavailable")


@pytest.mark.parametrize(
    ("draft", "asked", "found"),
    [
        (Draft(kind="answer"), frozenset(), ""),
        (Draft(kind="answer", withheld=(EXTERNAL_MODEL,)), frozenset(), EXTERNAL_MODEL),
        (Draft(kind="answer", withheld=(EXTERNAL_MODEL,)), frozenset({EXTERNAL_MODEL}), ""),
        (Draft(kind="answer", withheld=(EXTERNAL_MODEL,), tools=(BROKEN,)), frozenset(), ""),
    ],
)
def test_a_model_outside_is_asked_for_once_and_only_where_it_would_help(
    draft: Draft, asked: frozenset[str], found: str
) -> None:
    assert worth_asking(replace(situation("?"), asked=asked), draft) == found
