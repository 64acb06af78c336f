"""Pages, sitemaps and repositories become documents; robots, ETag and schedules are kept to."""

import gzip
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from knowledge.errors import KnowledgeFault, TooLarge, Unreadable
from knowledge.imports.report import Progress
from knowledge.imports.stopping import Stop
from knowledge.sources.crawl import name_of
from knowledge.sources.errors import Forbidden, Unreachable
from knowledge.sources.fake import ForgetfulNotes
from knowledge.sources.fetch import Fetcher
from knowledge.sources.gate import import_from, recrawl, visit
from knowledge.sources.git import GitLimits, clone, head_of, is_git
from knowledge.sources.port import Outcome, Page, Schedule
from knowledge.sources.schedule import due, every_of
from knowledge.sources.sitemap import read_sitemap
from knowledge.sources.sql import SqlNotes
from knowledge.types import Query
from tests.knowledge.shelf import opened, sqlite
from tests.knowledge.site import Dialled, Site, names

HTML = {"Content-Type": "text/html; charset=utf-8"}
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def page(title: str, words: str, **headers: str):
    return 200, {**HTML, **headers}, f"<main><h1>{title}</h1><p>{words}</p></main>".encode()


def sitemap(*places: str, tag: str = "url", root: str = "urlset") -> bytes:
    inside = "".join(f"<{tag}><loc>{place}</loc></{tag}>" for place in places)
    return f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{inside}</{root}>'.encode()


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def fetcher(site: Site) -> Fetcher:
    return Fetcher(using=names(), dial=lambda: Dialled(site))


async def test_a_page_becomes_a_document_named_by_its_address(tmp_path, site):
    site.pages["/help/returns.html"] = page("Возврат", "Вернуть товар можно за 14 дней.", ETag='"1"')
    async with opened(sqlite(tmp_path)) as library:
        notes = SqlNotes(library.catalogue._engine)
        url = "http://docs.example/help/returns.html"
        report = await import_from(url, library=library, notes=notes, fetcher=fetcher(site))
        (row,) = report.rows
        assert (row.path, row.document, row.result) == (url, "docs.example-help-returns", "imported")
        document = await library.catalogue.document(row.document)
        assert (document.title, document.source, document.language) == ("Возврат", url, "ru")
        again = await import_from(url, library=library, notes=notes, fetcher=fetcher(site))
        assert again.counts == {"imported": 0, "unchanged": 1, "skipped": 0}
        assert site.asked[-1]["If-None-Match"] == '"1"'
        site.pages["/help/returns.html"] = page("Возврат", "Вернуть товар можно за 30 дней.", ETag='"2"')
        changed = await import_from(url, library=library, notes=notes, fetcher=fetcher(site))
        assert changed.counts["imported"] == 1
        assert "30 дней" in (await library.search(Query("вернуть товар"))).hits[0].passage.text


async def test_a_sitemap_brings_its_pages_and_a_bad_page_is_a_row(tmp_path, site):
    host = "http://docs.example"
    site.pages["/sitemap.xml"] = (
        200,
        {"Content-Type": "application/xml"},
        sitemap(f"{host}/more.xml.gz", f"{host}/a.xml", tag="sitemap", root="sitemapindex"),
    )
    site.pages["/a.xml"] = (
        200,
        {},
        sitemap(
            f"{host}/one", f"{host}/two", f"{host}/missing", "http://elsewhere.example/x", f"{host}/private/x"
        ),
    )
    site.pages["/more.xml.gz"] = (
        200,
        {"Content-Type": "application/gzip"},
        gzip.compress(sitemap(f"{host}/three", f"{host}/one", f"{host}/photo")),
    )
    site.pages["/robots.txt"] = (200, {}, b"User-agent: *\nDisallow: /private/\n")
    for name in ("one", "two", "three"):
        site.pages[f"/{name}"] = page(name.title(), f"Words of page {name} about lamps.")
    site.pages["/private/x"] = page("Private", "Not for robots.")
    site.pages["/photo"] = (200, {"Content-Type": "image/png"}, b"\x89PNG")
    async with opened(sqlite(tmp_path)) as library:
        report = await import_from(
            f"{host}/sitemap.xml", library=library, notes=ForgetfulNotes(), fetcher=fetcher(site)
        )
    rows = {row.path.removeprefix(host): row for row in report.rows}
    assert {path for path, row in rows.items() if row.result == "imported"} == {"/one", "/two", "/three"}
    assert "404" in rows["/missing"].reason
    assert "robots.txt" in rows["/private/x"].reason
    assert "image/png" in rows["/photo"].reason
    assert len(rows) == 6
    assert "/private/x" not in site.paths
    assert site.paths.count("/robots.txt") == 1


@pytest.mark.parametrize(
    "robots",
    [
        (200, {}, b"User-agent: MayakImport\nDisallow: /\n"),
        (503, {}, b""),
        (200, {"X-Endless": "1"}, b"#" * 20_000),
    ],
)
async def test_a_site_that_wants_no_robots_or_cannot_say_is_left_alone(tmp_path, site, robots):
    site.pages["/robots.txt"] = robots
    site.pages["/help"] = page("Help", "Words.")
    async with opened(sqlite(tmp_path)) as library:
        with pytest.raises((Forbidden, Unreachable)):
            await import_from(
                "http://docs.example/help", library=library, notes=ForgetfulNotes(), fetcher=fetcher(site)
            )
        assert await library.catalogue.documents() == []
    assert "/help" not in site.paths


@pytest.mark.parametrize(
    "source",
    [
        "http://localhost/help",
        "http://127.0.0.1/help",
        "http://169.254.169.254/latest/",
        "https://[::1]/a.git",
        "ftp://docs.example/a",
        "ssh://git@docs.example/a.git",
    ],
)
async def test_an_import_from_a_forbidden_address_is_refused_with_the_real_resolver(tmp_path, source):
    async with opened(sqlite(tmp_path)) as library:
        with pytest.raises(KnowledgeFault) as caught:
            await import_from(source, library=library, notes=ForgetfulNotes())
    assert caught.value.remedy


def test_a_hostile_sitemap_is_refused():
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><urlset><url><loc>&b;</loc></url></urlset>'
    for body in (bomb, b"<urlset><url>", b"\x1f\x8b torn"):
        with pytest.raises(Unreadable):
            read_sitemap(body, url="http://docs.example/s.xml", size=1_000_000)
    with pytest.raises(TooLarge):
        read_sitemap(gzip.compress(b" " * 5_000_000), url="http://docs.example/s.xml", size=1_000_000)


def test_addresses_give_readable_ids():
    assert name_of("https://docs.example/help/returns.html") == "docs.example-help-returns"
    assert name_of("https://docs.example/") == "docs.example"
    assert (
        name_of("https://docs.example/%D0%BE%D0%BF%D0%BB%D0%B0%D1%82%D0%B0?lang=ru")
        == "docs.example-оплата-lang-ru"
    )


def test_periods_are_read_and_bounded():
    assert every_of("6h") == timedelta(hours=6)
    assert every_of("90m") == timedelta(minutes=90)
    assert every_of(" 2D ") == timedelta(days=2)
    for words in ("1m", "0h", "31d", "often", "", "6", "-6h"):
        with pytest.raises(Unreadable):
            every_of(words)


def test_what_is_due_comes_longest_waiting_first():
    def one(source: str, hours: float | None) -> Schedule:
        last = None if hours is None else NOW - timedelta(hours=hours)
        return Schedule(source=source, every=timedelta(hours=6), last=last)

    found = due(
        [one("fresh", 1), one("late", 7), one("never", None), one("later", 9), one("exact", 6)], now=NOW
    )
    assert [schedule.source for schedule in found] == ["never", "later", "late", "exact"]


async def test_recrawl_takes_what_is_due_and_a_source_that_fails_does_not_stop_the_others(tmp_path, site):
    site.pages["/good"] = page("Good", "Words of a good page.")
    async with opened(sqlite(tmp_path)) as library:
        notes = library.notes
        for path in ("good", "gone"):
            await notes.keep_schedule(
                Schedule(source=f"http://docs.example/{path}", every=timedelta(hours=6), last=None)
            )
        done = await recrawl(library=library, now=NOW, fetcher=fetcher(site))
        assert [(one.source.rpartition("/")[2], one.report.counts["imported"]) for one in done] == [
            ("gone", 0),
            ("good", 1),
        ]
        assert "404" in done[0].report.rows[0].reason
        assert done[0].report.rows[0].why == "unreachable"
        assert await recrawl(library=library, now=NOW + timedelta(hours=5), fetcher=fetcher(site)) == []
        assert len(await recrawl(library=library, now=NOW + timedelta(hours=6), fetcher=fetcher(site))) == 2
        assert await notes.drop_schedule("http://docs.example/gone")
        assert not await notes.drop_schedule("http://docs.example/gone")
        assert [one.source for one in await notes.schedules()] == ["http://docs.example/good"]


@pytest.mark.parametrize("kind", ["memory", "sql"])
async def test_a_schedule_rests_is_tried_and_forgotten_and_what_is_forgotten_stays_so(tmp_path, kind):
    async with opened(sqlite(tmp_path)) as library:
        notes = library.notes if kind == "sql" else ForgetfulNotes()
        plan = Schedule(source="http://docs.example/a", every=timedelta(hours=6), last=None, drafts=True)
        await notes.keep_schedule(plan)
        outcome = Outcome(imported=1, unchanged=2, skipped=3, why="robots")
        await notes.note_try(plan.source, at=NOW, outcome=outcome)
        await notes.pause_schedule(plan.source, paused=True)
        assert await notes.schedules() == [replace(plan, last=NOW, paused=True, outcome=outcome)]
        assert due(await notes.schedules(), now=NOW + timedelta(days=9)) == []
        assert await notes.drop_schedule(plan.source)
        await notes.note_try(plan.source, at=NOW, outcome=None)
        await notes.pause_schedule(plan.source, paused=False)
        assert await notes.schedules() == []


async def test_a_sitemap_that_is_stopped_keeps_what_it_brought(tmp_path, site):
    pages = [f"/page{n}" for n in range(4)]
    site.pages |= {path: page(path, f"Words of {path}.") for path in pages}
    listed = sitemap(*(f"http://docs.example{path}" for path in pages))
    site.pages["/sitemap.xml"] = (200, {"Content-Type": "application/xml"}, listed)
    stop = Stop()

    def progress(step: Progress) -> None:
        if step.found == 2:
            stop.ask()

    async with opened(sqlite(tmp_path)) as library:
        report = await visit(
            "http://docs.example/sitemap.xml",
            library=library,
            notes=library.notes,
            fetcher=fetcher(site),
            progress=progress,
            stop=stop,
        )
        assert 1 <= report.counts["imported"] < 4
        assert report.counts["skipped"] == 0
        assert len(await library.catalogue.documents()) == report.counts["imported"]


async def test_what_is_known_of_a_page_is_kept(tmp_path):
    async with opened(sqlite(tmp_path)) as library:
        notes = SqlNotes(library.catalogue._engine)
        assert await notes.page("http://docs.example/a") is None
        for etag in ("1", "2"):
            await notes.keep_page("http://docs.example/a", Page(etag=etag, modified="", documents=()))
        assert (await notes.page("http://docs.example/a")).etag == "2"


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> str:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = tmp_path / "docs"
    (folder / "ru").mkdir(parents=True)
    (folder / "ru" / "returns.md").write_text("# Возврат\n\nЗа 14 дней.", encoding="utf-8")
    (folder / "secret.md").symlink_to("/etc/passwd")
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    return f"git+file://{folder}"


async def test_a_repository_becomes_documents_and_is_not_cloned_again_unchanged(tmp_path, repository):
    local = GitLimits(local=True)
    async with opened(sqlite(tmp_path)) as library:
        notes = SqlNotes(library.catalogue._engine)
        report = await import_from(repository, library=library, notes=notes, git=local)
        assert {row.path: row.result for row in report.rows} == {
            "ru/returns.md": "imported",
            "secret.md": "imported",
        }
        assert await library.catalogue.text("secret") == "/etc/passwd"
        again = await import_from(repository, library=library, notes=notes, git=local)
        assert again.counts == {"imported": 0, "unchanged": 2, "skipped": 0}
        folder = Path(repository.removeprefix("git+file://"))
        (folder / "ru" / "returns.md").write_text("# Возврат\n\nЗа 30 дней.", encoding="utf-8")
        git(folder, "commit", "-am", "two")
        changed = await import_from(repository, library=library, notes=notes, git=local)
        assert changed.counts == {"imported": 1, "unchanged": 1, "skipped": 0}


async def test_hooks_and_submodules_of_a_repository_do_nothing(tmp_path, repository):
    folder = Path(repository.removeprefix("git+file://"))
    marker = tmp_path / "ran"
    hook = folder / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    (folder / ".gitmodules").write_text('[submodule "x"]\n\tpath = x\n\turl = file:///etc\n')
    git(folder, "add", ".")
    git(folder, "commit", "-m", "modules")
    await clone(repository, tmp_path / "out", fetcher=Fetcher(), limits=GitLimits(local=True))
    assert (tmp_path / "out" / "ru" / "returns.md").is_file()
    assert not marker.exists()
    assert not (tmp_path / "out" / "secret.md").is_symlink()


@pytest.mark.parametrize(
    "source",
    [
        "git+ext::sh -c id",
        "git+ssh://docs.example/a.git",
        "git+http://docs.example/a.git",
        "git://docs.example/a.git",
        "git+file:///etc",
    ],
)
async def test_only_https_repositories_are_read(tmp_path, source):
    assert is_git(source)
    with pytest.raises(Forbidden):
        await head_of(source, fetcher=Fetcher(using=names()))
    with pytest.raises(Forbidden):
        await clone(source, tmp_path / "out", fetcher=Fetcher(using=names()))


async def test_a_repository_over_the_limit_or_absent_is_refused(tmp_path, repository):
    with pytest.raises(TooLarge):
        await clone(repository, tmp_path / "out", fetcher=Fetcher(), limits=GitLimits(local=True, size=100))
    with pytest.raises(Unreachable, match="git cannot read it"):
        await head_of(f"{repository}-absent", fetcher=Fetcher(), limits=GitLimits(local=True))
