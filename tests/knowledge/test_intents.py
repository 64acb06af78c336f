"""A message is put where its examples are, and one that is like none of them is known to be outside."""

import numpy as np
import pytest

from knowledge.embed.fake import FakeEmbedder
from knowledge.errors import BadRecords
from knowledge.rank.intents import Intents, Wording

EXAMPLES = {
    "delivery": ["где мой заказ", "когда привезут заказ", "курьер не приехал", "сколько идёт доставка"],
    "returns": ["хочу вернуть товар", "как оформить возврат", "верните деньги за фонарь"],
    "warranty": [
        "сломался светильник по гарантии",
        "сколько длится гарантия",
        "лампа перегорела, нужен ремонт",
    ],
}
OUTSIDE = ["какая завтра погода", "расскажи анекдот", "кто выиграл чемпионат мира"]


def learned(*, outside: tuple[str, ...] = (), embedders: int = 1) -> Intents:
    texts = [text for texts in EXAMPLES.values() for text in texts]
    labels: list[str | None] = [label for label, texts in EXAMPLES.items() for _ in texts]
    return Intents.learn(
        [*texts, *outside],
        [*labels, *[None] * len(outside)],
        embedders=[FakeEmbedder() for _ in range(embedders)],
    )


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Где же мои заказы?", "delivery"),
        ("курьера всё нет", "delivery"),
        ("возврат товара", "returns"),
        ("гарантийный ремонт лампы", "warranty"),
    ],
)
@pytest.mark.parametrize("embedders", [0, 1, 2])
def test_other_endings_and_words_lead_to_the_same_intent(text, label, embedders):
    assert learned(embedders=embedders).guess([text])[0].label == label


def test_what_is_like_no_example_scores_below_what_is():
    model = learned()
    inside = [
        guess.in_scope
        for guess in model.guess(["когда приедет курьер", "вернуть деньги", "гарантия на лампу"])
    ]
    outside = [guess.in_scope for guess in model.guess(["рецепт борща", "курс доллара", "зыввфпук"])]
    assert min(inside) > max(outside)


def test_examples_of_what_is_outside_push_their_like_further_out():
    text = "какая погода завтра вечером"
    plain, warned = learned(), learned(outside=tuple(OUTSIDE))
    gap = plain.guess(["где заказ"])[0].in_scope - plain.guess([text])[0].in_scope
    wider = warned.guess(["где заказ"])[0].in_scope - warned.guess([text])[0].in_scope
    assert wider > gap
    assert set(warned.labels) == set(EXAMPLES)


def test_the_order_of_the_examples_does_not_matter():
    texts = [text for texts in EXAMPLES.values() for text in texts]
    labels = [label for label, texts in EXAMPLES.items() for _ in texts]
    asked = ["где заказ", "борщ", "гарантия"]
    there = Intents.learn(texts, labels, embedders=[FakeEmbedder()]).guess(asked)
    back = Intents.learn(texts[::-1], labels[::-1], embedders=[FakeEmbedder()]).guess(asked)
    assert [guess.label for guess in there] == [guess.label for guess in back]
    assert [guess.in_scope for guess in there] == pytest.approx([guess.in_scope for guess in back], abs=1e-4)


def test_more_examples_than_dimensions_give_the_same_answer_as_the_other_way_of_solving():
    from knowledge.rank.intents import _ridge

    rng = np.random.default_rng(0)
    rows, wanted = rng.normal(size=(40, 30)).astype(np.float32), rng.normal(size=(40, 3)).astype(np.float32)
    tall, base = _ridge(rows, wanted)
    padded, padded_base = _ridge(np.pad(rows, ((0, 0), (0, 20))), wanted)
    assert padded[:30] == pytest.approx(tall, abs=1e-3)
    assert padded_base == pytest.approx(base, abs=1e-3)


@pytest.mark.parametrize("text", ["", "   ", "?!", "🙂", "ы" * 50_000])
def test_any_text_gets_a_finite_score(text):
    guess = learned().guess([text])[0]
    assert guess.label in EXAMPLES
    assert np.isfinite(guess.in_scope)


def test_one_intent_alone_can_be_learned_and_none_cannot():
    one = Intents.learn(["где заказ", "когда доставка"], ["delivery", "delivery"], embedders=[FakeEmbedder()])
    assert one.guess(["где мой заказ"])[0].in_scope > one.guess(["рецепт борща"])[0].in_scope
    with pytest.raises(BadRecords):
        Intents.learn(["погода"], [None], embedders=[FakeEmbedder()])


def test_rare_words_weigh_more_than_common_ones():
    wording = Wording.of(["заказ пришёл", "заказ ушёл", "заказ потерян"])
    rows = wording.rows(["заказ", "потерян", "заказ потерян"])
    assert rows[2] @ rows[1] > rows[2] @ rows[0]
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=1e-5)
