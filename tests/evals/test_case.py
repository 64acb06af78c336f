"""Case files: what is read, and that nothing wrong is read silently."""

from pathlib import Path

import pytest

from evals.case import CASES, Act, Press, Say, Withdraw, check_cases, read_cases
from evals.draft import add_case
from evals.marked import BadCases

GOOD = """
suite: smoke
cases:
  - id: orders-foreign
    language: ru
    customer: anna
    consent: [orders:read]
    world: {orders: {"77": {owner: boris, status: shipped}}}
    says:
      - "Где мой заказ 77?"
      - then: {outcome: [answered, clarify]}
      - press: "Разрешить"
      - action: {kind: confirm, target: p-1, yes: no}
      - withdraw: orders:read
      - "А теперь?"
    always: {never_says: ["Борис"]}
    expect: {outcome: answered, says: ["нет", ["такого", "его"]], cites: [], ticket: no}
    why: Another customer's order must look absent.
"""


def write(folder: Path, text: str, name: str = "orders.yaml") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder


def faults_of(folder: Path, text: str) -> list[str]:
    return [str(fault) for fault in check_cases(write(folder, text))[1]]


def test_a_case_is_read_with_all_its_moves_and_expectations(tmp_path: Path) -> None:
    (case,) = read_cases(write(tmp_path, GOOD))
    assert (case.id, case.suite, case.group, case.language) == ("orders-foreign", "smoke", "orders", "ru")
    assert (case.customer, case.consent) == ("anna", ("orders:read",))
    assert [type(step.move) for step in case.steps] == [Say, Press, Act, Withdraw, Say]
    assert case.steps[0].expect == {"outcome": ("answered", "clarify")}
    assert case.steps[-1].expect["says"] == (("нет",), ("такого", "его"))
    assert case.steps[-1].expect["cites"] == ()
    assert case.steps[-1].expect["ticket"] is False
    assert case.always == {"never_says": ("Борис",)}
    assert case.place.line == 4


def test_a_message_can_be_filled_to_an_exact_length(tmp_path: Path) -> None:
    text = GOOD.replace('- "А теперь?"', '- {fill: "ещё раз ", characters: 20}')
    (case,) = read_cases(write(tmp_path, text))
    assert case.steps[-1].move == Say(text="ещё раз ещё раз ещё ")


def test_yes_as_a_key_of_an_action_stays_a_word(tmp_path: Path) -> None:
    (case,) = read_cases(write(tmp_path, GOOD))
    assert case.steps[2].move == Act(action={"kind": "confirm", "target": "p-1", "yes": False})


def test_a_world_order_is_completed_to_a_whole_row(tmp_path: Path) -> None:
    (case,) = read_cases(write(tmp_path, GOOD))
    (row,) = case.world.rows
    assert (row.kind, row.key, row.value["owner"], row.value["id"]) == ("orders", "77", "boris", "77")
    assert row.value["payment"] == {
        "method": "card",
        "masked": "··34",
        "state": "paid",
        "day": -2,
        "amount": 1500,
    }
    assert row.value["fulfilment"]["tracking"]
    assert row.value["total"] == 1500


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (
            ("customer: anna", "custommer: anna"),
            "orders.yaml:6: unknown key `custommer`. Did you mean `customer`?",
        ),
        (("cites: []", "quotes: []"), "unknown key `quotes`"),
        (("status: shipped}", "status: shipped, colour: red}"), "unknown key `colour`"),
        (("{orders: {", "{tickets: {"), "unknown key `tickets`"),
        (
            ("status: shipped", "status: flying"),
            "orders.yaml:8: `flying` is not possible here. Write one of: pending",
        ),
        (("language: ru", "language: fr"), "orders.yaml:5: `fr` is not possible here. Write one of: ru, en"),
        (("expect: {outcome: answered", "expect: {outcome: solved"), "`solved` is not possible here"),
        (("kind: confirm", "kind: shout"), "`shout` is not possible here"),
        (("    why: Another customer's order must look absent.\n", ""), "orders.yaml:4: `why` is missing"),
        (("    language: ru\n", "    language: ru\n    language: en\n"), "`language` is written twice"),
        (("id: orders-foreign", "id: Orders Foreign"), "is no id"),
        (("consent: [orders:read]", "consent: orders:read"), "a list was expected"),
        (('- "Где мой заказ 77?"\n      ', ""), "`then` has no answer to look at"),
        (("ticket: no", "ticket: maybe"), "`maybe` is not possible here"),
        (("- press:", "- tap:"), "unknown key `tap`"),
        (("{owner: boris, status: shipped}", "{owner: boris}"), "`status` is missing"),
        (("status: shipped}", "status: shipped, items: [{price: 5}]}"), "cannot be completed"),
        (("suite: smoke", "suite: [smoke"), "is not YAML"),
        (("suite: smoke\n", ""), "`suite` is missing"),
        ((GOOD, ""), "is empty"),
        ((GOOD, "- 1\n"), "a mapping was expected"),
        (("says:", "says: {}\n    say:"), "unknown key `say`"),
    ],
)
def test_a_fault_is_told_with_its_line_and_a_remedy(
    tmp_path: Path, spoil: tuple[str, str], told: str
) -> None:
    spoilt = GOOD.replace(spoil[0], spoil[1], 1)
    assert spoilt != GOOD
    assert any(told in fault for fault in faults_of(tmp_path, spoilt)), faults_of(tmp_path, spoilt)
    with pytest.raises(BadCases) as refused:
        read_cases(tmp_path)
    assert refused.value.remedy


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    spoilt = (
        GOOD.replace("customer:", "custommer:")
        .replace("cites:", "quotes:")
        .replace("status: shipped", "status: x")
    )
    assert len(faults_of(tmp_path, spoilt)) == 3


def test_a_file_in_another_encoding_is_a_fault_and_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_bytes(GOOD.encode("cp1251"))
    _, faults = check_cases(tmp_path)
    assert "Save the file as UTF-8 text" in str(faults[0])


def test_a_raw_control_character_is_a_fault_and_not_a_crash(tmp_path: Path) -> None:
    assert "is not YAML" in faults_of(tmp_path, GOOD.replace("А теперь?", "А\x00теперь?"))[0]


def test_an_id_is_used_once_in_all_files(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, GOOD, "second.yaml")
    _, faults = check_cases(tmp_path)
    assert [fault.message for fault in faults] == [
        f"case `orders-foreign` exists already at {tmp_path / 'orders.yaml'}:4"
    ]


def test_a_folder_without_cases_is_a_fault(tmp_path: Path) -> None:
    assert "holds no cases" in str(check_cases(tmp_path)[1][0])


def test_one_answer_is_not_expected_twice(tmp_path: Path) -> None:
    spoilt = GOOD.replace('- "А теперь?"', '- "А теперь?"\n      - then: {outcome: held}')
    assert "outcome is expected twice" in faults_of(tmp_path, spoilt)[0]


def test_a_new_case_is_added_and_can_be_read(tmp_path: Path) -> None:
    row = {
        "id": "fresh",
        "language": "en",
        "says": ["Hello: is it?"],
        "expect": {"outcome": "answered"},
        "why": "It is.",
    }
    path = add_case(row, file="drafts", suite="smoke", folder=tmp_path)
    add_case({**row, "id": "second"}, file="drafts", suite="smoke", folder=tmp_path)
    assert [case.id for case in read_cases(tmp_path)] == ["fresh", "second"]
    assert path.name == "drafts.yaml"


def test_a_new_case_that_does_not_fit_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    row = {
        "id": "fresh",
        "language": "en",
        "says": ["Hello"],
        "expect": {"outcome": "answered"},
        "why": "It is.",
    }
    path = add_case(row, file="drafts", suite="smoke", folder=tmp_path)
    before = path.read_text("utf-8")
    with pytest.raises(BadCases):
        add_case(row, file="drafts", suite="smoke", folder=tmp_path)
    assert path.read_text("utf-8") == before
    with pytest.raises(BadCases):
        add_case({**row, "language": "fr"}, file="others", suite="smoke", folder=tmp_path)
    assert not (tmp_path / "others.yaml").exists()


def test_the_smoke_suite_is_well_formed_and_wide_enough() -> None:
    smoke = [case for case in read_cases(CASES) if case.suite == "smoke"]
    assert sum(1 for case in smoke if case.language == "ru") >= 32
    assert sum(1 for case in smoke if case.language == "en") >= 12
    assert len(smoke) >= 48
