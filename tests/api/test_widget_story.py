"""The whole conversation in a real browser: what a customer sees from the first word to the last."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.widget_browser import chat_frame, open_chat, say, visitor
from tests.api.widget_server import World

pytestmark = pytest.mark.browser


def test_what_the_ai_says_of_itself_before_an_answer_is_no_answer_to_be_rated(
    page: Page, world: World
) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    world.quiet = True
    say(frame, "Вы робот? Где заказ?")
    expect(frame.locator(".entry.customer")).to_have_count(1)
    line, answer = "Да, я программа.", "Заказ 1045-А в пути."
    world.talk.tell("sentence", turn="t9", n=0, text=line, citations=[], opening=True)
    world.talk.tell("sentence", turn="t9", n=1, text=answer, citations=[])
    expect(frame.locator(".entry.writing p")).to_have_text([line, f"{answer} "])
    world.talk.say("ai", line, turn="t9")
    world.talk.say("ai", answer, turn="t9")
    expect(frame.locator(".entry.writing")).to_have_count(0)
    expect(frame.get_by_role("button", name="Ответ помог", exact=True)).to_have_count(1)
    expect(frame.get_by_role("button", name="Какие данные использованы")).to_have_count(1)


def test_the_first_thing_said_is_that_a_program_answers(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    first = frame.locator(".log > *").first
    expect(first).to_contain_text("автоматический помощник магазина «Фонарь»")
    expect(first).to_have_attribute("data-author", "ai")
    expect(frame.locator(".log > *")).to_have_count(1)
    assert frame.locator(".quick").all_text_contents() == [
        "Где мой заказ?",
        "Сколько стоит доставка?",
        "Как вернуть товар?",
    ]


def test_a_customer_gets_an_order_after_consent_and_then_a_person(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    frame.get_by_role("button", name="Где мой заказ?").click()
    card = frame.locator(".card.consent")
    expect(card).to_contain_text("мне нужно посмотреть ваши заказы")
    expect(card).to_contain_text("Скажу, где заказ")
    yes, no = card.locator(".equal").all()
    assert yes.bounding_box()["width"] == pytest.approx(no.bounding_box()["width"], abs=1)  # type: ignore[index]
    assert yes.evaluate("b => getComputedStyle(b).backgroundColor") == no.evaluate(
        "b => getComputedStyle(b).backgroundColor"
    )
    card.get_by_role("button", name="Подробнее").click()
    expect(card).to_contain_text("Редакция текста: 1 ноября 2026")

    yes.click()
    expect(frame.locator(".log")).to_contain_text("Заказ 1045-А в пути, ждём 24 ноября.")
    expect(card).to_have_count(0)
    frame.get_by_role("button", name="Источник 1: Доставка по России").first.click()
    panel = frame.locator("dialog")
    expect(panel.locator(".passage")).to_contain_text("Курьер приезжает с 10:00 до 21:00")
    expect(panel.locator("mark")).to_have_text("звонит за час")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()

    frame.get_by_role("button", name="Какие данные использованы").last.click()
    expect(panel).to_contain_text("Ваши заказы: номер заказа")
    expect(panel).to_contain_text("Основание — ваше согласие")
    panel.get_by_role("button", name="редакция 2").click()
    expect(panel.locator(".passage")).to_contain_text("Курьер приезжает с 10:00 до 21:00")
    page.keyboard.press("Escape")
    frame.get_by_role("button", name="Какие данные использованы").last.click()
    expect(panel).to_contain_text("91 %")
    page.keyboard.press("Escape")
    frame.get_by_role("button", name="Ответ помог", exact=True).click()
    expect(frame.locator(".thanks")).to_have_text("Спасибо за оценку")

    frame.locator(".call").click()
    expect(frame.locator(".queue")).to_contain_text("Ждём сотрудника")
    world.talk.hand("person", operator="Мария")
    world.talk.say("person", "Здравствуйте, это Мария.", name="Мария")
    bubble = frame.locator('[data-author="person"]')
    expect(bubble).to_contain_text("Мария")
    expect(bubble.locator(".chip")).to_have_text("человек")
    expect(frame.locator(".head .chip")).to_have_text("человек")
    world.talk.tell("status", turn="t8", text="ищу ваш заказ…")
    page.wait_for_timeout(300)
    expect(frame.locator(".status")).to_have_text("")

    world.talk.hand("closed")
    world.talk.tell("csat", turn="t9")
    frame.locator(".card.closed").get_by_role("button", name="Да").click()
    expect(frame.locator(".card.closed")).to_contain_text("Спасибо за оценку")
    kinds = [post["action"]["kind"] for post in world.posts if "action" in post]
    assert kinds == ["say", "consent", "rate", "person", "rate"]
    assert world.posts[-1]["action"] == {"kind": "rate", "target": "t9", "yes": True}


def test_over_every_message_stands_whether_an_ai_or_a_person_speaks(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    expect(frame.locator(".quick")).to_have_count(3)
    talk = world.talk
    talk.say("ai", "Ещё одно.")
    talk.say("ai", "И ещё.")
    talk.say("person", "Здравствуйте.", name="Ольга")
    talk.say("person", "Посылка у курьера.", name="Ольга")
    expect(frame.locator("[data-author=person]")).to_have_count(2)
    for author, label in (("ai", "ИИ"), ("person", "человек")):
        entries = frame.locator(f"[data-author={author}]")
        assert entries.count() >= 2
        for n in range(entries.count()):
            chip = entries.nth(n).locator(f".who .chip.{author}")
            expect(chip).to_be_visible()
            expect(chip).to_have_text(label)


def test_sentences_appear_one_by_one_and_the_message_replaces_them(page: Page, world: World) -> None:
    world.pause = 0.2
    frame = open_chat(page, f"{world.address}/shop")
    say(frame, "Сколько стоит доставка?")
    expect(frame.locator(".status")).to_have_text("смотрю в документах…")
    writing = frame.locator(".writing")
    expect(writing).to_contain_text("Курьер по Нижнему Новгороду стоит 290 ₽.")
    expect(writing).to_have_attribute("aria-live", "off")
    expect(frame.locator(".status")).to_have_text("")
    expect(writing).to_have_count(0)
    final = frame.locator('[data-author="ai"]').last
    assert final.locator(".text").inner_text() == (
        "Курьер по Нижнему Новгороду стоит 290 ₽.¹ Если товар не подошёл, вернуть его можно за 14 дней.²"
    )
    assert final.locator(".source-title").all_text_contents() == [
        "Доставка по России · Сроки и цены",
        "Возврат товара",
    ]


def test_after_a_part_of_an_answer_the_call_for_a_person_is_a_message_of_its_own(
    page: Page, world: World
) -> None:
    world.quiet = True
    frame = open_chat(page, f"{world.address}/shop")
    say(frame, "Сколько стоит доставка?")
    expect(frame.locator(".customer .when")).to_have_count(1)
    world.talk.tell("sentence", turn="t1", n=0, text="Курьер стоит 290 ₽.", html="", citations=[])
    expect(frame.locator(".writing")).to_contain_text("Курьер стоит 290 ₽.")
    world.talk.say("ai", "Курьер стоит 290 ₽.", turn="t1")
    world.talk.say("ai", "Дальше уверенного ответа нет. Передаю разговор в доставку.", turn="t1")
    expect(frame.locator(".writing")).to_have_count(0)
    answer, call = frame.locator('.entry[data-author="ai"]').all()[-2:]
    expect(answer.get_by_role("button", name="Ответ не помог")).to_have_count(1)
    expect(call).to_contain_text("Передаю разговор")
    expect(call.get_by_role("button", name="Ответ не помог")).to_have_count(0)


def test_everything_is_there_again_after_a_reload(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    say(frame, "Сколько стоит доставка?")
    expect(frame.locator(".source")).to_have_count(2)
    before = frame.locator(".log").inner_text()
    page.reload()
    again = chat_frame(page)
    expect(again.locator(".raised")).to_have_count(2)
    assert again.locator(".log").inner_text() == before
    assert len(world.opened) == 1


def test_a_reload_keeps_the_queue_the_open_consent_and_the_rating(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    say(frame, "Сколько стоит доставка?")
    frame.get_by_role("button", name="Ответ не помог").click()
    say(frame, "Где мой заказ?")
    expect(frame.locator(".card.consent")).to_be_visible()
    page.reload()
    frame = chat_frame(page)
    expect(frame.locator(".card.consent")).to_contain_text("Скажу, где заказ")
    expect(frame.get_by_role("button", name="Ответ не помог")).to_have_attribute("aria-pressed", "true")
    frame.locator(".call").click()
    expect(frame.locator(".queue")).to_be_visible()
    page.reload()
    expect(chat_frame(page).locator(".queue")).to_be_visible()


def test_a_passage_is_read_as_its_document_shows_it(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    quotes = (
        "Курьер по Нижнему Новгороду стоит 290 ₽.",
        "С собой нужны: паспорт; номер заказа.",
        "Москва — курьер: 390 ₽",
        "этих слов там нет",
    )
    cited = [
        {"document": "delivery", "passage": "delivery#2", "title": "Доставка", "quote": quote}
        for quote in quotes
    ]
    world.talk.say("ai", "Ответ", turn="t", citations=cited)
    expect(frame.locator(".source")).to_have_count(1)
    frame.locator(".source").click()
    panel = frame.locator("dialog")
    expect(panel.locator(".crumb")).to_have_text("Доставка по России · стр. 2")
    expect(panel.locator("li")).to_have_text(["паспорт;", "номер заказа."])
    expect(panel.locator("th")).to_have_text(["Куда", "Курьер"])
    expect(panel.locator("tr.marked")).to_have_text("Москва390 ₽")
    marked = panel.locator("mark").all_text_contents()
    assert marked == [quotes[0], "С собой нужны:", "паспорт;", "номер заказа."]


def test_waiting_customers_can_go_on_with_the_assistant(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    frame.locator(".call").click()
    frame.get_by_role("button", name="Продолжить с помощником").click()
    expect(frame.locator(".log")).to_contain_text("Хорошо, продолжаем со мной.")
    expect(frame.locator(".call")).to_be_visible()


def test_a_write_is_confirmed_by_its_own_buttons(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    say(frame, "Отмените заказ 1051")
    expect(frame.locator(".after .equal")).to_have_text(["Да, отменить", "Нет, оставить"])
    frame.locator(".after .equal").first.click()
    expect(frame.locator(".log")).to_contain_text("Заказ 1051 отменён")
    assert world.posts[-1]["action"] == {"kind": "confirm", "target": "p1", "yes": True}
    expect(frame.locator(".after .equal")).to_have_count(0)


def test_the_language_switches_at_once_and_is_remembered(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop?language=ru")
    frame.get_by_role("button", name="Меню").click()
    frame.get_by_role("button", name="English").click()
    expect(frame.locator(".log")).to_contain_text("I'm Fonar's automated assistant")
    expect(frame.locator(".quick").first).to_have_text("Where is my order?")
    expect(frame.locator(".call")).to_have_text("Get a person")
    assert frame.locator("html").get_attribute("lang") == "en"
    page.reload()
    expect(chat_frame(page).locator(".call")).to_have_text("Get a person")
    page.locator("mayak-chat").evaluate("chat => chat.setAttribute('language', 'en')")
    page.locator("mayak-chat").evaluate("chat => chat.setAttribute('language', 'ru')")
    expect(chat_frame(page).locator(".company")).to_have_text("Fonar")


def test_a_new_conversation_is_asked_about_once(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    say(frame, "Сколько стоит доставка?")
    expect(frame.locator(".source")).to_have_count(2)
    frame.get_by_role("button", name="Меню").click()
    frame.get_by_role("button", name="Новый разговор").click()
    frame.get_by_role("button", name="Остаться здесь").click()
    expect(frame.locator(".source")).to_have_count(2)
    frame.get_by_role("button", name="Меню").click()
    frame.get_by_role("button", name="Новый разговор").click()
    frame.get_by_role("button", name="Начать новый").click()
    expect(frame.locator(".log > *")).to_have_count(1)
    expect(frame.locator(".quick").first).to_be_visible()
    assert len(world.talks) == 2


def test_themes_follow_the_system_and_the_attribute(browser: Browser, world: World) -> None:
    def ground(scheme: str, query: str) -> str:
        with visitor(browser, color_scheme=scheme) as context:
            frame = open_chat(context.new_page(), f"{world.address}/shop{query}")
            return str(frame.locator("body").evaluate("b => getComputedStyle(b).backgroundColor"))

    light, dark = "rgb(246, 247, 249)", "rgb(14, 21, 36)"
    assert ground("light", "") == light
    assert ground("dark", "") == dark
    assert ground("light", "?theme=dark") == dark
    assert ground("dark", "?theme=light") == light


def test_an_answer_that_comes_while_the_chat_is_closed_is_counted(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    expect(frame.locator(".quick")).to_have_count(3)
    frame.get_by_role("button", name="Свернуть чат").click()
    world.talk.say("person", "Курьер уже у двери.", name="Мария")
    expect(page.locator("mayak-chat .badge")).to_have_text("1")
    expect(page.locator("mayak-chat button")).to_have_attribute(
        "aria-label", "Открыть чат с помощником · 1 новое сообщение"
    )
    page.locator("mayak-chat button").click()
    expect(page.locator("mayak-chat .badge")).to_be_hidden()
    expect(frame.locator(".log")).to_contain_text("Курьер уже у двери.")


def test_sentences_of_a_turn_a_person_took_over_stay_where_they_were(page: Page, world: World) -> None:
    world.quiet = True
    frame = open_chat(page, f"{world.address}/shop")
    say(frame, "Сколько стоит доставка?")
    expect(frame.locator(".customer .when")).to_have_count(1)  # accepted, not only written
    world.talk.tell("sentence", turn="t1", n=0, text="Курьер стоит 290 ₽.", html="", citations=[])
    expect(frame.locator(".writing")).to_have_count(1)
    world.talk.hand("person", operator="Мария")
    world.talk.say("person", "Дальше отвечаю я.", name="Мария")
    expect(frame.locator(".entry")).to_have_count(4)
    assert [entry.get_attribute("data-author") for entry in frame.locator(".entry").all()] == [
        "ai",
        "customer",
        "ai",
        "person",
    ]


def test_typing_is_told_to_the_server_but_not_at_every_key(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    frame.locator("#text").press_sequentially("Когда приедет курьер", delay=5)
    page.wait_for_timeout(200)
    assert world.typed == 1
