"""Which sentences state nothing, and which only look like it."""

import pytest

from agent.policy.courtesy import is_courtesy


@pytest.mark.parametrize(
    "said",
    [
        "Рады помочь!",
        "Надеюсь, эта информация вам помогла.",
        "Если остались вопросы, пишите!",
        "Обращайтесь, если понадобится помощь.",
        "Хорошего вам дня!",
        "Вот что я нашёл:",
        "I hope this helps!",
        "Please let me know if you have further questions.",
        "Is there anything else you need?",
        "Thank you!",
    ],
)
def test_what_states_nothing_is_a_courtesy(said: str) -> None:
    assert is_courtesy(said)


@pytest.mark.parametrize(
    "said",
    [
        "Доставка бесплатна.",
        "Рады помочь за 500 ₽.",
        "С этим вопросом помочь не сможем.",
        "Если остались вопросы, приезжайте в магазин.",
        "Хорошего дня, ваш заказ отменён!",
        "Напишите нам, и мы вернём деньги.",
        "Пишите Анне Петровой.",
        "I hope the refund helps.",
        "We can not help you with this.",
        "Have a nice day, shipping is free!",
        "Let us know within two weeks.",
    ],
)
def test_a_polite_sentence_that_states_something_is_none(said: str) -> None:
    assert not is_courtesy(said)
