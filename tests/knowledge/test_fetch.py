"""Pages are fetched from public addresses only, and the connection goes to the address that was checked.

Names here resolve to public numbers; the test's transport alone carries those numbers to a server on this machine.
"""

import gzip
import socket
from collections.abc import Iterator

import httpx
import pytest

from knowledge.errors import TooLarge
from knowledge.sources.address import public, public_address, resolve
from knowledge.sources.errors import Forbidden, Unreachable
from knowledge.sources.fetch import AGENT, Fetcher, NetLimits
from tests.knowledge.site import PUBLIC, Dialled, Site, names


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def fetcher(site: Site, *, using=None, **limits) -> Fetcher:
    return Fetcher(limits=NetLimits(**limits), using=using or names(), dial=lambda: Dialled(site))


async def test_a_page_is_fetched_from_the_checked_address_under_its_own_name(site):
    site.pages["/help"] = (
        200,
        {"Content-Type": "text/html; charset=windows-1251", "ETag": '"7"'},
        b"<p>hello</p>",
    )
    found = await fetcher(site).get("http://docs.example/help")
    assert (found.status, found.kind, found.charset, found.etag, found.body) == (
        200,
        "text/html",
        "windows-1251",
        '"7"',
        b"<p>hello</p>",
    )
    assert site.dialled == [(PUBLIC, 80)]
    assert site.asked[0]["Host"] == "docs.example"
    assert site.asked[0]["User-Agent"] == AGENT


async def test_an_unchanged_page_is_not_sent_again(site):
    site.pages["/help"] = (200, {"ETag": '"7"'}, b"words")
    found = await fetcher(site).get(
        "http://docs.example/help", etag='"7"', modified="Mon, 02 Nov 2026 10:00:00 GMT"
    )
    assert found.same
    assert found.body == b""
    assert site.asked[0]["If-Modified-Since"].startswith("Mon")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.5.5", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe", "::127.0.0.1",
        "2001:db8::1", "not an address", "",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_told_as_such(address):
    assert not public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8"])
def test_a_public_address_is_told_as_such(address):
    assert public(address)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "017700000001", "0", "[::1]", "[::ffff:127.0.0.1]", "ip6-localhost"]
)  # fmt: skip
async def test_the_real_resolver_never_leads_to_this_machine(host, site):
    real = Fetcher(limits=NetLimits(ports=frozenset({80, site.port})))
    with pytest.raises((Forbidden, Unreachable)):
        await real.get(f"http://{host}:{site.port}/")
    assert site.asked == []


async def test_the_real_resolver_is_asked_and_its_answer_refused():
    assert "127.0.0.1" in await resolve("localhost", 80) or "::1" in await resolve("localhost", 80)
    with pytest.raises(Forbidden, match="not a public address"):
        await public_address("localhost", 80, using=resolve)
    with pytest.raises(Forbidden):
        await public_address("169.254.169.254", 80, using=resolve)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "gopher://docs.example/", "ftp://docs.example/a", "http:///a", "//docs.example/", "docs.example",
        "http://docs.example:22/", "http://docs.example:8080/", "http://user:secret@docs.example/", "http://[::1", "data:text/html,hello",
        "http://docs.example:99999/", "javascript:alert(1)",
    ],
)  # fmt: skip
async def test_other_schemes_ports_and_passwords_are_refused(url, site):
    with pytest.raises(Forbidden):
        await fetcher(site).get(url)
    assert site.asked == []


async def test_a_port_may_be_allowed(site):
    site.pages["/"] = (200, {}, b"words")
    assert (await fetcher(site, ports=frozenset({8080})).get("http://docs.example:8080/")).body == b"words"
    assert site.dialled == [(PUBLIC, 8080)]


async def test_a_name_with_one_private_address_among_public_ones_is_refused(site):
    with pytest.raises(Forbidden):
        await fetcher(site, using=names({"docs.example": [[PUBLIC, "10.0.0.8"]]})).get("http://docs.example/")
    assert site.dialled == []


async def test_a_name_that_changes_its_address_after_the_check_gains_nothing(site):
    """Rebinding: the second answer of the resolver would be this machine, but nobody asks it a second time."""
    site.pages["/"] = (200, {}, b"public words")
    using = names({"docs.example": [[PUBLIC], ["127.0.0.1"]]})
    assert (await fetcher(site, using=using).get("http://docs.example/")).body == b"public words"
    assert site.dialled == [(PUBLIC, 80)]
    assert using.asked == ["docs.example"]


async def test_every_redirect_is_checked_anew(site):
    site.pages["/a"] = (302, {"Location": "http://inside.example/secret"}, b"")
    site.pages["/secret"] = (200, {}, b"secret")
    using = names({"docs.example": [[PUBLIC]], "inside.example": [["192.168.0.5"]]})
    with pytest.raises(Forbidden):
        await fetcher(site, using=using).get("http://docs.example/a")
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    "where", ["http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "http://docs.example:22/", "//127.0.0.1/x", "http://2130706433/"]
)  # fmt: skip
async def test_a_redirect_to_a_forbidden_place_is_not_followed(where, site):
    site.pages["/a"] = (301, {"Location": where}, b"")
    using = names(
        {
            "169.254.169.254": [["169.254.169.254"]],
            "127.0.0.1": [["127.0.0.1"]],
            "2130706433": [["127.0.0.1"]],
        }
    )
    with pytest.raises(Forbidden):
        await fetcher(site, using=using).get("http://docs.example/a")


async def test_a_redirect_on_the_site_is_followed_and_rebinding_between_two_is_refused(site):
    site.pages["/a"] = (301, {"Location": "/b"}, b"")
    site.pages["/b"] = (200, {}, b"moved words")
    found = await fetcher(site).get("http://docs.example/a")
    assert (found.url, found.body) == ("http://docs.example/b", b"moved words")
    with pytest.raises(Forbidden):
        await fetcher(site, using=names({"docs.example": [[PUBLIC], ["127.0.0.1"]]})).get(
            "http://docs.example/a"
        )


async def test_the_sixth_redirect_is_refused(site):
    for n in range(8):
        site.pages[f"/{n}"] = (302, {"Location": f"/{n + 1}"}, b"")
    site.pages["/5"] = (200, {}, b"fifth")
    assert (await fetcher(site).get("http://docs.example/0")).body == b"fifth"
    site.pages["/5"] = (302, {"Location": "/6"}, b"")
    with pytest.raises(Forbidden, match="more than 5"):
        await fetcher(site).get("http://docs.example/0")


async def test_a_body_is_cut_off_at_the_limit_whether_announced_or_not(site):
    site.pages["/announced"] = (200, {}, b"x" * 50_000)
    site.pages["/endless"] = (200, {"X-Endless": "1"}, b"y" * 10_000)
    for path in ("/announced", "/endless"):
        with pytest.raises(TooLarge):
            await fetcher(site, size=20_000).get(f"http://docs.example{path}")
    assert site.sent < 30_000_000


async def test_a_packed_bomb_is_stopped_and_a_packed_page_is_read(site):
    site.pages["/fine"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"packed words"))
    site.pages["/bomb"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 100_000_000))
    site.pages["/odd"] = (200, {"Content-Encoding": "br"}, b"abc")
    site.pages["/torn"] = (200, {"Content-Encoding": "gzip"}, b"not gzip")
    assert (await fetcher(site).get("http://docs.example/fine")).body == b"packed words"
    with pytest.raises(TooLarge):
        await fetcher(site, size=1_000_000).get("http://docs.example/bomb")
    for path in ("/odd", "/torn"):
        with pytest.raises(Unreachable):
            await fetcher(site).get(f"http://docs.example{path}")


async def test_a_server_that_drips_is_left_after_the_time_limit(site):
    site.pages["/slow"] = (200, {"X-Slow": "1"}, b"z" * 100)
    with pytest.raises(Unreachable, match="seconds"):
        await fetcher(site, seconds=0.5).get("http://docs.example/slow")


async def test_nobody_there_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    gone = Site.__new__(Site)
    gone.port, gone.dialled = port, []
    with pytest.raises(Unreachable):
        await Fetcher(using=names(), dial=lambda: Dialled(gone)).get("http://docs.example/")
    with pytest.raises(Unreachable, match="no address"):
        await Fetcher(using=names({})).get("http://nowhere.invalid/")


async def test_a_certificate_must_be_of_the_name_and_not_of_the_number(monkeypatch):
    seen: list[httpx.Request] = []

    class Noting(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return httpx.Response(200, content=b"words")

    await Fetcher(using=names(), dial=Noting).get("https://docs.example/help?q=1")
    assert seen[0].url.host == PUBLIC
    assert seen[0].url.port in (None, 443)
    assert seen[0].extensions["sni_hostname"] == "docs.example"
    assert seen[0].headers["host"] == "docs.example"
