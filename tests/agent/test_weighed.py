"""A sentence held against evidence by the fitted judge: words laid beside each other, vetoes, thresholds."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from agent.alignment import Word, aligned, meaningful, read, relation
from agent.closeness import close_to
from agent.domain import Evidence, Sentence
from agent.grounding import verify
from agent.pairing import Signs
from agent.signs import signs_of
from agent.weighed import weigh
from agent.weighing import DIFFERENCE, Judge, Line, Thresholds, is_plain, judge_of
from knowledge.embed.fake import FakeEmbedder
from knowledge.embed.port import Embedder, Vectors

ENCODER = close_to(FakeEmbedder())
TEXT = "Курьер по Казани стоит 290 ₽, по области — 450 ₽. Заказ привозим утром. Вернуть лампочки нельзя."


class Counted:
    """An embedder that remembers how often it was asked."""

    def __init__(self, inner: Embedder) -> None:
        self.inner, self.asked = inner, 0

    name = property(lambda self: self.inner.name)
    dim = property(lambda self: self.inner.dim)

    def queries(self, texts: Sequence[str]) -> Vectors:
        self.asked += 1
        return self.inner.queries(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self.inner.passages(texts)


def judge(**weights: float) -> Judge:
    """A judge that looks at the signs named only."""
    names = (*sorted(signs(TEXT)), DIFFERENCE)
    line = Line(weights=np.array([weights.get(name, 0.0) for name in names]), intercept=-5.0)
    nothing = Line(weights=np.zeros(2 * FakeEmbedder().dim + 1), intercept=0.0)
    limits = Thresholds(other=0.5, plain=0.2, numbers=0.05)
    return Judge(encoder=ENCODER.name, names=names, difference=nothing, line=line, thresholds=limits)


def signs(said: str) -> Signs:
    return signs_of(said, TEXT, "Доставка", encoder=ENCODER).signs


def test_a_word_is_found_by_its_stem_by_its_form_and_as_a_name_in_the_other_script() -> None:
    given = read(TEXT, "", ENCODER)
    words = meaningful("Курьера из Kazan вернули")
    close = aligned(words, given, ENCODER)
    found = {word.text: close[n].max() for n, word in enumerate(words)}
    assert found["курьера"] == found["kazan"] == found["вернули"] == 1.0


def test_two_values_of_one_matter_are_far_apart_whatever_the_encoder_says() -> None:
    assert relation(Word("вечером", "вечер"), Word("утром", "утр")) == "apart"
    assert relation(Word("наличными", "наличн"), Word("cash", "cash")) == "same"
    given = read("Заказ привозим утром.", "", ENCODER)
    close = aligned(meaningful("Заказ привозим вечером"), given, ENCODER)
    column = [word.text for word in given.words].index("утром")
    assert close[2, column] <= 0.2


def test_another_value_of_a_matter_is_counted_and_the_same_one_is_not() -> None:
    assert signs("Заказ привозим вечером.")["matters_sentence"] == 1.0
    assert signs("Заказ привозим утром.")["matters_sentence"] == 0.0


def test_words_and_numbers_of_one_clause_are_plain_and_those_of_two_are_not() -> None:
    assert is_plain(signs("Курьер по Казани стоит 290 ₽."))
    assert not is_plain(signs("Курьер по Казани стоит 450 ₽."))
    assert not is_plain(signs("Вернуть лампочки можно."))


def test_no_probability_outweighs_a_number_or_a_name_the_evidence_does_not_have() -> None:
    sure = judge(words=100.0)
    counted = Counted(FakeEmbedder())
    item = Evidence(ref="d#1", kind="passage", title="Доставка", text=TEXT, document="d")
    for said, objection in (
        ("Курьер по Казани стоит 310 ₽.", "number"),
        ("Курьер в город Омск стоит 290 ₽.", "unsupported"),
    ):
        found = weigh(said, item, near=True, encoder=close_to(counted), judge=sure)
        assert (found.objection, found.probability) == (objection, 0.0)
    assert counted.asked == 0
    assert (
        weigh("Курьер по Казани стоит 290 ₽.", item, near=True, encoder=ENCODER, judge=sure).objection is None
    )


def test_a_tool_result_carries_no_state_it_does_not_name() -> None:
    item = Evidence(ref="tool:order:1", kind="tool", title="order", text="Заказ 1051 собран и ждёт отправки.")
    sure = judge(words=100.0)
    said = "Заказ 1051 отменён."
    assert weigh(said, item, near=True, encoder=ENCODER, judge=sure).objection == "negation"
    other = replace(item, kind="passage")
    assert weigh(said, other, near=True, encoder=ENCODER, judge=sure).objection is None


def test_below_its_threshold_a_sentence_of_other_matters_is_unsupported_so_that_other_evidence_is_tried() -> (
    None
):
    item = Evidence(ref="d#1", kind="passage", title="Доставка", text=TEXT, document="d")
    never = judge()
    said = "Вернуть лампочки можно."
    assert weigh(said, item, near=True, encoder=ENCODER, judge=never).objection == "negation"
    assert weigh(said, item, near=False, encoder=ENCODER, judge=never).objection == "unsupported"


def test_evidence_is_read_once() -> None:
    counted = Counted(FakeEmbedder())
    encoder = close_to(counted)
    read(TEXT, "", encoder)
    before = counted.asked
    read(TEXT, "", encoder)
    assert counted.asked == before


def test_an_encoder_nobody_fitted_a_judge_for_is_judged_by_rules() -> None:
    assert judge_of(ENCODER.name) is None
    item = Evidence(ref="d#1", kind="passage", title="Доставка", text=TEXT, document="d")
    verdict = verify(
        Sentence(text="Лампочки вернуть нельзя.", refs=("d#1",)), {"d#1": item}, similarity=ENCODER
    )
    assert verdict.ok


@pytest.mark.parametrize("field", ["names", "difference", "line"])
def test_the_fitted_judge_has_a_weight_for_every_sign(field: str) -> None:
    fitted = judge_of("use:multilingual-v3")
    assert fitted is not None
    assert set(fitted.names) == {*signs(TEXT), DIFFERENCE}
    width = {"names": len(fitted.names), "difference": 2 * 512 + 1, "line": len(fitted.names)}[field]
    found = fitted.names if field == "names" else getattr(fitted, field).weights
    assert len(found) == width
    assert 0 < fitted.thresholds.numbers <= fitted.thresholds.plain <= fitted.thresholds.other < 1
