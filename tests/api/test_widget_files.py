"""The widget's files as they are served: headers, caching, texts, colours, and what the sources may not do."""

import json
import re
from collections.abc import Iterator
from itertools import product

import pytest
from fastapi.testclient import TestClient

from agent.contrast import contrast
from api.routes.widget import FOLDER, content_policy, is_origin
from tests.api.widget_server import World, build_app

SCRIPTS = sorted(FOLDER.glob("*.js"))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with TestClient(build_app(world)) as client:
        yield client


def policy(client: TestClient) -> dict[str, str]:
    header = client.get("/widget/frame").headers["Content-Security-Policy"]
    return {part.split(" ", 1)[0]: part.partition(" ")[2] for part in header.split("; ")}


def test_the_frame_runs_nothing_but_our_own_files(client: TestClient) -> None:
    found = policy(client)
    assert found["default-src"] == "'none'"
    assert found["script-src"] == "'self'"
    assert found["style-src"] == "'self'"
    assert found["connect-src"] == "'self'"
    assert found["base-uri"] == "'none'"
    assert found["require-trusted-types-for"] == "'script'"
    assert not any("unsafe" in value or "*" in value for value in found.values())


def test_only_listed_sites_may_embed_the_frame(client: TestClient, world: World) -> None:
    assert policy(client)["frame-ancestors"] == "'self'"
    world.origins = ("https://shop.example", "http://127.0.0.1:9")
    assert policy(client)["frame-ancestors"] == "'self' https://shop.example http://127.0.0.1:9"
    assert 'data-origins="https://shop.example http://127.0.0.1:9"' in client.get("/widget/frame").text


@pytest.mark.parametrize(
    "text",
    [
        "shop.example",
        "javascript:alert(1)",
        "https://shop.example; script-src *",
        'https://shop.example"><script>',
        "https://shop.example/path",
        "https://*",
        "https://",
        "'unsafe-inline'",
        "https://магазин.рф",
    ],
)
def test_a_malformed_origin_never_reaches_the_policy(client: TestClient, world: World, text: str) -> None:
    assert not is_origin(text)
    world.origins = (text,)
    assert policy(client)["frame-ancestors"] == "'self'"
    assert text not in client.get("/widget/frame").text


def test_the_frame_has_no_inline_script_or_style(client: TestClient) -> None:
    page = client.get("/widget/frame").text
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert "<style" not in page
    assert re.findall(r"\son\w+=|\sstyle=", page) == []
    assert "{{" not in page


def test_every_file_the_frame_names_is_there_and_kept_for_good(client: TestClient) -> None:
    page = client.get("/widget/frame")
    assert page.headers["Cache-Control"] == "no-cache"
    named = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert len(named) >= len(SCRIPTS) - 1
    for name in named:
        answer = client.get(f"/widget/{name}")
        assert answer.status_code == 200, name
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        kind = answer.headers["Content-Type"]
        assert kind.startswith("text/javascript" if name.endswith(".js") else "text/css"), kind


def test_an_old_version_still_answers_but_is_not_kept(client: TestClient) -> None:
    answer = client.get("/widget/0000/main.js")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


def test_an_unchanged_file_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/widget.js")
    assert first.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    again = client.get("/widget.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["frame.html", "__init__.py", "..%2f..%2fsettings.py", "absent.js"])
def test_nothing_but_assets_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"/widget/0000/{name}").status_code == 404


def test_the_configuration_tells_the_company_by_language(client: TestClient) -> None:
    told = client.get("/v1/widget/config").json()
    assert told["company"] == {"ru": "Фонарь", "en": "Fonar"}
    assert set(told) == {"company", "languages", "accent", "avatar", "disclosure", "quick_replies"}
    assert "автоматический помощник" in told["disclosure"]["ru"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_small_and_has_no_dangerous_sink(path) -> None:  # type: ignore[no-untyped-def]
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 300
    for sink in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "javascript:",
    ):
        assert sink not in text, sink
    assert not re.search(r"https?://(?!www\.w3\.org|mayak\.example)", text), "a foreign address"
    if path.name not in ("html.js",):
        assert "DOMParser" not in text


def test_both_languages_have_the_same_texts_and_facts() -> None:
    russian, english = (
        json.loads((FOLDER / f"texts.{name}.json").read_text("utf-8")) for name in ("ru", "en")
    )
    assert list(russian) == list(english)
    for key in russian:
        assert facts(russian[key]) == facts(english[key]), key
        assert bool(russian[key]), key


def facts(text: str | dict[str, str]) -> set[str]:
    whole = text if isinstance(text, str) else " ".join(text.values())
    return set(re.findall(r"\{(\w+)\}", whole))


def test_every_text_that_is_said_exists() -> None:
    texts = json.loads((FOLDER / "texts.ru.json").read_text("utf-8"))
    said = {
        key for path in SCRIPTS for key in re.findall(r'say\(\s*"([a-z.]+)"', path.read_text("utf-8"))
    } - {"key"}
    assert len(said) > 50
    assert said <= set(texts), said - set(texts)


def tokens() -> dict[str, dict[str, str]]:
    """Colours by theme, as the style sheet gives them."""
    sheet = (FOLDER / "tokens.css").read_text("utf-8")
    light, system, dark = re.findall(r":root[^{]*\{([^{}]*--bg:[^{}]*)\}", sheet)
    colours = [
        dict(re.findall(r"--([\w-]+): (?:var\(--company-sea, )?(#[0-9A-F]{6})", block))
        for block in (light, system, dark)
    ]
    assert colours[1] == colours[2], "the two ways to the dark theme must not differ"
    return {"light": colours[0], "dark": colours[2]}


TEXT_PAIRS = (
    *product(("ink", "muted"), ("bg", "surface", "bubble-ai", "bubble-person")),
    *product(("sea",), ("bg", "surface", "bubble-ai")),
    ("on-sea", "sea"),
    *product(("person",), ("bg", "surface", "bubble-person")),
    *product(("danger", "warn"), ("bg", "surface")),
)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_can_be_read_on_its_background(theme: str, text: str, ground: str) -> None:
    colours = tokens()[theme]
    assert contrast(colours[text], colours[ground]) >= 4.5


def test_the_policy_is_one_line() -> None:
    assert "\n" not in content_policy(["https://shop.example"])
