"""Where an answer may lead: the company's own hosts, read as a customer's software reads them."""

from pathlib import Path

import pytest

from agent.domain import Action, Button, Citation, Reply
from agent.errors import BadPack
from agent.outgoing import outgoing
from agent.pack import load_pack
from agent.policy.hosts import foreign, host_of, without_foreign
from agent.policy.limits import limit_of
from knowledge.load import load

ROOT = Path(__file__).resolve().parents[2]
OWN = frozenset({"shop.example", "*.docs.example"})


@pytest.mark.parametrize(
    "text",
    [
        "Смотрите shop.example/returns и https://www.shop.example/a?b=1.",
        "Пишите на help@shop.example.",
        "Описание лежит на a.b.docs.example и на docs.example.",
        "Возврат — 14 дней, т.е. две недели; версия 2.5.1, IP.67, 12.03.2026, 10:00-20:00.",
        "г.Москва, ул.Ленина,д.5. Деньги вернём.Доставка платная.",
        "Файл README.md и Node.js, 8 800 000-07-04, и/или.",
        "",
    ],
)
def test_the_companys_own_addresses_and_what_only_looks_like_one_stay(text: str) -> None:
    assert foreign(text, allowed=OWN) == ()
    assert without_foreign(text, allowed=OWN) == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("![p](https://evil.example/p?q=1)", "https://evil.example/p?q=1"),
        ("[shop.example](https://evil.example)", "https://evil.example"),
        ("https://shop.example@evil.example/a", "https://shop.example@evil.example/a"),
        ("https://shop.example.evil.test/a", "https://shop.example.evil.test/a"),
        ("shop.example.evil.top", "shop.example.evil.top"),
        ("https:\\\\evil.test\\a", "https:\\\\evil.test\\a"),
        ("<img src='//evil.example/i.png'>", "//evil.example/i.png"),
        ("evil.top", "evil.top"),
        ("evil.рф/путь", "evil.рф/путь"),
        ("shоp.example", "shоp.example"),
        ("e\u200bvil.example", "evil.example"),
        ("evil。example", "evil.example"),
        ("www.evil.nowhere", "www.evil.nowhere"),
        # A label too long for the net is one that somebody may shorten.
        (f"{'ы' * 60}.рф", f"{'ы' * 60}.рф"),
        ("http://203.0.113.5/a", "http://203.0.113.5/a"),
        ("http://3405803781/a", "http://3405803781/a"),
        ("data:text/html;base64,AAA=", "data:text/html;base64,AAA="),
        ("javascript:alert(1", "javascript:alert(1"),
        ("pay@evil.example", "pay@evil.example"),
        ("docs.example.evil.example", "docs.example.evil.example"),
    ],
)
def test_an_address_that_leads_elsewhere_is_found_however_it_is_written(text: str, found: str) -> None:
    assert foreign(text, allowed=OWN) == (found,)
    assert found not in without_foreign(text, allowed=OWN)
    assert limit_of(text, hosts=OWN) == "foreign_link"
    assert limit_of(text) is None


@pytest.mark.parametrize(
    "image", ["<img src='zubrowka.jpg' alt='x'>", "![вид](view.png)", "<img alt=x src=data>"]
)
def test_an_image_without_a_host_leads_nobody_knows_where(image: str) -> None:
    assert foreign(f"Смотрите: {image}", allowed=OWN) == (image,)


def test_an_image_at_the_companys_own_host_stays() -> None:
    assert (
        foreign("<img src='https://shop.example/a.png'> ![вид](https://shop.example/b.png)", allowed=OWN)
        == ()
    )


def test_the_host_is_the_one_a_browser_would_open() -> None:
    assert host_of("https://shop.example:pass@evil.example:8443/a") == "evil.example"
    assert host_of("pay@evil.example".rpartition("@")[2]) == "evil.example"
    assert host_of("https://[broken") == ""


def test_no_part_of_a_reply_leads_away() -> None:
    link = "https://evil.example/a"
    reply = Reply(
        text=f"Читайте {link}",
        citations=(Citation(document="d", passage="d#1", title=f"О {link}", quote=f"Цитата {link} дальше"),),
        buttons=(
            Button(label="Открыть", action=Action(kind="say", target=link)),
            Button(label="Да", action=Action(kind="confirm", target="p-1")),
        ),
    )
    left = outgoing(reply, hosts=OWN)
    assert "evil" not in f"{left}"
    assert left.text == "Читайте …"
    assert [button.label for button in left.buttons] == ["Да"]


def test_the_companys_documents_lead_nowhere_but_to_its_own_hosts() -> None:
    hosts = load_pack(ROOT / "demo").hosts
    assert "fonar.example" in hosts
    files = [
        p for p in (ROOT / "demo" / "knowledge").rglob("*") if p.suffix in (".md", ".html", ".docx", ".pdf")
    ]
    texts = [load(path).text for path in files]
    assert sum("@fonar.example" in text for text in texts) >= 3
    assert [found for text in texts for found in foreign(text, allowed=hosts)] == []


@pytest.mark.parametrize("wrong", ["https://shop.example", "shop.example/path", "shop", "*", "магазин.рф"])
def test_a_host_that_is_none_is_refused_with_its_line_and_a_remedy(tmp_path: Path, wrong: str) -> None:
    for name in ("company.toml", "policy.toml"):
        (tmp_path / name).write_text((ROOT / "demo" / name).read_text("utf-8"), "utf-8")
    policy = tmp_path / "policy.toml"
    text = policy.read_text("utf-8").replace("hosts = []", f'hosts = ["{wrong}"]')
    policy.write_text(text, "utf-8")
    with pytest.raises(BadPack, match="is no host; write it alone") as refused:
        load_pack(tmp_path)
    line = next(n for n, row in enumerate(text.splitlines(), start=1) if row.startswith("hosts ="))
    assert f"policy.toml:{line}:" in str(refused.value)
    assert refused.value.remedy


def test_a_listed_host_may_be_led_to(tmp_path: Path) -> None:
    for name in ("company.toml", "policy.toml"):
        (tmp_path / name).write_text((ROOT / "demo" / name).read_text("utf-8"), "utf-8")
    policy = tmp_path / "policy.toml"
    policy.write_text(policy.read_text("utf-8").replace("hosts = []", 'hosts = ["*.track.example"]'), "utf-8")
    hosts = load_pack(tmp_path).hosts
    assert foreign("https://a.track.example/1 и https://track.example.org", allowed=hosts) == (
        "https://track.example.org",
    )


@pytest.mark.parametrize("end", [")", "", "\u2026"])
def test_of_an_image_from_elsewhere_not_even_its_frame_is_left(end: str) -> None:
    text = f"Заказ ![статус](https://collect.evil.example/p.png?d=1{end} в пути"
    assert without_foreign(text, allowed=["fonar.example"]) == "Заказ … в пути"
