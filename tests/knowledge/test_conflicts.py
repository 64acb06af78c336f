"""Contradictions between passages: what is one, what only looks like one, and the demo's flaws on purpose."""

import json
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.commands.knowledge import app
from knowledge.compare.amounts import amounts, comparable, relation
from knowledge.compare.statements import statements
from knowledge.conflicts import conflicts_between, conflicts_of, find_conflicts
from knowledge.ingest import files_of, manifest_of, source_of
from knowledge.language import language_of
from knowledge.load import load
from knowledge.split import split
from knowledge.types import DocumentId, Passage, PassageId
from tests.knowledge.shelf import opened, sqlite, write

DEMO = Path(__file__).resolve().parents[2] / "demo" / "knowledge"


def passage(text: str, *, document: str = "one", title: str = "", n: int = 1) -> Passage:
    return Passage(
        id=PassageId(f"{document}#{n}"),
        document=DocumentId(document),
        title=title,
        heading="",
        text=text,
        language=language_of(text),
        n=n,
        tokens=0,
    )


def kinds(left: str, right: str, *, titles: tuple[str, str] = ("", "")) -> list[str]:
    one = passage(left, document="left", title=titles[0])
    return [c.kind for c in conflicts_between(one, passage(right, document="right", title=titles[1]))]


@pytest.mark.parametrize(
    ("left", "right", "kind"),
    [
        ("Заказ хранится в пункте выдачи 7 дней.", "В пункте выдачи заказ хранится две недели.", "term"),
        ("Курьер по Туле стоит 290 ₽.", "Доставка курьером по Туле стоит 350 рублей.", "money"),
        ("Скидка за отзыв с фото — 5 %.", "За отзыв с фото скидка 7 %.", "number"),
        ("Распродажа закончится 30 ноября.", "The sale ends on November 27.", "date"),
        ("Баллы можно сочетать с промокодом.", "Баллы нельзя сочетать с промокодом.", "yes_no"),
        ("Delivery to a pick-up point costs RUB 150.", "Доставка в пункт выдачи стоит 200 ₽.", "money"),
    ],
)
def test_other_values_and_yes_against_no_about_one_thing_are_a_conflict(left, right, kind):
    assert kinds(left, right) == [kind]
    assert kinds(right, left) == [kind]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Курьер по Москве стоит 390 ₽.", "Курьер по Нижнему Новгороду стоит 290 ₽."),
        ("Счёт для юрлиц действует 3 дня.", "Счёт для физлиц действует 1 день."),
        ("Доставка занимает 3–5 дней.", "Доставка занимает 4 дня."),
        ("Вернуть товар можно в течение 14 дней.", "На возврат товара есть две недели."),
        ("Самый большой диск — 2 ТБ.", "The largest disk is 2048 GB."),
        ("До отправки заказ можно отменить.", "После отправки заказ отменить нельзя."),
        ("Курьер бесплатен при заказе от 6 000 ₽.", "Курьер стоит 290 ₽."),
        ("Раньше курьер по Туле стоил 250 ₽.", "Курьер по Туле стоит 290 ₽."),
        ("Диск можно отключить.", "Системный диск отключить нельзя."),
        ("При заказе от 10 000 ₽ скидка 5 %.", "При заказе от 50 000 ₽ скидка 10 %."),
    ],
)
def test_other_conditions_ranges_units_and_exceptions_are_no_conflict(left, right):
    assert kinds(left, right) == []
    assert kinds(right, left) == []


def test_a_row_of_a_table_is_compared_with_the_row_of_the_same_name():
    table = "| Куда | Курьер | Срок, рабочих дней |\n| Москва | {} ₽ | 2–3 |\n| Тула | 290 ₽ | 3–4 |"
    here, there = table.format(390), table.format(350)
    found = conflicts_between(passage(here, document="a"), passage(there, document="b"))
    assert [(c.kind, c.left.text.split(" | ")[0], c.right.text.split(" | ")[0]) for c in found] == [
        ("money", "Москва", "Москва")
    ]


def test_what_the_other_passage_says_as_well_is_no_conflict():
    both = "По закону на возврат товара есть 7 дней. Вернуть товар можно в течение 14 дней."
    assert kinds("Вернуть товар можно в течение 14 дней.", both) == []


def test_a_conflict_shows_both_quotes_as_they_stand_and_what_they_are_about():
    left = passage(
        "Пункт работает без выходных. Заказ хранится в пункте выдачи 7 дней.", document="a", title="А"
    )
    right = passage("Заказ хранится в пункте выдачи 5 дней.", document="b", title="Б")
    (found,) = conflicts_between(left, right)
    assert found.left.text == "Заказ хранится в пункте выдачи 7 дней."
    assert found.left.text in left.text
    assert found.right.passage is right
    assert "заказ" in found.subject
    assert 0.6 <= found.confidence <= 1


def test_clauses_of_one_sentence_are_statements_of_their_own():
    found = statements(passage("Курьер по Туле стоит 290 ₽, по Москве — 390 ₽."))
    assert [one.amounts[0].low for one in found] == [290, 390]
    assert "=courier" in found[1].frame


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("2 недели", "14 дней", "same"),
        ("до 7 дней", "до 14 дней", "differs"),
        ("около 500 м", "480 м", "compatible"),
        ("от 120 до 490 ₽", "260 ₽", "compatible"),
        ("с 9:00 до 21:00", "с 10:00 до 20:00", "differs"),
        ("10 рабочих дней", "14 дней", "same"),
        ("в течение суток", "24 часа", "compatible"),
    ],
)
def test_values_are_compared_in_one_unit(one, other, expected):
    (mine,), (his,) = amounts(one), amounts(other)
    assert comparable(mine, his, across=False)
    assert relation(mine, his, limit=False) == expected


async def test_passages_are_compared_with_what_the_search_brings_and_a_new_version_not_with_the_old_one():
    changed = passage("Заказ хранится в пункте выдачи 7 дней.", document="points")
    before = passage("Заказ хранится в пункте выдачи 3 дня.", document="points", n=2)
    other = passage("В пункте выдачи заказ хранится 5 дней.", document="storage")
    asked = []

    async def among(text: str) -> list[Passage]:
        asked.append(text)
        return [changed, before, other]

    found = await find_conflicts([changed], among=among)
    assert asked == ["Заказ хранится в пункте выдачи 7 дней."]
    assert [(one.left.passage.id, one.right.passage.id) for one in found] == [("points#1", "storage#1")]


@pytest.fixture(scope="module")
def demo() -> dict[str, list[Passage]]:
    root, files = files_of(DEMO)
    rows = manifest_of(root)
    wanted = {"bulb-guide", "returns", "delivery", "delivery-2025", "loyalty", "loyalty-2025"}
    out = {}
    for file in files:
        if file.stem in wanted and file.parent.name == "ru":
            name = file.relative_to(root).as_posix()
            source = source_of(name, load(file), rows.get(name, {}))
            out[source.id] = split(
                source.text, document=source.id, title=source.title, language=source.language
            )
    return out


def between(demo: dict[str, list[Passage]], one: str, other: str) -> list[tuple[str, str, str]]:
    found = [c for left in demo[one] for right in demo[other] for c in conflicts_between(left, right)]
    return [(c.kind, c.left.text, c.right.text) for c in found]


def test_the_contradiction_planted_in_the_demo_is_the_only_one_of_its_documents(demo):
    ((kind, left, right),) = between(demo, "bulb-guide", "returns")
    assert kind == "term"
    assert "7 дней" in left
    assert "14 дней" in right


@pytest.mark.parametrize(
    ("old", "now", "least"), [("delivery-2025", "delivery", 3), ("loyalty-2025", "loyalty", 2)]
)
def test_an_outdated_version_in_the_demo_contradicts_the_present_one(demo, old, now, least):
    assert len(between(demo, old, now)) >= least


DOCUMENTS = {
    "ru/points.md": "# Пункты выдачи\n\n## Хранение\n\nЗаказ хранится в пункте выдачи 7 дней.\n",
    "ru/faq.md": "# Вопросы\n\n## Сколько хранится заказ\n\nВ пункте выдачи заказ хранится 5 дней.\n",
    "ru/gifts.md": "# Подарки\n\n## Упаковка\n\nПодарочная упаковка стоит 150 ₽.\n",
}


async def test_a_draft_is_checked_against_what_is_live_before_it_is_published(tmp_path):
    async with opened(sqlite(tmp_path)) as library:
        await library.import_path(write(tmp_path / "docs", DOCUMENTS))
        steps = []
        found = await conflicts_of(library, tell=lambda done, total: steps.append((done, total)))
        assert [one.kind for one in found] == ["term"]
        assert steps[-1] == (3, 3)
        assert await conflicts_of(library, DocumentId("gifts")) == ()
        text = "# Подарки\n\n## Хранение\n\nЗаказ хранится в пункте выдачи 9 дней.\n"
        await library.save_draft(DocumentId("gifts"), text, title="Подарки", language="ru", by="anna")
        drafted = await conflicts_of(library, DocumentId("gifts"))
        assert {one.right.passage.document for one in drafted} == {"points", "faq"}


class Door:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def library(self):
        async with opened(sqlite(self._folder)) as library:
            yield library


def test_the_command_prints_both_quotes_and_refuses_an_unknown_document(tmp_path):
    def call(*words: str):
        return CliRunner().invoke(app, [*words], obj=Door(tmp_path))

    assert call("import", str(write(tmp_path / "docs", DOCUMENTS)), "--json").exit_code == 0
    (found,) = json.loads(call("conflicts", "--json").stdout)
    assert {found["left"]["text"], found["right"]["text"]} == {
        "Заказ хранится в пункте выдачи 7 дней.",
        "В пункте выдачи заказ хранится 5 дней.",
    }
    assert "7 дней" in call("conflicts", "points").stdout
    assert "No contradictions" in call("conflicts", "gifts").stdout
    missing = call("conflicts", "nothing", "--json")
    assert missing.exit_code == 1
    assert json.loads(missing.stdout)["remedy"]
