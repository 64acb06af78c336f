"""A wish about one's own order picks a tool; a question about the rules stays one for the documents."""

import pytest

from agent.extractive import offers
from agent.intents import Documented, Reading
from tests.tools.shop import toolbox
from tools.context import Language

OFFERS = tuple(offer for tool in toolbox().tools() for offer in offers(tool))


def chosen(text: str, language: Language, fit: float) -> str | None:
    reading = Reading(
        language=language, offers=OFFERS, documented=lambda _: Documented(fit=fit, topic=fit), similarity=None
    )
    intent = reading.intent(text)
    return intent.offer.tool if intent else None


@pytest.mark.parametrize("fit", [0.0, 0.9])
@pytest.mark.parametrize(
    ("language", "text", "tool"),
    [
        ("ru", "верните деньги за заказ 1045", "return_items"),
        ("ru", "Хочу вернуть лампу из заказа 1045", "return_items"),
        ("ru", "оформите возврат по заказу 1081", "return_items"),
        ("ru", "обменяйте лампу из заказа 1081 на зелёную", "exchange_items"),
        ("ru", "поменяйте фонарь в заказе 1051 на зелёный", "change_items"),
        ("ru", "смените способ оплаты заказа 1051 на подарочную карту", "change_payment"),
        ("ru", "поменяйте адрес заказа 1051 на Бор, ул. Новая, 5", "change_address"),
        ("ru", "мои способы оплаты", "my_payment_methods"),
        ("ru", "отмените заказ 1051 и верните деньги", "cancel_order"),
        ("ru", "где мои деньги за заказ 1045", "order_status"),
        ("en", "I want to return the lamp from order 1081", "return_items"),
        ("en", "refund order 1045", "return_items"),
        ("en", "exchange the headlamp from order 1081 for orange", "exchange_items"),
        ("en", "change the payment method of order 1093 to my PayPal", "change_payment"),
        ("en", "update my home address to 5 River Street, Kazan", "change_home_address"),
    ],
)
def test_a_wish_about_an_own_order_picks_its_tool(
    language: Language, text: str, tool: str, fit: float
) -> None:
    assert chosen(text, language, fit) == tool


@pytest.mark.parametrize("fit", [0.0, 0.9])
@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ru", "Как вернуть товар?"),
        ("ru", "как вернуть деньги за заказ?"),
        ("ru", "можно вернуть товар из заказа?"),
        ("ru", "хочу вернуть товар"),
        ("ru", "Сколько дней на возврат?"),
        ("ru", "когда вернутся деньги на карту?"),
        ("ru", "Можно ли вернуть подарочную карту?"),
        ("ru", "как обменять товар из заказа"),
        ("ru", "можно обменять товар?"),
        ("ru", "какие у вас способы оплаты"),
        ("ru", "как сменить способ оплаты?"),
        ("ru", "какие варианты доставки есть?"),
        ("en", "How do I return an item?"),
        ("en", "how long do refunds take?"),
        ("en", "which payment methods do you accept?"),
        ("en", "can I return a lamp?"),
    ],
)
def test_a_question_about_the_rules_picks_none(language: Language, text: str, fit: float) -> None:
    assert chosen(text, language, fit) is None
