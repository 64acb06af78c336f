"""Consent taken back: in words and by buttons, whoever holds the conversation; and buttons that came too late."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.domain import Action, Answered, Held, Waiting
from agent.withdrawal import meant, withdrawn
from tests.agent.test_turn import CLOCK, PACK, card, decide, situation
from tools.context import Language

LIVE = frozenset({"orders:read", "orders:write", "memory"})


@pytest.mark.parametrize(
    ("text", "matters"),
    [
        ("отзываю согласие", set()),
        ("Хочу отозвать согласие на обработку персональных данных", set()),
        ("я отзываю все свои согласия", set()),
        ("прекратите обработку моих персональных данных", set()),
        ("Не используйте мои данные!", set()),
        ("больше не смотрите мои заказы", {"orders"}),
        ("отзываю разрешение смотреть заказы", {"orders"}),
        ("отзываю согласие на рассылку", {"marketing"}),
        ("отпишите меня от рассылки", {"marketing"}),
        ("не запоминайте ничего обо мне", {"memory"}),
        ("не передавайте мои вопросы внешней модели", {"model"}),
        ("отключите уведомления", {"notices"}),
        ("не смотрите мой профиль, пожалуйста", {"profile"}),
        ("не учитывайте мои покупки", {"personalisation"}),
        ("не смотрите мои заказы\nи не присылайте рекламу", {"orders", "marketing"}),
        ("не смотрите мои заказы\nотзываю согласие", set()),
        ("I withdraw my consent", set()),
        ("stop using my data", set()),
        ("please don't share my data", set()),
        ("I want to withdraw consent for marketing", {"marketing"}),
        ("Stop looking at my orders", {"orders"}),
        ("unsubscribe me", {"marketing"}),
        ("don't remember me", {"memory"}),
        ("stop sending my data to external models", {"model"}),
        ("turn off notifications", {"notices"}),
    ],
)
def test_what_a_message_takes_back(text: str, matters: set[str]) -> None:
    assert withdrawn(text) == matters


@pytest.mark.parametrize(
    "text",
    [
        "как отозвать согласие?",
        "how do I withdraw my consent?",
        "отмените мой заказ",
        "не могу посмотреть мои заказы",
        "отзываю заявку на возврат",
        "не отменяйте заказ",
        "не присылайте курьера сегодня",
        "я не давал согласия на обмен",
        "мне не пришли уведомления",
        "cancel my order",
        "I can't see my orders",
        "do not send the parcel",
        "",
    ],
)
def test_what_takes_nothing_back(text: str) -> None:
    assert withdrawn(text) is None


def test_nothing_named_or_nothing_known_is_everything_that_is_live() -> None:
    assert meant([], PACK.purposes, live=LIVE) == ("orders:read", "orders:write", "memory")
    assert meant(["surveillance"], PACK.purposes, live=LIVE) == ("orders:read", "orders:write", "memory")
    assert meant(["orders"], PACK.purposes, live=[]) == ("orders:read", "orders:write")
    legal = {name: purpose.model_copy(update={"basis": "legal"}) for name, purpose in PACK.purposes.items()}
    assert meant([], legal, live=LIVE) == ()


@pytest.mark.parametrize(
    ("text", "stopped", "told"),
    [
        ("отзываю согласие", ["orders:read", "orders:write", "memory"], "ничего о вас не запоминаю"),
        (
            "не смотрите мои заказы",
            ["orders:read", "orders:write"],
            "не смотрю ваши заказы, не меняю ваши заказы",
        ),
        ("не присылайте рекламу", ["marketing"], "не присылаю вам рекламу"),
    ],
)
async def test_words_stop_it_at_once_and_one_sentence_says_what(
    text: str, stopped: list[str], told: str
) -> None:
    ledger, writer = await decide(situation(text, purposes=LIVE))
    assert [(row.purpose, row.granted) for row in ledger.consents] == [(name, False) for name in stopped]
    assert told in ledger.record.replies[0].text
    assert (ledger.record.outcome, writer.asked) == (Answered(), [])


async def test_only_what_had_been_allowed_is_said_to_stop() -> None:
    ledger, _ = await decide(
        situation("отзываю согласие на просмотр заказов", purposes=frozenset({"orders:read"}))
    )
    assert [row.purpose for row in ledger.consents] == ["orders:read", "orders:write"]
    assert "с этой минуты не смотрю ваши заказы." in ledger.record.replies[0].text


async def test_who_allowed_nothing_is_told_so() -> None:
    ledger, _ = await decide(situation("отзываю согласие"))
    assert ledger.consents == []
    assert "нет ваших разрешений" in ledger.record.replies[0].text


async def test_a_change_that_waits_for_a_yes_is_dropped_with_its_purpose() -> None:
    waiting = {"id": "p1", "tool": "order_cancel"}
    ledger, _ = await decide(situation("отзываю согласие", purposes=LIVE, proposal=waiting))
    assert ledger.record.closed_proposal == ("p1", "refused")
    ledger, _ = await decide(situation("не присылайте рекламу", purposes=LIVE, proposal=waiting))
    assert ledger.record.closed_proposal is None


@pytest.mark.parametrize("holder", ["queued", "person"])
@pytest.mark.parametrize(
    "said",
    [{"text": "отзываю согласие"}, {"action": Action(kind="consent", target="memory", yes=False)}],
    ids=["in words", "by button"],
)
async def test_a_withdrawal_is_heard_while_a_person_has_the_conversation(
    holder: str, said: dict[str, object]
) -> None:
    at = situation(**said, purposes=frozenset({"memory"}))  # type: ignore[arg-type]
    held = replace(at, conversation=replace(at.conversation, holder=holder))  # type: ignore[arg-type]
    ledger, writer = await decide(held)
    assert [(row.purpose, row.granted) for row in ledger.consents] == [("memory", False)]
    assert (ledger.record.outcome, ledger.record.holder, writer.asked) == (Held(), holder, [])
    assert "ничего о вас не запоминаю" in ledger.record.replies[0].text


@pytest.mark.parametrize("holder", ["queued", "person"])
@pytest.mark.parametrize("kind", ["consent", "confirm"])
async def test_a_yes_pressed_while_a_person_has_the_conversation_does_nothing_and_says_so(
    holder: str, kind: str
) -> None:
    pressed = Action(kind=kind, target="orders:read")  # type: ignore[arg-type]
    at = situation(action=pressed, history=(card(),), proposal={"id": "orders:read", "tool": "order_cancel"})
    held = replace(at, conversation=replace(at.conversation, holder=holder))  # type: ignore[arg-type]
    ledger, writer = await decide(held)
    assert (ledger.consents, writer.asked, ledger.record.outcome) == ([], [], Held())
    assert "сотрудника" in ledger.record.replies[0].text


PRESSED = Action(kind="consent", target="orders:read")


@pytest.mark.parametrize(
    "more",
    [
        {"history": (), "asked": frozenset({"orders:read"})},
        {"history": (card(text="Чтобы ответить, мне нужно всё."),)},
        {"history": (card("memory"),), "asked": frozenset({"memory", "orders:read"})},
        {"history": (card(),), "chosen": {"orders:read": CLOCK.now() + timedelta(seconds=1)}},
    ],
    ids=["long ago", "other words", "long ago, and another purpose since", "something was chosen since"],
)
async def test_a_stale_yes_allows_nothing_and_is_asked_again_in_todays_words(more: dict[str, object]) -> None:
    ledger, writer = await decide(
        situation(action=PRESSED, question="где заказ?", awaiting="orders:read", **more)
    )
    assert (ledger.consents, writer.asked) == ([], [])
    stale, anew = ledger.record.replies
    assert "уже не действует" in stale.text
    assert anew.text == PACK.purposes["orders:read"].text["ru"]
    assert anew.buttons[0].action == PRESSED
    assert ledger.record.outcome == Waiting(what="consent", target="orders:read")
    assert ledger.record.question == "где заказ?"


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("yes", [True, False])
async def test_the_row_holds_the_words_in_the_language_they_were_shown_in(
    language: Language, yes: bool
) -> None:
    pressed = replace(PRESSED, yes=yes)
    ledger, _ = await decide(situation(action=pressed, history=(card(language=language),)))
    assert [(row.language, row.text) for row in ledger.consents] == [
        (language, PACK.purposes["orders:read"].text[language])
    ]


async def test_a_yes_by_the_api_before_anything_was_asked_is_to_the_text_of_the_moment() -> None:
    ledger, _ = await decide(situation(action=PRESSED))
    assert [row.text for row in ledger.consents] == [PACK.purposes["orders:read"].text["ru"]]


async def test_a_second_press_writes_no_second_row() -> None:
    chosen = {"orders:read": CLOCK.now() + timedelta(seconds=1)}
    at = situation(action=PRESSED, history=(card(),), purposes=frozenset({"orders:read"}), chosen=chosen)
    ledger, _ = await decide(at)
    assert ledger.consents == []
    assert ledger.record.outcome == Answered()


async def test_a_button_for_a_purpose_nobody_knows_is_told_to_mean_nothing() -> None:
    for yes in (True, False):
        ledger, writer = await decide(
            situation(action=Action(kind="consent", target="surveillance", yes=yes))
        )
        assert (ledger.consents, writer.asked) == ([], [])
        assert ledger.record.outcome == Answered()
