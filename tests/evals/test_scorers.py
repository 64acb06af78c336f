"""Every scorer holds and fails: an expectation that cannot fail protects nothing."""

from typing import Any

import pytest

from agent.cards import Card, Step
from agent.records.codec import cards_json
from evals.case import EXPECTATIONS, CardLike
from evals.scorers import SCORERS, Seen, score
from tests.evals.fake_house import answer, button, cited

PASSED_ON = {"reason": "not_sure", "department": "returns", "partial": False}
OPEN = {"what": "consent", "target": "orders:read"}
READ = {"what": "orders", "purpose": "orders:read", "tool": "order_status"}
CALLED = [{"name": "order_status", "ok": True, "fault": ""}]

PARCEL = CardLike(kind="tracking", says=(("1045-А",), ("в пути", "on its way"), ("24\u00a0ноября",)))


def carded(**more: Any) -> dict[str, Any]:
    """A card as the answer object has it."""
    step = Step(name="delivered", label="Доставлен", state="ahead", when="ждём 24 ноября")
    usual = Card(kind="tracking", subject="1045-А", title="Заказ 1045-А", state="В пути", steps=(step,))
    return cards_json([usual])[0] | more


BOTH_WAYS: list[tuple[str, Any, dict[str, Any], dict[str, Any]]] = [
    ("outcome", ("answered",), answer(), answer(outcome="declined")),
    ("outcome", ("answered", "clarify"), answer(outcome="clarify"), answer(outcome="held")),
    ("language", "ru", answer(), answer(language="en")),
    ("says", (("14 дней",),), answer("Вернуть можно за 14\u00a0ДНЕЙ."), answer("Вернуть можно за 15 дней.")),
    ("says", (("счёт",),), answer("На счет."), answer("На карту.")),
    ("says", (("а",), ("б", "в")), answer("а в"), answer("а г")),
    ("says", (), answer(""), answer("слово")),
    ("never_says", ("Борис",), answer("Заказа нет."), answer("Заказ БОРИСА.")),
    ("never_says", ("тайна",), answer("Да."), answer("Да.", buttons=[button("Тайна")])),
    ("never_says", ("тайна",), answer("Да."), answer("Да.", citations=[cited("a", "тут тайна")])),
    (
        "cites",
        (("returns",),),
        answer(citations=[cited("returns"), cited("b")]),
        answer(citations=[cited("b")]),
    ),
    ("cites", (("a", "b"),), answer(citations=[cited("b")]), answer()),
    ("cites", (), answer(), answer(citations=[cited("a")])),
    ("never_cites", ("staff",), answer(citations=[cited("a")]), answer(citations=[cited("staff")])),
    ("buttons", (("разрешить",),), answer(buttons=[button("Разрешить")]), answer(buttons=[button("Нет")])),
    ("buttons", (), answer(), answer(buttons=[button("Нет")])),
    ("cards", (PARCEL,), answer(cards=[carded()]), answer()),
    ("cards", (PARCEL,), answer(cards=[carded()]), answer(cards=[carded(kind="order")])),
    ("cards", (PARCEL,), answer(cards=[carded()]), answer(cards=[carded(), carded()])),
    ("cards", (PARCEL,), answer(cards=[carded()]), answer(cards=[carded(state="Собран")])),
    ("cards", (), answer(), answer(cards=[carded()])),
    ("never_says", ("тайна",), answer("Да.", cards=[carded()]), answer("Да.", cards=[carded(state="Тайна")])),
    ("tools_called", ("order_status",), answer(tools=CALLED), answer()),
    ("tools_called", (), answer(), answer(tools=CALLED)),
    ("tools_not_called", ("order_status",), answer(), answer(tools=CALLED)),
    ("data_used", ("orders:read",), answer(data_used=[READ, READ]), answer()),
    ("data_used", (), answer(), answer(data_used=[READ])),
    ("waiting", ("orders:read",), answer(waiting=OPEN), answer()),
    ("waiting", ("consent",), answer(waiting=OPEN), answer(waiting={"what": "confirmation", "target": "p"})),
    ("waiting", ("nothing",), answer(), answer(waiting=OPEN)),
    ("handoff", ("not_sure",), answer(handoff=PASSED_ON), answer()),
    ("handoff", ("none",), answer(), answer(handoff=PASSED_ON)),
    ("department", ("returns", "care"), answer(handoff=PASSED_ON), answer()),
    ("ticket", True, answer(handoff=PASSED_ON), answer()),
    ("ticket", False, answer(), answer(handoff=PASSED_ON)),
    ("same_text_as", 1, answer("первый"), answer("второй")),
]


@pytest.mark.parametrize(("name", "wanted", "good", "bad"), BOTH_WAYS)
def test_a_scorer_holds_and_fails(name: str, wanted: Any, good: dict[str, Any], bad: dict[str, Any]) -> None:
    earlier = (answer("первый"),)
    (held,) = score({name: wanted}, Seen(answer=good, earlier=earlier))
    (failed,) = score({name: wanted}, Seen(answer=bad, earlier=earlier))
    assert held.ok
    assert not failed.ok
    assert failed.expected
    assert failed.got or wanted == (("а",), ("б", "в"))


def test_every_expectation_has_a_scorer_that_is_tried_both_ways() -> None:
    assert set(SCORERS) == set(EXPECTATIONS) == {row[0] for row in BOTH_WAYS}


def test_an_answer_that_is_not_there_cannot_be_the_same() -> None:
    (verdict,) = score({"same_text_as": 2}, Seen(answer=answer(), earlier=(answer(),)))
    assert not verdict.ok


@pytest.mark.parametrize(
    ("used", "wanted", "holds"),
    [
        ([READ, {"what": "question", "purpose": "model:external"}], ("orders:read",), True),
        ([READ], ("orders:read",), True),
        ([{"what": "question", "purpose": "model:external"}], (), True),
        ([READ, {"what": "question", "purpose": "model:external"}], (), False),
        ([READ], ("orders:read", "model:external"), False),
    ],
)
def test_what_the_player_allowed_for_its_own_sake_is_no_matter_of_the_receipt(
    used: list[dict[str, Any]], wanted: tuple[str, ...], holds: bool
) -> None:
    seen = Seen(answer=answer(data_used=used), beside=frozenset({"model:external"}))
    (verdict,) = score({"data_used": wanted}, seen)
    assert verdict.ok is holds
