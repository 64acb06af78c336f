"""One message may ask two things, and a short one may lean on the messages before: both find what they mean."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from evals.company import read_company
from knowledge.embed.fake import FakeEmbedder
from knowledge.embed.use import UniversalSentenceEncoder
from knowledge.lexical import Lexical
from knowledge.loose import search_over
from knowledge.rank.follow_up import Openness, leans
from knowledge.rank.needs import clauses, questions_in
from knowledge.search import Search
from knowledge.text.subjects import Subjects
from knowledge.types import DocumentId, Passage, PassageId, Query
from tests.knowledge.shelf import NOW
from tests.knowledge.test_search import PASSAGES

DEMO = Path(__file__).parents[2] / "demo"


@pytest.fixture(scope="module")
def demo() -> Search:
    passages, _ = read_company(DEMO, day=NOW.date())
    return search_over(passages, embedders=[UniversalSentenceEncoder()])


def documents(search: Search, query: str, *, k: int = 3, **named) -> list[str]:
    return [hit.passage.document for hit in asyncio.run(search.search(Query(query, k=k, **named))).hits]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("Сколько стоит доставка курьером до Москвы и как вернуть товар?", {"delivery", "returns"}),
        ("сколько стоит доставка и как вернуть?", {"delivery", "returns"}),
        ("Как применить промокод, и сколько действует подарочная карта?", {"promo-codes", "gift-cards"}),
        ("Сколько дней хранится заказ в пункте выдачи? Где посмотреть статус заказа?", {"pickup-points", "order-status"}),
        ("How long is the warranty and how do I cancel my order?", {"warranty.en", "cancel-order.en"}),
        ("Do you ship abroad? Can I pay by invoice?", {"delivery.en", "payment.en"}),
    ],
)  # fmt: skip
def test_a_message_with_two_questions_finds_passages_for_both(demo, query, wanted):
    assert wanted <= set(documents(demo, query))


@pytest.mark.parametrize(
    ("before", "query", "wanted"),
    [
        (["как оплатить заказ?"], "а для юрлиц?", "company-invoice"),
        (["сколько стоит доставка курьером до москвы?"], "а в Казахстан?", "belarus-kazakhstan"),
        (["сколько дней на возврат?"], "а если чек потерял?", "receipts"),
        (["есть ли обмен через пункт выдачи?"], "а сколько он стоит?", "exchange"),
        (["расскажите про подарочные карты"], "сколько они действуют?", "gift-cards"),
        (["How can I pay for my order?"], "and for companies?", "company-invoice"),
    ],
)
def test_a_follow_up_is_understood_from_the_messages_before(demo, before, query, wanted):
    assert documents(demo, query, context=before)[0] == wanted


@pytest.mark.parametrize(
    ("query", "wanted"),
    [("а отправляете в Казахстан?", "belarus-kazakhstan"), ("а курьером доставляете?", "courier")],
)
def test_a_follow_up_leaves_the_subject_when_it_names_another(demo, query, wanted):
    told = ["расскажите про подарочные карты", "Карта действует год."]
    assert documents(demo, query, context=told)[0] == wanted


@pytest.mark.parametrize(
    ("before", "query"),
    [
        (
            ["расскажите про подарочные карты", "сколько она действует?"],
            "За сколько дней можно вернуть товар?",
        ),
        (["как оплатить заказ?", "можно частями?"], "Сколько действует гарантия на фонарь?"),
        (["tell me about gift cards", "how long is it valid?"], "How do I cancel my order?"),
    ],
)
def test_what_was_said_before_changes_nothing_for_a_question_that_says_it_all(demo, before, query):
    assert documents(demo, query, context=before)[0] == documents(demo, query)[0]


@pytest.mark.parametrize(
    ("question", "leaning"),
    [
        ("а для юрлиц?", True),
        ("сколько они действуют?", True),
        ("И если чек потерял, примете обратно товар?", True),
        ("туда можно отправить большую посылку?", True),
        ("доставка", True),
        ("за сколько дней можно вернуть товар?", False),
        ("Артикул FN-204 есть в наличии на складе?", False),
        ("and for companies?", True),
        ("What about large parcels for the islands?", True),
        ("Does it have free parking for guests?", True),
        ("Can we also park there?", True),
        ("Is there a swimming pool for children?", False),
        ("How do I return an item I bought?", False),
        ("Android phone charging time", False),
    ],
)
def test_a_question_that_points_back_or_begins_with_and_leans_on_what_was_said(question, leaning):
    assert leans(question) is leaning


def test_a_question_is_open_while_many_passages_answer_it_equally_well():
    openness, alive = Openness(wide=0.5, shut=1.5), np.ones(200, dtype=np.bool_)
    level = np.linspace(0.3, 0.0, 200, dtype=np.float32)
    assert openness.of(level, alive) == 1.0
    for height, room in ((1.0, 0.5), (2.0, 0.0)):
        above = level.copy()
        above[7] = level[8] + height
        assert openness.of(above, alive) == pytest.approx(room, abs=0.1)
    assert openness.of(np.where(np.arange(200) == 7, 9.0, level), np.arange(200) != 7) == 1.0
    assert openness.of(level[:1], alive[:1]) == 0.0


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ("сколько стоит доставка и как вернуть товар?", ("сколько стоит доставка", "как вернуть товар?")),
        ("Где вы находитесь? До скольки работаете?", ("Где вы находитесь?", "До скольки работаете?")),
        ("где магазин? и есть ли там парковка", ("где магазин?",)),
        ("how much is delivery, and can I return it?", ("how much is delivery", "can I return it?")),
        ("мама и папа подарили лампу, как её вернуть?", ()),
        ("как и где забрать заказ", ()),
        ("У меня сломался фонарь. Купил в мае.", ()),
        ("", ()),
        ("и? и? и?", ()),
    ],
)
def test_questions_are_told_apart_inside_a_message(message, asked):
    found = questions_in(message)
    assert found == (asked if len(asked) > 1 else ())


def test_a_long_story_is_not_taken_for_questions():
    assert questions_in("Как вернуть товар? " * 40) == ()


LETTER = {
    "ru": "Здравствуйте! Пишу вам впервые, заказывали вместе с мужем на прошлой неделе, всё понравилось и пришло вовремя. {} "
    "Заодно хочу уточнить ещё несколько вещей, чтобы потом не писать отдельно. {} {} Спасибо, жду ответа.",
    "en": "Hello! I am writing to you for the first time, we ordered last week and liked most of it so far. {} "
    "While I am here I would like to check a few more things with you, if you do not mind. {} {} Thank you very much in advance.",
}


@pytest.mark.parametrize(
    ("letter", "asked", "wanted"),
    [
        (
            "ru",
            ("Сколько действует подарочная карта?", "Как отменить заказ?", "Сколько дней хранится заказ в пункте выдачи?"),
            {"gift-cards", "cancel-order", "pickup-points"},
        ),
        (
            "en",
            ("How long is a gift card valid?", "How do I cancel my order?", "Can a company pay by invoice?"),
            {"gift-cards.en", "cancel-order.en", "payment.en"},
        ),
    ],
)  # fmt: skip
def test_a_long_message_with_several_questions_finds_passages_for_each(demo, letter, asked, wanted):
    text = LETTER[letter].format(*asked)
    assert len(text) > 300
    assert questions_in(text) == asked
    assert wanted <= set(documents(demo, text, k=6))


def test_clauses_lose_marks_and_repetitions_but_no_words():
    story = "## Цель\n\n- **Хочу** вернуть старую лампу обратно.\n1. Хочу вернуть старую лампу обратно.\nДа."
    assert clauses(story) == ("Хочу вернуть старую лампу обратно.",)


NAMED = [
    "Acorn House: is there parking",
    "Acorn House: are pets allowed",
    "Acorn House review",
    "Belfry Hotel: is there parking",
    "Belfry Hotel: what time is breakfast",
    "Belfry Hotel review",
    "Contacts",
]


def about(messages: Sequence[str], titles: Sequence[str] = NAMED) -> list[str]:
    subjects = Subjects(rarity=lambda word: 1.0)
    scores = subjects.scores(messages, titles=titles, alive=np.ones(len(titles), dtype=np.bool_))
    return (
        [] if scores is None else [title for title, score in zip(titles, scores, strict=True) if score > 0.9]
    )


def test_what_several_titles_begin_with_is_a_name_and_is_heard_in_the_messages():
    assert about(["i would like the acorn house, please"]) == NAMED[:3]
    assert about(["is there parking", "good morning"]) == []
    assert about([]) == []


def test_the_last_name_said_counts_most():
    assert about(["tell me about the acorn house", "no, rather the belfry hotel"]) == NAMED[3:6]


def test_titles_that_are_gone_name_nothing():
    alive = np.array([False] * 3 + [True] * 4)
    assert Subjects(rarity=lambda word: 1.0).scores(["acorn house"], titles=NAMED, alive=alive) is None


def test_names_follow_the_documents():
    def passages(name: str) -> list[Passage]:
        return [
            Passage(id=PassageId(f"{name}#{n}"), document=DocumentId(name), title=name, heading=part, text="…",
                    language="en", n=n, tokens=1)
            for n, part in enumerate(("parking", "pets", "prices"), start=1)
        ]  # fmt: skip

    lexical = Lexical([*passages("Acorn House"), *passages("Belfry Hotel"), *PASSAGES])
    assert lexical.subject(["the acorn house"]) is not None
    lexical.replace(DocumentId("Acorn House"), [])
    assert lexical.subject(["the acorn house"]) is None
    assert lexical.subject(["the belfry hotel"]) is not None


def test_a_department_sees_its_own_passages_and_those_of_nobody():
    def passage(name: str, department: str | None) -> Passage:
        return Passage(id=PassageId(f"{name}#1"), document=DocumentId(name), title="Возврат", heading="",
                       text=f"Возврат товара, правило {name}.", language="ru", n=1, tokens=5,
                       department=department)  # fmt: skip

    passages = {
        one.id: one for one in (passage("a", "delivery"), passage("b", "billing"), passage("c", None))
    }

    async def live(ids: Sequence[PassageId], now: datetime, audience: str) -> Mapping[PassageId, Passage]:
        return {name: passages[name] for name in ids}

    search = Search(dense=(), lexical=Lexical(passages.values()), live=live, clock=lambda: NOW)
    assert set(documents(search, "возврат товара", department="billing")) == {"b", "c"}
    assert set(documents(search, "возврат товара")) == {"a", "b", "c"}


STORY = """**Who you are:** Anna, a designer from Kazan.

1. You want to give back a lamp: the courier brought it with a crack.
2. Ask how long a gift card is valid, as you would like to be paid back with one.
3. Do not tell them your birthday.
"""
TALES = {
    "crack": (
        "Damaged parcels",
        "If the courier brought a lamp with a crack, send us a photo within two days.",
    ),
    "card": ("Gift cards", "A gift card is valid for one year."),
    "photo": ("Sending photos", "A photo of a damaged parcel is sent by e-mail within two days."),
    **{
        f"other{n}": (f"Rule {n}", f"Rule number {n} is about shelf {n * 7} of warehouse {n}.")
        for n in range(40)
    },
}


@pytest.fixture(scope="module")
def tales() -> Search:
    passages = [
        Passage(id=PassageId(name), document=DocumentId(name), title=title, heading="", text=text, language="en",
                n=1, tokens=9)
        for name, (title, text) in TALES.items()
    ]  # fmt: skip
    return search_over(passages, embedders=[FakeEmbedder()])


def test_every_need_of_a_story_is_among_the_first_passages(tales):
    found = asyncio.run(tales.story(Query(STORY, k=3)))
    assert {hit.passage.id for hit in found.hits} == {"crack", "card", "photo"}
    assert found.confidence == 0.0


@pytest.mark.parametrize("searches", [1, 2, 3, 4])
def test_a_story_takes_no_more_searches_than_allowed(tales, searches):
    found = asyncio.run(tales.story(Query(STORY, k=5), searches=searches))
    assert len(found.hits) == 5
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("text", ["", " \n", "?!", "ok", "a" * 50_000, "- \n- \n**"])
def test_any_story_is_read_without_a_fault(tales, text):
    assert len(asyncio.run(tales.story(Query(text, k=4))).hits) in (0, 4)
