"""Two ends of a conversation in real browsers: what one side does is seen on the other, without a reload."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from agent.records.staff import Staff
from tests.api.console_house import escalated
from tests.api.test_console_browser import Customer, Running, house, quiet, signed_in
from tests.api.widget_browser import open_chat, visitor
from tests.api.widget_server import World

__all__ = ["house"]
pytestmark = [pytest.mark.browser, pytest.mark.heavy]

SAME = "window.__same = true"
NO_STREAMS = "delete window.EventSource"
ASKED = """
window.__asked = [];
const ask = window.fetch;
window.fetch = (...given) => { window.__asked.push(String(given[0])); return ask(...given); };
"""


@contextmanager
def arrived(house: Running) -> Iterator[Customer]:
    customer = Customer(house.address)
    try:
        yield customer
    finally:
        customer.http.close()


def test_a_new_call_for_a_person_appears_in_an_open_list_without_a_reload(
    house: Running, browser: Browser
) -> None:
    with visitor(browser) as context, arrived(house) as customer:
        page = context.new_page()
        page.add_init_script(ASKED)
        signed_in(page, house, "olga")
        page.evaluate(SAME)
        customer.says("k1", "Позовите человека, это про стол!")
        expect(page.locator(".row", has_text="это про стол")).to_be_visible()
        assert page.evaluate("window.__same")
        # Nobody asked in vain: only what the stream named was fetched.
        asked = page.evaluate("window.__asked")
        assert 1 <= len(asked) <= 6
        assert all("/console/dialogues/list" in address for address in asked)
        quiet(page)


@pytest.mark.parametrize("script", [NO_STREAMS, None])
def test_without_a_stream_the_list_is_asked_for_as_before(
    house: Running, browser: Browser, script: str | None
) -> None:
    with visitor(browser) as context, arrived(house) as customer:
        page = context.new_page()
        if script:
            page.add_init_script(script)
        else:
            page.route("**/console/live**", lambda route: route.fulfill(status=503, body="no streams here"))
        signed_in(page, house, "olga")
        page.evaluate(SAME)
        words = f"Позовите человека, это про стул {script is None}!"
        customer.says("k1", words)
        expect(page.locator(".row", has_text=words)).to_be_visible()
        assert page.evaluate("window.__same")


def test_what_one_side_does_the_other_sees_while_it_is_done(house: Running, browser: Browser) -> None:
    with arrived(house) as customer, visitor(browser) as mine, visitor(browser) as hers:
        customer.says("k1", "Позовите человека!")
        customer.told('"queued"')
        page, other = mine.new_page(), hers.new_page()
        for one, login in ((page, "olga"), (other, "pavel")):
            signed_in(one, house, login)
            one.goto(f"{house.address}/console/dialogues/{customer.id}")
        line = page.locator(".around")
        expect(line).to_contain_text("Павел тоже смотрит")
        expect(line).to_contain_text("Чат у клиента закрыт")
        page.evaluate(SAME)
        customer.http.post(f"{customer.path}/typing")
        expect(line).to_contain_text("Клиент печатает…")
        customer.says("k2", "Вот и дописал")
        expect(page.locator(".entry.customer").last).to_contain_text("Вот и дописал")
        expect(line).not_to_contain_text("печатает")
        page.get_by_role("button", name="Взять себе").click()
        reply = page.get_by_label("Ответ клиенту")
        for _ in range(30):
            # The sign fades within seconds; a slow machine must not miss the only one.
            reply.press_sequentially("Здравствуйте ")
            if "Ольга пишет клиенту" in other.locator(".around").inner_text():
                break
            page.wait_for_timeout(700)
        else:
            pytest.fail("a colleague never saw that somebody writes")
        assert '"on": true' in customer.told('"on"')
        other.close()
        expect(line).not_to_contain_text("Павел")
        quiet(page)


def test_a_session_that_was_ended_sends_its_open_page_to_the_sign_in(
    house: Running, browser: Browser
) -> None:
    house.do(lambda building: escalated(building, says="Кто здесь?"))
    with visitor(browser) as context:
        page = context.new_page()
        signed_in(page, house, "marina")
        house.do(lambda building: Staff(building.engine, clock=building.clock).close_sessions("marina"))
        page.wait_for_url("**/console/login**")


def test_a_wait_counts_down_to_the_promised_answer_and_past_it_without_the_network(
    house: Running, browser: Browser
) -> None:
    talk = house.do(lambda building: escalated(building, says="Сколько ещё ждать?"))
    with visitor(browser) as context:
        page = context.new_page()
        page.clock.install()
        # Nothing that was asked for before the line broke may arrive after it.
        page.route("**/console/dialogues/list**", lambda route: route.abort())
        signed_in(page, house, "olga")
        row = page.locator(f"#row-{talk}")
        wait, said = row.locator(".row-minutes"), row.locator(".row-wait .unseen")
        expect(wait).to_have_text(re.compile(r"^4:[0-5]\d$"))
        expect(said).to_have_text("в срок")
        context.set_offline(True)
        page.clock.fast_forward("04:00")
        expect(row).to_have_class(re.compile("haste-near"))
        expect(wait).to_have_text(re.compile(r"^0:[0-5]\d$"))
        expect(said).to_have_text("скоро опоздаем")
        page.clock.fast_forward("02:00")
        expect(row).to_have_class(re.compile("haste-late"))
        expect(wait).to_have_text(re.compile(r"^\+1:[0-5]\d$"))
        expect(said).to_have_text("дольше обещанного")
        ring = row.locator(".ring-used")
        expect(ring).to_have_attribute("stroke-dasharray", "100 100")
        quiet(page)


def test_the_customer_sees_that_a_person_is_writing(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    status = frame.locator("p.status")
    world.talk.tell("typing", on=True)
    world.talk.hand("person", operator="Марина")
    world.talk.tell("typing", on=True)
    expect(status).to_have_text("Марина печатает…")
    world.talk.say("person", "Смотрю ваш заказ", name="Марина")
    expect(frame.locator(".entry.person")).to_contain_text("Смотрю")
    expect(status).to_be_hidden()
    world.talk.tell("typing", on=True)
    expect(status).to_be_visible()
    world.talk.tell("typing", on=False)
    expect(status).to_be_hidden()
