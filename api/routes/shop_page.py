"""The demo shop: a page with the widget on it, where made-up customers sign in without a password.

It is for the demo company alone: whoever opens it may be any of the demo's named customers.

```
GET  /demo/            the page, in the language of ?lang=, the cookie or the browser
POST /demo/sign-in     {login} → the page again, or {identity, name} for Accept: application/json
POST /demo/sign-out    → the page again
```
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

import api.shop_page
from api.identity import customer_token
from api.opened import House
from tools.context import CustomerId, Language
from tools.phrases import Phrases

FOLDER = Path(api.shop_page.__file__).parent
ASSETS = {"shop.css": "text/css", "shop.js": "text/javascript", "art.svg": "image/svg+xml"}
SHOWN = ("FN-105", "FN-204", "FN-307", "FN-404", "FN-502", "FN-603", "FN-702", "FN-801")
"""Codes on the front page, one or so of every shelf; a code the shop does not have is left out."""
TRAITS = ("lumens", "bulbs", "leds", "runtime_h", "ip", "socket", "connection")
TRAITS_SHOWN = 3
SESSION, LANGUAGE = "fonar_customer", "fonar_language"
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

router = APIRouter(prefix="/demo", include_in_schema=False)

Say = Callable[..., str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A made-up customer who can sign in."""

    id: CustomerId
    login: str
    name: str
    city: str
    level: Mapping[Language, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """A product as the front page shows it; `price` in the shop's currency, `rating` 1..5."""

    code: str
    category: str
    title: Mapping[Language, str]
    price: int
    ranges: bool
    in_stock: bool
    rating: float
    reviews: int
    attributes: Mapping[str, Any]

    def traits(self, say: Say) -> list[str]:
        """Name what matters about it, the most telling first."""
        known = [name for name in TRAITS if name in self.attributes]
        return [say(f"trait.{name}", value=self.attributes[name]) for name in known[:TRAITS_SHOWN]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What the page needs; `sign` makes the identity token of a customer, `people` is keyed by login."""

    goods: tuple[Good, ...]
    people: Mapping[str, Person]
    phrases: Phrases
    sign: Callable[[CustomerId], str]


def shop_of(house: House) -> Shop:
    """Take the shop of the demo company; for any other installation there is no such page."""
    building = house.building
    folder = building.pack.folder / "shop"
    if not building.settings.demo or not (folder / "customers.json").is_file():
        raise HTTPException(404)
    return Shop(
        goods=_goods(folder),
        # Where identities are signed by somebody else's key, nobody can be signed in here.
        people={} if building.settings.identity_public_key else _people(folder),
        phrases=_phrases(building.pack.company.currency),
        sign=partial(customer_token, settings=building.settings),
    )


Shops = Annotated[Shop, Depends(shop_of)]


@router.get("/")
def page(request: Request, shop: Shops, lang: str = "") -> Response:
    """The front page, with the chat of whoever is signed in."""
    language = _language(request, lang)
    person = shop.people.get(request.cookies.get(SESSION, ""))
    html = _template().render(
        language=language,
        say=partial(_say, shop.phrases, language),
        goods=shop.goods,
        people=shop.people.values(),
        person=person,
        identity=shop.sign(person.id) if person else "",
        root="../",
        tokens="../widget/page/tokens.css",
    )
    headers = {"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"}
    response = Response(html, media_type="text/html", headers=headers)
    if lang == language:
        response.set_cookie(LANGUAGE, language, samesite="lax", httponly=True)
    return response


@router.post("/sign-in")
def sign_in(request: Request, shop: Shops, login: Annotated[str, Form()]) -> Response:
    """Sign a demo customer in; a script gets the identity token, a form gets the page."""
    _refuse_other_sites(request)
    person = shop.people.get(login)
    if person is None:
        raise HTTPException(404, "There is no demo customer with this login.")
    if "application/json" in request.headers.get("Accept", ""):
        told = {"identity": shop.sign(person.id), "name": person.name}
        answer: Response = JSONResponse(told, headers={"Cache-Control": "no-store"})
    else:
        answer = RedirectResponse("./", status_code=303)
    answer.set_cookie(SESSION, person.login, samesite="lax", httponly=True)
    return answer


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """Sign out."""
    _refuse_other_sites(request)
    answer = RedirectResponse("./", status_code=303)
    answer.delete_cookie(SESSION)
    return answer


@router.get("/{name}")
def asset(name: str, shop: Shops) -> Response:
    """A style, script or drawing of the page."""
    if name not in ASSETS:
        raise HTTPException(404)
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    return Response((FOLDER / name).read_bytes(), media_type=ASSETS[name], headers=headers)


@cache
def _template() -> Template:
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("page.html")


@cache
def _phrases(currency: str) -> Phrases:
    return Phrases(FOLDER / "texts", currency=currency)


def _say(phrases: Phrases, language: Language, key: str, **facts: object) -> str:
    return phrases.say(key, language, **facts)


def _language(request: Request, asked: str) -> Language:
    for wish in (asked, request.cookies.get(LANGUAGE, ""), request.headers.get("Accept-Language", "")[:2]):
        if wish in ("ru", "en"):
            return cast(Language, wish)
    return "ru"


def _refuse_other_sites(request: Request) -> None:
    """A sign-in started by another site would let it choose who its visitor is here."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403, "Sign in from the shop's own page.")


@cache
def _people(shop: Path) -> Mapping[str, Person]:
    rows = json.loads((shop / "customers.json").read_text("utf-8"))["customers"]
    named = (row for row in rows if row.get("login"))
    return {
        row["login"]: Person(
            id=CustomerId(row["id"]),
            login=row["login"],
            name=row["name"],
            city=row["city"],
            level=row["level"],
        )
        for row in named
    }


@cache
def _goods(shop: Path) -> tuple[Good, ...]:
    rows = json.loads((shop / "products.json").read_text("utf-8"))["products"]
    by_code = {row["code"]: row for row in rows}
    return tuple(_good(by_code[code]) for code in SHOWN if code in by_code)


def _good(row: Mapping[str, Any]) -> Good:
    prices = sorted(variant["price"] for variant in row["variants"])
    ratings = [review["rating"] for review in row.get("reviews", ())]
    return Good(
        code=row["code"],
        category=row["category"],
        title=row["title"],
        price=prices[0],
        ranges=prices[0] != prices[-1],
        in_stock=any(variant["stock"] for variant in row["variants"]),
        rating=round(sum(ratings) / len(ratings), 1) if ratings else 0.0,
        reviews=len(ratings),
        attributes=row["attributes"],
    )
