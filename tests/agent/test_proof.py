"""What proves who somebody is, found in what they write, and what is shown in its place."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.policy.proof import beside_code, code_in, discreet, tries_contact, wants_code
from agent.policy.standing import after_code, standing
from tools.contacts import Contact, contact_in
from tools.context import Assurance

MAIL = Contact(by="email", value="anna@example.com")
PHONE = Contact(by="phone", value="79000000001")
PROVED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "пришлите код",
            "Пришли мне код, пожалуйста",
            "отправьте код ещё раз",
            "нужен код",
            "новый код",
            "код не пришёл",
        ),
        *(
            "send me a code",
            "Send a new code please",
            "resend the code",
            "I never got the code",
            "e-mail me a code",
        ),
    ],
)
def test_a_wish_for_a_code_is_heard(text: str) -> None:
    assert wants_code(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "промокод не работает",
            "пришлите код товара",
            "какой код у домофона?",
            "где мой заказ 1045?",
            "есть код скидки?",
        ),
        *(
            "send me a promo code",
            "what is the product code?",
            "where is my order?",
            "the discount code does not work",
        ),
    ],
)
def test_another_code_is_not_taken_for_it(text: str) -> None:
    assert not wants_code(text)


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [
        ("123456", "123456", "•••"),
        ("123 456", "123456", "•••"),
        ("１２３４５６", "123456", "•••"),
        ("Код: 123-456.", "123456", "Код: •••."),
        ("my code is 123456", "123456", "my code is •••"),
        ("спасибо\n123456", "123456", "спасибо\n•••"),
        ("123456 и где заказ 1045?", "123456", "••• и где заказ 1045?"),
        ("12345", "malformed", "•••"),
        ("где заказ 1045?", None, "где заказ 1045?"),
        ("заказ 123456 где?", None, "заказ 123456 где?"),
        ("доставка 12 000 рублей", None, "доставка 12 000 рублей"),
    ],
)
def test_a_code_is_found_and_hidden_and_a_number_of_an_order_is_neither(
    text: str, code: str | None, shown: str
) -> None:
    assert code_in(text) == code
    assert discreet(text, "code") == shown


def test_what_is_said_beside_a_code_is_a_request_of_its_own() -> None:
    assert beside_code("123456 и где заказ 1045?") == "и где заказ 1045?"
    assert beside_code("мой код 123456") == ""


@pytest.mark.parametrize(
    ("text", "contact", "shown"),
    [
        ("Anna@Example.com", MAIL, "•••"),
        ("почта anna@example.com, спасибо", MAIL, "почта •••, спасибо"),
        ("+7 (900) 000-00-01", PHONE, "•••"),
        ("8 900 000 00 01", PHONE, "•••"),
        ("anna@example.com или boris@example.com", None, "••• или •••"),
        ("заказ 1045", None, "заказ 1045"),
    ],
)
def test_a_contact_is_found_and_hidden(text: str, contact: Contact | None, shown: str) -> None:
    assert contact_in(text) == contact
    assert discreet(text, "contact") == shown


@pytest.mark.parametrize(
    ("text", "tries"),
    [
        ("anna@example", True),
        ("8 900 00", True),
        ("девятьсот", False),
        ("где заказ 1045?", False),
        ("не хочу", False),
    ],
)
def test_a_slip_in_a_contact_is_told_from_another_matter(text: str, tries: bool) -> None:
    assert contact_in(text) is None
    assert tries_contact(text) is tries


def test_what_nobody_waits_for_stays_as_it_was_written() -> None:
    for text in ("123456", "мой телефон +7 900 000-00-01", "anna@example.com"):
        assert discreet(text, "") == text
    assert discreet("пришлите код на anna@example.com", "") == "пришлите код на •••"


@pytest.mark.parametrize(
    ("assurance", "hours", "left"),
    [
        ("verified", 23.9, "verified"),
        ("verified", 24, "channel"),
        ("stepped_up", 0.2, "stepped_up"),
        ("stepped_up", 0.25, "verified"),
        ("stepped_up", 24, "channel"),
        ("anonymous", 99, "anonymous"),
    ],
)
def test_what_a_code_proved_fades(assurance: Assurance, hours: float, left: Assurance) -> None:
    now = PROVED + timedelta(hours=hours)
    lasts = {"verified_for": timedelta(hours=24), "stepped_up_for": timedelta(minutes=15)}
    assert standing(assurance, proved=PROVED, now=now, **lasts) == left
    assert standing(assurance, proved=None, now=now, **lasts) == assurance


def test_a_code_of_who_was_known_is_one_step_more() -> None:
    assert [after_code(a) for a in ("anonymous", "channel", "verified", "stepped_up")] == [
        "verified",
        "verified",
        "stepped_up",
        "stepped_up",
    ]
