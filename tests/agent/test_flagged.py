"""A flagged answer becomes an eval case: what was said without personal data, and what must come of it instead."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.domain import Action, ToolUse
from agent.flagged import REASONS, SUITE, Flag, Heard, NothingToSay, case_of, sentences_of
from api.console.flags import case_file
from evals.case import check_cases
from evals.run import gate
from evals.world import union
from tools.context import ConversationId, TurnId

FLAG = Flag(
    id="a1b2c3d4e5f6",
    conversation=ConversationId("c"),
    turn=TurnId("t"),
    reason="wrong",
    note="Анна Петрова писала дважды",
    wrong=("Вернуть можно за 7 дней.",),
    expected="",
    state="open",
    by="olga",
    at=datetime(2026, 11, 22, tzinfo=UTC),
)
HEARD = Heard(
    language="ru",
    signed_in=True,
    consents=("orders:read",),
    moves=(
        ("Меня зовут Анна Петрова, где заказ 1045-А?", None),
        ("", Action(kind="consent", target="orders:read")),
        ("", Action(kind="say", target="Сколько дней на возврат?")),
    ),
    tools=(
        ToolUse(
            name="order_status",
            arguments={},
            ok=True,
            result={
                "orders": [{"order": "1045-А", "status": "delivered"}, {"order": "1051", "status": "odd"}]
            },
        ),
    ),
    answer=("Вернуть можно за 7 дней.", "Заказ 1045-А получен."),
)


def linted(row: dict[str, Any], folder: Path) -> None:
    """The file passes what `mayak eval lint` asks of it."""
    (folder / "flagged.yaml").write_text(case_file(row), "utf-8")
    cases, faults = check_cases(folder)
    assert faults == ()
    assert union(case.world for case in cases)[1] == ()
    assert gate(SUITE)


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("signed_in", [True, False])
def test_a_case_of_every_reason_is_one_the_evals_read(tmp_path: Path, reason: Any, signed_in: bool) -> None:
    for wrong, expected in ((FLAG.wrong, ""), ((), "14 дней"), ((), "")):
        flag = replace(FLAG, reason=reason, wrong=wrong, expected=expected)
        linted(case_of(flag, replace(HEARD, signed_in=signed_in)), tmp_path)


def test_a_case_names_nobody_and_its_orders_are_stand_ins_in_the_same_state() -> None:
    row = case_of(replace(FLAG, wrong=()), HEARD)
    text = yaml.safe_dump(row, allow_unicode=True)
    for secret in ("Анна", "Петрова", "1045", "1051"):
        assert secret not in text
    (first, second) = row["world"]["orders"].items()
    assert (first[1]["status"], second[1]["status"]) == ("delivered", "shipped")
    assert first[0] in row["says"][0]
    assert row["expect"] == {"never_says": ["Вернуть можно за 7 дней.", f"Заказ {first[0]} получен."]}
    assert (row["customer"], row["consent"]) == (row["id"], ["orders:read"])


def test_buttons_that_are_gone_are_not_pressed_again_and_alone_make_no_case() -> None:
    assert case_of(FLAG, HEARD)["says"][1:] == ["Сколько дней на возврат?"]
    only = replace(HEARD, moves=(("", Action(kind="confirm", target="p1")),))
    with pytest.raises(NothingToSay):
        case_of(FLAG, only)
    called = case_of(FLAG, replace(HEARD, moves=(("", Action(kind="person")),)))
    assert called["says"] == [{"action": {"kind": "person"}}]


def test_what_is_expected_follows_from_the_reason() -> None:
    assert case_of(replace(FLAG, reason="person"), HEARD)["expect"] == {
        "outcome": "escalated",
        "ticket": True,
    }
    told = case_of(replace(FLAG, expected="14 дней"), HEARD)["expect"]
    assert told == {"never_says": list(FLAG.wrong), "says": ["14 дней"]}
    silent = case_of(replace(FLAG, reason="ungrounded"), HEARD)["expect"]
    assert silent["outcome"] == ["clarify", "declined", "escalated"]
    # A sentence that names somebody is never said again with the name hidden: it can be looked for in vain.
    hidden = case_of(replace(FLAG, wrong=("Анна Петрова уже получила.",)), HEARD)["expect"]
    assert hidden == {"outcome": ["clarify", "declined", "escalated"]}


def test_two_flags_make_worlds_that_can_be_put_together() -> None:
    first, second = (
        case_of(replace(FLAG, id=id), HEARD)["world"]["orders"] for id in ("a1b2c3d4", "a1b2c3d5")
    )
    assert not set(first) & set(second)


def test_sentences_of_an_answer_are_named_once() -> None:
    assert sentences_of(["Да. Да.\n\n- 14 дней", "Да."]) == ("Да.", "- 14 дней")
