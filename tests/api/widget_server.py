"""A small server that keeps the customers' HTTP contract with a scripted conversation, for the widget's tests.

It is not a model of the product: it answers a handful of sentences the same way every time, and lets a test
push any event, refuse, or fall silent.
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from api.routes.widget import widget_router
from tests.api.widget_words import (
    CONSENT,
    DELIVERY,
    DISCLOSURE,
    LOOK,
    NOW,
    OTHER_PURPOSES,
    PASSAGES,
    RETURNS,
    TOLD,
)


@dataclass(slots=True, kw_only=True)
class Talk:
    """One conversation: its transcript and the feed of its events; `n` is None for those that may be lost."""

    id: str
    token: str
    identity: str
    language: str
    holder: str = "ai"
    number: int = 0
    """The newest seq; a press that has no words takes one too."""
    messages: list[dict[str, Any]] = field(default_factory=list)
    feed: list[tuple[int | None, str, dict[str, Any]]] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    consents: dict[str, bool] = field(default_factory=dict)

    def tell(self, type: str, **data: Any) -> None:
        """Add an event; a status is not numbered."""
        number = None if type in ("status", "typing") else 1 + sum(n is not None for n, _, _ in self.feed)
        self.feed.append((number, type, data))

    def say(self, author: str, text: str, **more: Any) -> int:
        """Add a message to the transcript and the feed; return its seq."""
        self.number += author != "customer"
        message = {
            "seq": self.number,
            "author": author,
            "name": "",
            "text": text,
            "html": "",
            "citations": [],
            "buttons": [],
            "turn": None,
            "at": NOW,
        } | more
        self.messages.append(message)
        self.tell("message", **message)
        return int(message["seq"])

    def answer(
        self, turn: str, *sentences: tuple[str, tuple[dict[str, str], ...]], buttons: tuple[Any, ...] = ()
    ) -> None:
        """Stream sentences with their citations, then the message that replaces them."""
        for n, (text, citations) in enumerate(sentences):
            self.tell("sentence", turn=turn, n=n, text=text, html="", citations=list(citations))
        cited = [citation for _, citations in sentences for citation in citations]
        joined = " ".join(text for text, _ in sentences)
        self.say("ai", joined, turn=turn, citations=cited, buttons=list(buttons))

    def hand(self, holder: str, **more: Any) -> None:
        """Change who holds the conversation."""
        self.holder = holder
        self.tell("handoff", **({"holder": holder, "department": "", "operator": "", "text": ""} | more))


class World:
    """Everything a test can see of the server and do to it."""

    def __init__(self) -> None:
        self.talks: dict[str, Talk] = {}
        self.posts: list[dict[str, Any]] = []
        self.opened: list[dict[str, Any]] = []
        self.erased: list[str] = []
        self.can: list[str] = []
        """What `GET /v1/me` lets the customer do."""
        self.typed = 0
        self.pause = 0.05
        """Seconds between the things a scripted answer does."""
        self.refuse: Callable[[str, str], Response | None] = lambda method, path: None
        """Asked before every call of the API; a response stands in for the real one."""
        self.origins: tuple[str, ...] = ()
        self.quiet = False
        """Whether nobody answers what customers write."""
        self.address = ""

    @property
    def talk(self) -> Talk:
        """The conversation opened last."""
        return list(self.talks.values())[-1]


def problem(status: int, title: str, *, remedy: str = "", **headers: str) -> JSONResponse:
    """An RFC 9457 answer."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": title, "remedy": remedy}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(body, status, headers=names, media_type="application/problem+json")


def _button(label: str, kind: str, target: str = "", *, yes: bool = True) -> dict[str, Any]:
    return {"label": label, "action": {"kind": kind, "target": target, "yes": yes}}


def _label(talk: Talk, action: Mapping[str, Any] | None) -> str:
    pressed = (b for message in reversed(talk.messages) for b in message["buttons"] if b["action"] == action)
    return str(next(pressed, {"label": ""})["label"])


async def reply(world: World, talk: Talk, text: str, action: Mapping[str, Any] | None) -> None:
    """The script: what is answered to which words or button."""
    turn = f"t{len(talk.messages)}"
    kind = action["kind"] if action else "say"
    said = str(action["target"]) if action and kind == "say" else text
    if world.quiet or kind == "rate" or (talk.holder in ("queued", "person") and kind != "ai"):
        return
    talk.tell("status", turn=turn, text="смотрю в документах…")
    await asyncio.sleep(world.pause * 3)
    if kind == "person" or "человек" in said:
        talk.say("ai", "Передаю разговор в отдел доставки. Обычно отвечают за 10 минут.", turn=turn)
        talk.hand("queued", department="Доставка")
    elif kind == "ai":
        talk.hand("ai")
        talk.say("ai", "Хорошо, продолжаем со мной.", turn=turn)
    elif kind == "consent" and action is not None:
        talk.consents[str(action["target"])] = bool(action["yes"])
        await _order(world, talk, turn) if action["yes"] else talk.say("ai", "Хорошо, без этого.", turn=turn)
    elif kind == "confirm" and action is not None:
        done = (
            "Заказ 1051 отменён, деньги вернутся за 3–10 дней."
            if action["yes"]
            else "Хорошо, ничего не меняю."
        )
        talk.say("ai", done, turn=turn)
    elif "отмен" in said.lower():
        ask = "Отменить заказ 1051 на 4 290 ₽? Деньги вернутся на карту ··12 за 3–10 дней."
        yes, no = (
            _button("Да, отменить", "confirm", "p1"),
            _button("Нет, оставить", "confirm", "p1", yes=False),
        )
        talk.say("ai", ask, turn=turn, buttons=[yes, no])
    elif "заказ" in said.lower() or "order" in said.lower():
        yes = _button("Разрешить", "consent", "orders:read")
        no = _button("Не сейчас", "consent", "orders:read", yes=False)
        talk.say("ai", CONSENT["text"], turn=turn, buttons=[yes, no])
        talk.tell("consent", turn=turn, **CONSENT)
    else:
        await _delivery(world, talk, turn)


async def _order(world: World, talk: Talk, turn: str) -> None:
    talk.tell("status", turn=turn, text="ищу ваш заказ…")
    await asyncio.sleep(world.pause * 3)
    buttons = (_button("Изменить адрес", "say", "Изменить адрес"), _button("Позвать человека", "person"))
    talk.answer(
        turn,
        ("Заказ 1045-А в пути, ждём 24 ноября.", ()),
        ("Курьер позвонит за час.", (_quote(1),)),
        buttons=buttons,
    )


async def _delivery(world: World, talk: Talk, turn: str) -> None:
    first, second = _quote(0), {**RETURNS, "quote": "Вернуть товар можно за 14 дней после получения"}
    talk.tell(
        "sentence",
        turn=turn,
        n=0,
        text="Курьер по Нижнему Новгороду стоит 290 ₽.",
        html="",
        citations=[first],
    )
    await asyncio.sleep(world.pause * 6)
    talk.answer(
        turn,
        ("Курьер по Нижнему Новгороду стоит 290 ₽.", (first,)),
        ("Если товар не подошёл, вернуть его можно за 14 дней.", (second,)),
    )


def _quote(n: int) -> dict[str, str]:
    return {**DELIVERY, "quote": ("Курьер по Нижнему Новгороду стоит 290 ₽.", "звонит за час")[n]}


def build_app(world: World) -> FastAPI:
    """The application: the product's own widget routes, and the scripted conversation behind them."""
    app = FastAPI()
    app.include_router(widget_router(origins=lambda request: world.origins, look=lambda request: LOOK))
    _conversation_routes(app, world)
    _reading_routes(app, world)
    _rights_routes(app, world)
    _pages(app, world)

    @app.middleware("http")
    async def refusals(request: Request, call_next: Callable[..., Any]) -> Response:
        if request.url.path.startswith("/v1/"):
            refused = world.refuse(request.method, request.url.path)
            if refused is not None:
                return refused
        return await call_next(request)  # type: ignore[no-any-return]

    return app


def _talk(world: World, id: str, request: Request) -> Talk | None:
    talk = world.talks.get(id)
    return talk if talk and request.headers.get("Authorization") == f"Bearer {talk.token}" else None


def _conversation_routes(app: FastAPI, world: World) -> None:
    tasks: set[asyncio.Task[None]] = set()

    @app.post("/v1/conversations")
    async def start(request: Request) -> Any:
        body = await request.json()
        if body.get("identity") == "expired":
            return problem(401, "The identity token has expired.")
        world.opened.append(body)
        number = len(world.talks) + 1
        language = body.get("language", "ru")
        talk = Talk(
            id=f"c{number}", token=f"secret{number}", identity=body.get("identity", ""), language=language
        )
        talk.say("ai", DISCLOSURE[language])
        world.talks[talk.id] = talk
        return {
            "id": talk.id,
            "token": talk.token,
            "language": language,
            "disclosure": DISCLOSURE[language],
            "quick_replies": list(LOOK.quick_replies[language]),
            "consents": [],
            "holder": "ai",
        }

    @app.post("/v1/conversations/{id}/messages", status_code=202)
    async def accept(id: str, request: Request) -> Any:
        talk = _talk(world, id, request)
        if talk is None:
            return problem(404, "There is no such conversation.")
        body = await request.json()
        world.posts.append(body)
        text, action = body.get("text", ""), body.get("action")
        if len(text) > 8000:
            return problem(413, "Сообщение длиннее 8000 знаков.", remedy="Разделите его на части.")
        if body["key"] not in talk.keys:
            shown = text or (action["target"] if action["kind"] == "say" else "") or _label(talk, action)
            talk.number += 1
            talk.keys[body["key"]] = talk.say("customer", shown) if shown else talk.number
            task = asyncio.create_task(reply(world, talk, text, action))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        return {"seq": talk.keys[body["key"]]}

    @app.post("/v1/conversations/{id}/typing", status_code=204)
    async def typing(id: str) -> None:
        world.typed += 1

    @app.get("/v1/conversations/{id}/events")
    async def events(id: str, request: Request) -> Any:
        talk = _talk(world, id, request)
        if talk is None:
            return problem(404, "There is no such conversation.")
        after = int(request.headers.get("Last-Event-ID", "0"))
        return StreamingResponse(_feed(world, talk, after), media_type="text/event-stream")


async def _feed(world: World, talk: Talk, after: int) -> AsyncIterator[str]:
    yield ": hello\n\n"
    at = 0
    fresh = len(talk.feed)
    while not world.refuse("STREAM", talk.id):
        while at < len(talk.feed):
            number, type, data = talk.feed[at]
            at += 1
            if (number is None and at > fresh) or (number is not None and number > after):
                head = f"id: {number}\n" if number is not None else ""
                yield f"{head}event: {type}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
        await asyncio.sleep(0.02)


def _reading_routes(app: FastAPI, world: World) -> None:
    @app.get("/v1/conversations/{id}/messages")
    async def history(id: str, request: Request) -> Any:
        talk = _talk(world, id, request)
        if talk is None:
            return problem(404, "There is no such conversation.")
        newest = sum(number is not None for number, _, _ in talk.feed)
        return {"messages": talk.messages, "event": newest, "holder": talk.holder, "language": talk.language}

    @app.get("/v1/conversations/{id}/passages/{passage}")
    async def passage(id: str, passage: str, request: Request) -> Any:
        found = PASSAGES.get(passage) if _talk(world, id, request) else None
        return found or problem(404, "There is no such passage.")

    @app.get("/v1/conversations/{id}/receipts/{turn}")
    async def receipt(id: str, turn: str, request: Request) -> Any:
        return {
            "turn": turn,
            "outcome": "answered",
            "confidence": 0.91,
            "reasons": [],
            "told": TOLD["en" if request.query_params.get("language") == "en" else "ru"],
            "warning": "",
        }

    @app.get("/v1/conversations/{id}/consents")
    async def consents(id: str, request: Request) -> Any:
        talk = _talk(world, id, request)
        assert talk is not None
        state = talk.consents.get("orders:read")
        word = "unasked" if state is None else "granted" if state else "refused"
        return {"consents": [{**CONSENT, "state": word}, *OTHER_PURPOSES]}

    @app.post("/v1/conversations/{id}/consents")
    async def change(id: str, request: Request) -> Any:
        talk = _talk(world, id, request)
        assert talk is not None
        body = await request.json()
        talk.consents[body["purpose"]] = body["granted"]
        return {"purpose": body["purpose"], "granted": body["granted"]}


def _rights_routes(app: FastAPI, world: World) -> None:
    @app.get("/v1/me", response_model=None)
    async def me(request: Request) -> Any:
        if request.query_params.get("format") == "html":
            return HTMLResponse("<p>Всё о вас</p>")
        return {
            "can": world.can,
            "conversations": [{}],
            "messages": [{}] * 12,
            "consents": [{}] * 2,
            "turns": [{}],
        }

    @app.delete("/v1/me", status_code=202)
    async def erase(request: Request) -> Any:
        world.erased.append(request.headers["authorization"])
        return {"id": "e1", "state": "asked"}

    @app.get("/v1/erasures/{id}")
    async def erasure(id: str) -> Any:
        counts = {"conversations": 1, "messages": 12, "turns": 6}
        return {"id": id, "state": "done", "counts": counts, "kept": ["orders_under_way"], "proof": "ab12"}


HOST_PAGE = """<!doctype html><html lang="ru"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Shop</title><script src="{base}/widget.js"></script>
<body><h1>Shop</h1><p><a href="#">A link of the page</a></p><mayak-chat base="{base}" {attributes}></mayak-chat>"""


def _pages(app: FastAPI, world: World) -> None:
    @app.get("/shop")
    async def shop(request: Request) -> HTMLResponse:
        known = ("language", "theme", "identity")
        given = {name: request.query_params[name] for name in known if name in request.query_params}
        attributes = " ".join(f'{name}="{value}"' for name, value in given.items())
        return HTMLResponse(HOST_PAGE.format(base=world.address, attributes=attributes))

    @app.get("/hostile")
    async def hostile() -> HTMLResponse:
        page = f'<!doctype html><title>Hostile</title><iframe id="f" src="{world.address}/widget/frame"></iframe>'
        return HTMLResponse(page)


@contextmanager
def serving(app: FastAPI, *, port: int = 0) -> Iterator[str]:
    """Serve the application in a thread, on a free loopback port where none is given; yields its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@contextmanager
def widget_world() -> Iterator[World]:
    """A running server with a fresh world."""
    world = World()
    with serving(build_app(world)) as address:
        world.address = address
        try:
            yield world
        finally:
            world.refuse = lambda method, path: problem(503, "closing")
