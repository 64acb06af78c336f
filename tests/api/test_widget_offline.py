"""Nothing a customer wrote is lost: no network, a failing server, a refusal, a conversation that is gone."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.api.widget_browser import chat_frame, open_chat, say
from tests.api.widget_server import World, problem

pytestmark = [pytest.mark.browser, pytest.mark.heavy]


def texts(world: World) -> list[str]:
    return [post["text"] for post in world.posts if "text" in post]


def test_messages_written_without_a_network_are_sent_in_order_when_it_is_back(
    page: Page, context: BrowserContext, world: World
) -> None:
    world.quiet = True
    frame = open_chat(page, f"{world.address}/shop")
    context.set_offline(True)
    say(frame, "Первое")
    say(frame, "Второе")
    expect(frame.locator(".notice")).to_have_text("Нет связи. Сообщение отправится само.")
    expect(frame.locator(".customer")).to_have_count(2)
    expect(frame.locator(".customer .foot").last).to_contain_text("отправится само")
    assert world.posts == []
    context.set_offline(False)
    expect(frame.locator(".customer.waiting, .customer.sending")).to_have_count(0)
    expect(frame.locator(".customer")).to_have_count(2)
    expect(frame.locator(".notice")).to_have_text("")
    assert texts(world) == ["Первое", "Второе"]


def test_the_stream_takes_up_where_it_was_cut(page: Page, context: BrowserContext, world: World) -> None:
    world.quiet = True
    frame = open_chat(page, f"{world.address}/shop")
    expect(frame.locator(".quick")).to_have_count(3)
    context.set_offline(True)
    world.talk.say("person", "Пока вас не было, курьер выехал.", name="Мария")
    page.wait_for_timeout(300)
    expect(frame.locator('[data-author="person"]')).to_have_count(0)
    context.set_offline(False)
    expect(frame.locator('[data-author="person"]')).to_have_count(1)


def test_unsent_messages_outlive_a_reload(page: Page, world: World) -> None:
    world.quiet = True
    frame = open_chat(page, f"{world.address}/shop")
    world.refuse = lambda method, path: (
        problem(503, "Busy") if method == "POST" and path.endswith("/messages") else None
    )
    say(frame, "Не потеряй меня")
    expect(frame.locator(".customer")).to_contain_text("отправ")
    frame.locator("#text").fill("недописанное")
    page.reload()
    frame = chat_frame(page)
    expect(frame.locator(".customer")).to_contain_text("Не потеряй меня")
    expect(frame.locator("#text")).to_have_value("недописанное")
    world.refuse = lambda method, path: None
    expect(frame.locator(".customer.waiting, .customer.sending")).to_have_count(0)
    assert texts(world) == ["Не потеряй меня"]
    assert world.talk.messages[-1]["text"] == "Не потеряй меня"


def test_a_message_whose_answer_was_lost_is_sent_again_with_the_same_key(page: Page, world: World) -> None:
    world.quiet = True
    frame = open_chat(page, f"{world.address}/shop")
    lost = {"left": 1}

    def lose(route):  # type: ignore[no-untyped-def]
        if route.request.method == "POST" and lost["left"]:
            lost["left"] -= 1
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/messages", lose)
    say(frame, "Один раз")
    expect(frame.locator(".customer.waiting, .customer.sending")).to_have_count(0)
    expect(frame.locator(".customer")).to_have_count(1)
    for _ in range(50):
        if len(world.posts) == 2:
            break
        page.wait_for_timeout(100)
    assert [post["key"] for post in world.posts] == [world.posts[0]["key"]] * 2
    assert [message["text"] for message in world.talk.messages if message["author"] == "customer"] == [
        "Один раз"
    ]
    expect(frame.locator(".customer")).to_have_count(1)


def test_a_refused_message_says_why_and_can_be_deleted_while_the_next_goes_through(
    page: Page, world: World
) -> None:
    world.quiet = True
    frame = open_chat(page, f"{world.address}/shop")
    say(frame, "щ" * 9000)
    failed = frame.locator(".customer.failed")
    expect(failed).to_contain_text("слишком длинное")
    say(frame, "Короче")
    expect(frame.locator(".customer:not(.failed)")).to_contain_text("Короче")
    failed.get_by_role("button", name="Удалить").click()
    expect(failed).to_have_count(0)
    assert texts(world)[-1] == "Короче"


def test_a_conversation_the_server_forgot_is_begun_anew_with_the_unsent_message(
    page: Page, world: World
) -> None:
    world.quiet = True
    frame = open_chat(page, f"{world.address}/shop")
    world.talks.clear()
    say(frame, "Вы ещё здесь?")
    expect(frame.locator(".note")).to_have_text("Прошлый разговор больше недоступен, поэтому начат новый.")
    expect(frame.locator(".customer:not(.waiting):not(.sending)")).to_contain_text("Вы ещё здесь?")
    assert [message["text"] for message in world.talk.messages if message["author"] == "customer"] == [
        "Вы ещё здесь?"
    ]


def test_a_server_that_does_not_answer_is_shown_with_a_way_out(page: Page, world: World) -> None:
    world.refuse = lambda method, path: problem(503, "Busy") if path == "/v1/conversations" else None
    page.goto(f"{world.address}/shop")
    page.locator("mayak-chat button").click()
    frame = chat_frame(page)
    trouble = frame.locator(".card.trouble")
    expect(trouble).to_contain_text("Не получилось открыть чат")
    world.refuse = lambda method, path: None
    trouble.get_by_role("button", name="Попробовать ещё раз").click()
    expect(frame.locator(".quick")).to_have_count(3)


def test_an_expired_sign_in_is_told_to_the_page_and_can_be_left_out(page: Page, world: World) -> None:
    page.goto(f"{world.address}/shop?identity=expired")
    page.evaluate("addEventListener('mayak-identity-needed', () => window.__asked = true)")
    page.locator("mayak-chat button").click()
    frame = chat_frame(page)
    expect(frame.locator(".card.trouble")).to_contain_text("Вход на сайте устарел")
    assert page.evaluate("window.__asked") is True
    frame.get_by_role("button", name="Продолжить без входа").click()
    expect(frame.locator(".quick")).to_have_count(3)
    assert "identity" not in world.opened[-1]


def test_too_many_requests_are_waited_out(page: Page, world: World) -> None:
    world.quiet = True
    frame = open_chat(page, f"{world.address}/shop")
    left = {"n": 1}

    def once(method: str, path: str):  # type: ignore[no-untyped-def]
        if method == "POST" and path.endswith("/messages") and left["n"]:
            left["n"] -= 1
            return problem(429, "Slow down", Retry_After="1")
        return None

    world.refuse = once
    say(frame, "Подожду")
    expect(frame.locator(".customer.waiting, .customer.sending")).to_have_count(0)
    assert texts(world) == ["Подожду"]
