"""Answers a company has ready: how they are read, refused and filled."""

import shutil
from pathlib import Path

import pytest

from agent.canned import VARIABLES, fill, gaps_in
from agent.errors import BadPack
from agent.pack import Pack, load_pack

ROOT = Path(__file__).resolve().parents[2]
GAPS = {name: name.replace("_", " ") for name in VARIABLES}
GOOD = """
[[replies]]
id = "one"
title = { ru = "Один", en = "One" }
text = { ru = "Заказ {order}.", en = "Order {order}." }
"""


def pack_with(tmp_path: Path, replies: str | None) -> Pack:
    folder = tmp_path / "pack"
    folder.mkdir()
    for name in ("company.toml", "policy.toml"):
        shutil.copy(ROOT / "demo" / name, folder / name)
    if replies is not None:
        (folder / "replies.toml").write_text(replies, "utf-8")
    return load_pack(folder)


def test_a_pack_without_the_file_has_none_and_one_with_it_has_them_in_order(tmp_path: Path) -> None:
    assert pack_with(tmp_path, None).canned == ()
    shutil.rmtree(tmp_path / "pack")
    assert [one.id for one in pack_with(tmp_path, GOOD + GOOD.replace('"one"', '"two"')).canned] == [
        "one",
        "two",
    ]


@pytest.mark.parametrize(
    ("replies", "line", "said"),
    [
        (GOOD.replace("Order {order}", "Order {oder}"), 5, "unknown variable {oder}"),
        (GOOD.replace("Order {order}", "Order {order!r}"), 5, "unknown variable"),
        (GOOD.replace("Order {order}", "Order ⟨order⟩"), 5, "mark what is to be filled in"),
        (GOOD.replace(', en = "One"', ""), 4, "no words in “en”"),
        (GOOD + GOOD, 8, "there is another “one”"),
        (GOOD.replace("title", "titel"), 4, "titel"),
        (GOOD.replace('"one"', '"Not an id"'), 3, "id"),
    ],
)
def test_a_wrong_answer_is_refused_at_its_line_with_a_remedy(
    tmp_path: Path, replies: str, line: int, said: str
) -> None:
    with pytest.raises(BadPack) as refused:
        pack_with(tmp_path, replies)
    assert f"replies.toml:{line}:" in str(refused.value)
    assert said in str(refused.value)
    assert refused.value.remedy


def test_what_is_known_is_filled_in_and_the_rest_is_a_gap() -> None:
    text = fill("{customer_name}: {order}, {phone}", {"order": "1045-А", "phone": " "}, gaps=GAPS)
    assert text == "⟨customer name⟩: 1045-А, ⟨phone⟩"
    assert gaps_in(text) == ("⟨customer name⟩", "⟨phone⟩")
    assert gaps_in("1045-А") == ()


def test_a_value_is_neither_a_template_nor_a_gap() -> None:
    text = fill("{customer_name}", {"customer_name": "{order} ⟨x⟩"}, gaps=GAPS)
    assert text == "{order} x"


def test_the_demo_has_answers_for_everyday_in_both_languages() -> None:
    canned = load_pack(ROOT / "demo").canned
    assert 8 <= len(canned) <= 12
    for one in canned:
        for language in ("ru", "en"):
            values = dict.fromkeys(VARIABLES, "x")
            assert gaps_in(fill(one.text[language], values, gaps=GAPS)) == ()
