"""Cards in a real browser: what a customer sees of an order, the way of a parcel and a product."""

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from agent.cards import Card, Line, Row, Step
from agent.records.codec import cards_json
from tests.api.widget_browser import chat_frame, open_chat, visitor
from tests.api.widget_server import World

pytestmark = [pytest.mark.browser, pytest.mark.heavy]

TRACKING = Card(
    kind="tracking",
    subject="1045-А",
    title="Заказ 1045-А",
    state="В пути",
    steps=(
        Step(name="placed", label="Оформлен", state="done", when="19 ноября"),
        Step(name="paid", label="Оплачен", state="done", when="19 ноября"),
        Step(name="packed", label="Собран", state="done"),
        Step(name="shipped", label="Отправлен", state="now", when="20 ноября"),
        Step(name="delivered", label="Доставлен", state="ahead", when="ждём 24 ноября"),
    ),
    rows=(
        Row(name="carrier", label="Перевозчик", value="Волжский курьер"),
        Row(name="tracking", label="Трек-номер", value="FNR792165583"),
    ),
    link="https://fonar.example/track/FNR792165583",
    link_label="Отследить посылку",
)
ORDER = Card(
    kind="order",
    subject="1045-А",
    title="Заказ 1045-А",
    state="Задерживается",
    tone="late",
    lines=(
        Line(title="Налобный фонарь «Полюс 1000»", value="3 990 ₽"),
        Line(title="Аккумулятор 18650 с защитой, 3500 мА·ч", note="2 × 790 ₽", value="1 580 ₽"),
    ),
    rest="и ещё 2 товара",
    rows=(
        Row(name="delivery", label="Доставка", value="290 ₽"),
        Row(name="total", label="Итого", value="5 860 ₽"),
        Row(name="payment", label="Оплата", value="картой ··12, оплачен"),
    ),
    more="И ещё 3 заказа",
)
PRODUCT = Card(
    kind="product",
    subject="FN-101",
    title="Налобный фонарь «Тропа 200»",
    state="В наличии",
    tone="good",
    lines=(Line(title="чёрный", value="16 штук"), Line(title="оранжевый", value="9 штук")),
    rows=(
        Row(name="price", label="Цена", value="990 ₽"),
        Row(name="rating", label="Оценка", value="5 из 5 · 2 отзыва"),
    ),
)
LONG = Card(
    kind="order",
    subject="9",
    title="Заказ " + "9" * 60,
    state="Готовим к отправке " * 4,
    lines=(Line(title="Ч" * 90, note="1" * 60, value="1 234 567 890,00 ₽"),),
    rows=(Row(name="tracking", label="Трек-номер", value="F" * 80),),
)


def told(world: World, *cards: Card, text: str = "Заказ 1045-А в пути, ждём 24 ноября.") -> None:
    world.talk.say("ai", text, turn="t5", cards=cards_json(cards))


def chat(page: Page, world: World) -> Frame:
    return open_chat(page, f"{world.address}/shop")


def test_a_customer_sees_where_the_parcel_is_and_what_is_still_to_come(page: Page, world: World) -> None:
    frame = chat(page, world)
    told(world, TRACKING)
    card = frame.get_by_role("article", name="Заказ 1045-А")
    expect(card.locator("h2")).to_have_text("Заказ 1045-А")
    expect(card.locator(".state")).to_have_text("В пути")
    steps = card.get_by_role("list", name="Путь заказа").get_by_role("listitem")
    expect(steps).to_have_text(
        [
            "Оформлен, пройдено19 ноября",
            "Оплачен, пройдено19 ноября",
            "Собран, пройдено",
            "Отправлен, сейчас здесь20 ноября",
            "Доставлен, впередиждём 24 ноября",
        ]
    )
    assert [step.get_attribute("aria-current") for step in steps.all()] == [None, None, None, "step", None]
    assert card.locator("dl div").all_text_contents() == [
        "ПеревозчикВолжский курьер",
        "Трек-номерFNR792165583",
    ]


def test_the_way_to_the_carrier_opens_elsewhere_and_can_be_reached_by_key(page: Page, world: World) -> None:
    frame = chat(page, world)
    told(world, TRACKING)
    link = frame.get_by_role("link", name="Отследить посылку")
    expect(link).to_have_attribute("href", "https://fonar.example/track/FNR792165583")
    assert link.get_attribute("target") == "_blank"
    assert "noopener" in (link.get_attribute("rel") or "")
    box = link.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    link.focus()
    assert frame.evaluate("document.activeElement.className") == "follow"


def test_an_order_is_a_bill_with_items_sums_and_what_is_not_shown(page: Page, world: World) -> None:
    frame = chat(page, world)
    told(world, ORDER)
    card = frame.get_by_role("article", name="Заказ 1045-А")
    expect(card.locator(".state.late")).to_have_text("Задерживается")
    assert card.locator(".state.late svg").count() == 1, "a state is no colour alone"
    assert card.locator(".lines li").all_text_contents() == [
        "Налобный фонарь «Полюс 1000»3 990 ₽",
        "Аккумулятор 18650 с защитой, 3500 мА·ч2 × 790 ₽1 580 ₽",
        "и ещё 2 товара",
    ]
    expect(card.locator('[data-name="total"] dd')).to_have_text("5 860 ₽")
    expect(frame.locator(".results-more")).to_have_text("И ещё 3 заказа")


def test_a_product_shows_its_price_before_what_there_is_to_choose(page: Page, world: World) -> None:
    frame = chat(page, world)
    told(world, PRODUCT, text="«Тропа 200» стоит 990 ₽.")
    card = frame.get_by_role("article", name="Налобный фонарь «Тропа 200»")
    text = card.inner_text()
    assert text.index("990 ₽") < text.index("чёрный")
    assert card.locator(".lines li").all_text_contents() == ["чёрный16 штук", "оранжевый9 штук"]


def test_cards_are_there_again_after_a_reload(page: Page, world: World) -> None:
    frame = chat(page, world)
    told(world, TRACKING, PRODUCT)
    expect(frame.locator(".result")).to_have_count(2)
    page.reload()
    again = chat_frame(page)
    expect(again.locator(".result")).to_have_count(2)
    expect(again.locator(".result h2")).to_have_text(["Заказ 1045-А", "Налобный фонарь «Тропа 200»"])
    expect(again.locator('[data-author="ai"]').last).to_contain_text("Заказ 1045-А в пути, ждём 24 ноября.")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "card", [TRACKING, ORDER, PRODUCT, LONG], ids=lambda card: f"{card.kind}-{card.subject}"
)
def test_nothing_of_a_card_is_cut_off_on_the_smallest_phone(
    browser: Browser, world: World, card: Card, theme: Any
) -> None:
    with visitor(browser, viewport={"width": 320, "height": 640}, color_scheme=theme) as context:
        frame = chat(context.new_page(), world)
        told(world, card)
        shown = frame.locator(".result")
        expect(shown).to_be_visible()
        wide = shown.evaluate(
            """card => [card, ...card.querySelectorAll("*")].filter((one) => {
                 if (one.closest(".unseen") || one.closest("svg")) return false;
                 const box = one.getBoundingClientRect();
                 return box.right > innerWidth || box.left < 0 || one.scrollWidth > Math.ceil(box.width) + 1;
               }).map((one) => one.className || one.localName)"""
        )
        assert wide == []
        assert frame.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"kind": "bomb", "title": "x"},
        {"kind": "order", "lines": "x", "rows": None, "steps": 5},
        {"kind": "tracking", "title": {"a": 1}, "steps": [None, {"state": "gone"}], "rows": [[]]},
        {"kind": "order", "title": "x", "link": "javascript:alert(1)", "link_label": "press"},
    ],
)
def test_what_is_no_card_breaks_no_chat(page: Page, world: World, odd: Mapping[str, Any]) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    frame = chat(page, world)
    world.talk.say("ai", "Ответ цел.", turn="t5", cards=[odd])
    expect(frame.locator('[data-author="ai"]').last).to_contain_text("Ответ цел.")
    expect(frame.locator(".follow")).to_have_count(0)
    assert errors == []


def test_a_card_is_text_whatever_it_holds(page: Page, world: World) -> None:
    frame = chat(page, world)
    markup = '<img src=x onerror="window.__xss=1">'
    line = Line(title=markup, note=markup, value=markup)
    row = Row(name=markup, label=markup, value=markup)
    step = Step(name="placed", label=markup, state="now", when=markup)
    told(
        world,
        Card(
            kind="order", subject="1", title=markup, state=markup, lines=(line,), rows=(row,), steps=(step,)
        ),
    )
    expect(frame.locator(".result h2")).to_have_text(markup)
    assert frame.locator(".result img").count() == 0
    assert frame.evaluate("window.__xss") is None
    assert frame.evaluate("window.__violations") == []
