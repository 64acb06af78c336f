"""Hostile words and hostile pages: nothing is run, nothing is fetched, nobody is taken for somebody else."""

import base64
import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.api.widget_browser import chat_frame, open_chat, say, visitor
from tests.api.widget_server import World, widget_world
from tests.api.xss_payloads import PAYLOADS

pytestmark = [pytest.mark.browser, pytest.mark.heavy]

HARMLESS = {
    "ARTICLE", "DIV", "SPAN", "P", "BR", "STRONG", "B", "EM", "I", "UL", "OL", "LI", "CODE", "PRE", "BLOCKQUOTE", "TABLE",
    "THEAD", "TBODY", "TR", "TH", "TD", "A", "TIME", "BUTTON", "SECTION", "H2", "svg", "path",
}  # fmt: skip


@pytest.fixture
def world() -> Iterator[World]:
    with widget_world() as world:
        world.quiet = True
        yield world


def identity(customer: str) -> str:
    """A token whose subject the widget can read; only the server judges signatures."""
    parts = ({"alg": "HS256"}, {"sub": customer})
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{body}.c2ln"


def stored(frame: Frame) -> str:
    return str(frame.evaluate("JSON.stringify(localStorage)"))


class Watch:
    """Everything a successful attack would leave behind."""

    def __init__(self, page: Page, world: World) -> None:
        self.dialogs: list[str] = []
        self.foreign: list[str] = []
        self.errors: list[str] = []
        page.on("dialog", self._dialog)
        page.on("request", lambda request: self._request(request.url, world.address))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _dialog(self, dialog) -> None:  # type: ignore[no-untyped-def]
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _request(self, url: str, home: str) -> None:
        if not url.startswith(home):
            self.foreign.append(url)

    def clean(self, frame: Frame) -> None:
        assert self.dialogs == []
        assert self.foreign == []
        assert self.errors == []
        assert frame.evaluate("window.__violations") == []
        assert frame.page.evaluate("window.__violations") == []


def test_the_corpus_is_large_and_without_repetitions() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 70


@pytest.mark.heavy
def test_hostile_texts_of_every_author_are_only_shown(page: Page, world: World) -> None:
    watch = Watch(page, world)
    frame = open_chat(page, f"{world.address}/shop")
    for number, payload in enumerate(PAYLOADS):
        cited = {"document": payload, "passage": f"p{number}", "title": payload, "quote": payload}
        button = {"label": payload, "action": {"kind": "say", "target": payload, "yes": True}}
        talk = world.talk
        talk.say("customer", payload)
        talk.tell("status", turn="t", text=payload)
        talk.tell("sentence", turn=f"t{number}", n=0, text=payload, html=payload, citations=[cited])
        talk.say("ai", payload, html=payload, turn=f"t{number}", citations=[cited], buttons=[button])
        talk.say("person", payload, html=f"<p>{payload}</p>", name=payload)
        talk.say("system", payload, html=payload)
    talk.hand("person", operator=PAYLOADS[0], department=PAYLOADS[1], text=PAYLOADS[2])
    talk.say("ai", "конец", turn="last")
    expect(frame.locator(".log > *").last).to_contain_text("конец")
    names = set(frame.evaluate("[...document.querySelectorAll('.log *')].map((e) => e.nodeName)"))
    assert names <= HARMLESS, names - HARMLESS
    attributes = frame.evaluate(
        "[...document.querySelectorAll('#app *')].flatMap((e) => [...e.attributes])"
        ".filter((a) => /^on|^srcdoc$|^formaction$|^action$|^src$|^ping$|^background$/i.test(a.name)).map((a) => a.name)"
    )
    assert attributes == []
    links = frame.evaluate("[...document.querySelectorAll('a')].map((a) => [a.protocol, a.rel, a.target])")
    for protocol, rel, target in links:
        assert protocol in ("http:", "https:", ":"), protocol
        assert protocol == ":" or (target == "_blank" and "noopener" in rel)
    assert frame.evaluate("document.querySelectorAll('#app').length") == 1
    page.wait_for_timeout(300)
    watch.clean(frame)


def test_hostile_texts_stay_harmless_when_they_are_touched(page: Page, world: World) -> None:
    watch = Watch(page, world)
    frame = open_chat(page, f"{world.address}/shop")
    for payload in PAYLOADS[30:42]:
        world.talk.say("ai", payload, html=payload, turn="t")
    expect(frame.locator(".entry")).to_have_count(13)
    for link in frame.locator(".text a, .text button, .text span").all():
        link.dispatch_event("pointerover")
        link.dispatch_event("focus")
    frame.evaluate("document.querySelectorAll('.text a:not([href])').forEach((a) => a.click())")
    page.wait_for_timeout(200)
    watch.clean(frame)


def test_hostile_passages_receipts_and_consents_are_only_shown(page: Page, world: World) -> None:
    watch = Watch(page, world)
    frame = open_chat(page, f"{world.address}/shop")
    everything = " ".join(PAYLOADS)

    def answer(route, body):  # type: ignore[no-untyped-def]
        route.fulfill(json=body)

    page.route(
        "**/passages/**",
        lambda r: answer(
            r, {"title": everything, "heading": everything, "text": everything, "html": everything}
        ),
    )
    page.route("**/receipts/**", lambda r: answer(r, {
        "turn": everything, "confidence": 0.5, "warning": everything, "told": [{"name": everything, "title": everything,
        "lines": [{"text": everything, "note": everything, "passage": everything}]}]}))  # fmt: skip
    page.route("**/consents", lambda r: answer(r, {"consents": [
        {"purpose": everything, "state": "granted", "text": everything, "gives": everything, "version": everything}]}))  # fmt: skip
    cited = {"document": "d", "passage": "../../x?y#z", "title": everything, "quote": PAYLOADS[0]}
    world.talk.say("ai", "Ответ", turn="t", citations=[cited])
    frame.locator(".source").first.click()
    expect(frame.locator("dialog .passage")).to_contain_text("alert(1)")
    page.keyboard.press("Escape")
    frame.locator(".used").click()
    expect(frame.locator("dialog .facts").first).to_contain_text("alert(1)")
    page.keyboard.press("Escape")
    frame.get_by_role("button", name="Меню").click()
    frame.get_by_role("button", name="Мои данные").click()
    expect(frame.locator("dialog .consents")).to_contain_text("alert(1)")
    watch.clean(frame)


def test_what_a_customer_writes_comes_back_as_it_was_written(page: Page, world: World) -> None:
    watch = Watch(page, world)
    frame = open_chat(page, f"{world.address}/shop")
    for payload in PAYLOADS[:10]:
        say(frame, payload)
    expect(frame.locator(".customer:not(.waiting):not(.sending)")).to_have_count(10)
    assert [one.strip() for one in frame.locator(".customer .text").all_text_contents()] == list(
        PAYLOADS[:10]
    )
    watch.clean(frame)


def test_a_site_that_is_not_listed_cannot_embed_the_chat(page: Page, world: World) -> None:
    port = world.address.rsplit(":", 1)[1]
    page.goto(f"http://localhost:{port}/hostile")
    page.wait_for_timeout(500)
    inside = page.locator("#f").element_handle().content_frame()
    assert inside is not None
    assert inside.url != f"{world.address}/widget/frame" or inside.locator("#app").count() == 0
    assert world.opened == []


HOSTILE_HELLO = """
const frame = document.getElementById('f');
window.__heard = [];
addEventListener('message', (e) => window.__heard.push(e.data));
const say = (message) => frame.contentWindow.postMessage(message, '*');
say({type: 'mayak:hello', identity: 'stolen', language: 'en', open: true});
say({type: 'mayak:identity', identity: 'stolen'});
say({type: 'mayak:opened'});
"""


def test_a_page_of_another_origin_is_not_heard_even_without_the_policy(
    browser: Browser, world: World
) -> None:
    def without_policy(route):  # type: ignore[no-untyped-def]
        answer = route.fetch()
        headers = {k: v for k, v in answer.headers.items() if k != "content-security-policy"}
        route.fulfill(response=answer, headers=headers)

    with visitor(browser) as context:
        page = context.new_page()
        page.route("**/widget/frame", without_policy)
        port = world.address.rsplit(":", 1)[1]
        page.goto(f"http://localhost:{port}/hostile")
        frame = page.locator("#f").element_handle().content_frame()
        assert frame is not None
        frame.locator("#app header").wait_for()
        page.evaluate(HOSTILE_HELLO)
        page.wait_for_timeout(500)
        assert world.opened == []
        assert frame.locator("body").get_attribute("data-phase") is None
        assert [
            message for message in page.evaluate("window.__heard") if message["type"] != "mayak:ready"
        ] == []


def test_a_listed_site_of_another_origin_can_use_the_chat(page: Page, world: World) -> None:
    port = world.address.rsplit(":", 1)[1]
    world.origins = (f"http://localhost:{port}",)
    frame = open_chat(page, f"http://localhost:{port}/shop?identity={identity('anna')}")
    expect(frame.locator(".quick")).to_have_count(3)
    assert world.opened[-1]["identity"] == identity("anna")
    sandbox = page.locator("mayak-chat iframe").get_attribute("sandbox")
    assert sandbox is not None
    assert "allow-top-navigation" not in sandbox


def test_windows_other_than_the_embedding_page_are_not_heard(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop?identity={identity('anna')}")
    say(frame, "Моё письмо")
    expect(frame.locator(".customer:not(.waiting):not(.sending)")).to_have_count(1)
    page.evaluate(
        """() => new Promise((done) => {
          const other = document.createElement('iframe');
          other.srcdoc = '<script>parent.document.querySelector("mayak-chat").shadowRoot.querySelector("iframe")'
            + '.contentWindow.postMessage({type: "mayak:identity", identity: "boris"}, "*")</' + 'script>';
          other.onload = () => setTimeout(done, 300);
          document.body.append(other);
        })"""
    )
    expect(frame.locator(".customer")).to_have_count(1)
    assert len(world.opened) == 1


def test_the_element_obeys_only_its_own_frame(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop")
    expect(frame.locator(".quick")).to_have_count(3)
    page.evaluate(
        "postMessage({type: 'mayak:close'}, '*'); postMessage({type: 'mayak:unread', count: 7}, '*')"
    )
    page.wait_for_timeout(200)
    expect(page.locator("mayak-chat iframe")).to_be_visible()


def test_the_identity_is_never_in_an_address_nor_in_storage(page: Page, world: World) -> None:
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    token = identity("anna@example.com")
    frame = open_chat(page, f"{world.address}/shop")
    page.locator("mayak-chat").evaluate("(chat, token) => chat.setAttribute('identity', token)", token)
    for _ in range(50):
        if len(world.opened) == 2:
            break
        page.wait_for_timeout(50)
    assert world.opened[-1]["identity"] == token
    assert not any(token in url for url in urls)
    assert token not in stored(frame)
    assert "anna" not in stored(frame)


@pytest.mark.parametrize("after", ["", "boris"], ids=["signed out", "somebody else"])
def test_nothing_of_the_earlier_customer_is_left(page: Page, world: World, after: str) -> None:
    frame = open_chat(page, f"{world.address}/shop?identity={identity('anna')}")
    say(frame, "Мой адрес: Фонарная, 7")
    expect(frame.locator(".customer:not(.waiting):not(.sending)")).to_have_count(1)
    frame.locator("#text").fill("черновик анны")
    token = world.talk.token
    wanted = identity(after) if after else ""
    page.locator("mayak-chat").evaluate(
        "(chat, token) => token ? chat.setAttribute('identity', token) : chat.removeAttribute('identity')",
        wanted,
    )
    expect(frame.locator(".customer")).to_have_count(0)
    expect(frame.locator(".quick")).to_have_count(3)
    expect(frame.locator("#text")).to_have_value("")
    kept = stored(frame)
    assert token not in kept
    assert "Фонарная" not in kept
    assert "черновик" not in kept
    assert world.opened[-1].get("identity", "") == wanted


def test_a_sign_out_on_another_page_is_noticed_at_the_next_load(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop?identity={identity('anna')}")
    say(frame, "Секрет")
    expect(frame.locator(".customer:not(.waiting):not(.sending)")).to_have_count(1)
    page.goto(f"{world.address}/shop")
    frame = chat_frame(page)
    expect(frame.locator(".quick")).to_have_count(3)
    expect(frame.locator(".customer")).to_have_count(0)
    assert "Секрет" not in stored(frame)


def test_a_renewed_token_of_the_same_customer_changes_nothing(page: Page, world: World) -> None:
    frame = open_chat(page, f"{world.address}/shop?identity={identity('anna')}")
    say(frame, "Я остаюсь")
    expect(frame.locator(".customer:not(.waiting):not(.sending)")).to_have_count(1)
    page.locator("mayak-chat").evaluate(
        "(chat, token) => chat.setAttribute('identity', token)", identity("anna") + "x"
    )
    page.wait_for_timeout(300)
    expect(frame.locator(".customer")).to_have_count(1)
    assert len(world.opened) == 1
