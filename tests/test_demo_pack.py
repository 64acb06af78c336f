"""The demo company is whole: its settings parse, its documents exist and agree with what is asked of them."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
import sys
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pypdf
import pytest
import yaml
from bs4 import BeautifulSoup
from docx import Document
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "demo"
KNOWLEDGE = DEMO / "knowledge"
PURPOSES = {
    "orders:read",
    "orders:write",
    "profile:read",
    "profile:write",
    "memory",
    "personalisation",
    "notices",
    "marketing",
    "model:external",
}


def toml(name: str) -> dict[str, Any]:
    return tomllib.loads((DEMO / name).read_text("utf-8"))


def manifest() -> list[dict[str, Any]]:
    return toml("knowledge/documents.toml")["document"]


def document_id(path: str) -> str:
    language, _, file = path.partition("/")
    stem = file.rsplit(".", 1)[0]
    return f"{stem}.en" if language == "en" else stem


def questions() -> list[dict[str, Any]]:
    return yaml.safe_load((DEMO / "questions.yaml").read_text("utf-8"))


def squeezed(text: str) -> str:
    return " ".join(text.split())


@cache
def text(path: str) -> str:
    """Return the text a reader of the file sees, with single spaces."""
    file = KNOWLEDGE / path
    match file.suffix:
        case ".pdf":
            return squeezed("\n".join(page.extract_text() for page in pypdf.PdfReader(file).pages))
        case ".docx":
            document = Document(str(file))
            cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
            return squeezed("\n".join([*(p.text for p in document.paragraphs), *cells]))
        case ".html":
            return squeezed(page(file).get_text(" "))
        case _:
            return squeezed(file.read_text("utf-8"))


def page(file: Path) -> BeautifulSoup:
    soup = BeautifulSoup(file.read_text("utf-8"), "html.parser")
    for noise in soup(["script", "style", "nav", "header", "footer", "aside"]):
        noise.decompose()
    return soup


def sections(path: str) -> Iterator[str]:
    """Yield the headings that open a section: the second level in every format."""
    file = KNOWLEDGE / path
    match file.suffix:
        case ".pdf":
            outline = pypdf.PdfReader(file).outline
            yield from (str(entry.title) for inner in outline if isinstance(inner, list) for entry in inner)
        case ".docx":
            yield from (p.text for p in Document(str(file)).paragraphs if p.style.name == "Heading 2")
        case ".html":
            yield from (h.get_text() for h in page(file)("h2"))
        case _:
            yield from re.findall(r"^## (.+)$", file.read_text("utf-8"), flags=re.MULTILINE)


def first_heading(path: str) -> str:
    file = KNOWLEDGE / path
    match file.suffix:
        case ".pdf":
            return str(pypdf.PdfReader(file).outline[0].title)
        case ".docx":
            return next(p.text for p in Document(str(file)).paragraphs if p.style.name == "Heading 1")
        case ".html":
            return squeezed(page(file).h1.get_text())
        case _:
            return file.read_text("utf-8").splitlines()[0].removeprefix("# ")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo_documents", ROOT / "scripts" / "demo_documents.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


# ── settings ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_toml_file_of_the_pack_parses() -> None:
    files = [DEMO / "company.toml", DEMO / "policy.toml", KNOWLEDGE / "documents.toml"]
    assert all(tomllib.loads(file.read_text("utf-8")) for file in files)


def test_the_company_speaks_russian_first_and_english_second() -> None:
    company = toml("company.toml")
    assert company["languages"] == ["ru", "en"]
    assert set(company["name"]) == set(company["legal_name"]) == {"ru", "en"}
    for replies in company["greeting"]["quick_replies"].values():
        assert 3 <= len(replies) <= 5


def test_departments_have_names_cases_hours_and_exactly_one_default() -> None:
    departments = toml("company.toml")["departments"]
    assert {d["id"] for d in departments} == {"delivery", "returns", "payments", "products", "care"}
    assert [d["id"] for d in departments if d.get("default")] == ["care"]
    for department in departments:
        assert set(department["name"]) == set(department["to"]) == {"ru", "en"}
        assert department["to"]["ru"].split()[0] in {"в", "консультанту"}
        assert department["answer_minutes"] > 0
        assert len(set(department["topics"])) == len(department["topics"]) >= 5
        assert set(department["languages"]) <= {"ru", "en"}


def test_hours_are_spans_that_end_after_they_begin() -> None:
    company = toml("company.toml")
    weeks = [company["hours"], *(d["hours"] for d in company["departments"] if "hours" in d)]
    assert all(list(week) == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] for week in weeks)
    days = [spans for week in weeks for spans in week.values()] + [
        row["hours"] for row in company["calendar"]
    ]
    for span in (span for spans in days for span in spans):
        begin, end = map(dt.time.fromisoformat, span.split("-"))
        assert begin < end


def test_the_calendar_has_every_public_holiday_of_both_years_once() -> None:
    rows = toml("company.toml")["calendar"]
    days = [row["date"] for row in rows]
    assert days == sorted(set(days))
    fixed = [(1, day) for day in range(1, 9)] + [(2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4)]
    holidays = {row["date"] for row in rows if row["kind"] == "holiday"}
    assert holidays == {dt.date(year, month, day) for year in (2026, 2027) for month, day in fixed}
    assert all(set(row["name"]) == {"ru", "en"} for row in rows)


def test_moved_days_off_replace_working_days_and_short_days_precede_days_off() -> None:
    rows = {row["date"]: row for row in toml("company.toml")["calendar"]}
    for day, row in rows.items():
        if row["kind"] == "moved":
            assert day.weekday() < 5
        if row["kind"] == "short":
            tomorrow = day + dt.timedelta(days=1)
            assert tomorrow in rows or tomorrow.weekday() == 6
            assert row["hours"] != []


def test_every_purpose_has_its_exact_text_and_its_gain_in_both_languages() -> None:
    purposes = toml("policy.toml")["purposes"]
    assert set(purposes) == PURPOSES
    for purpose in purposes.values():
        assert purpose["basis"] in {"consent", "contract"}
        assert purpose["version"] in {"2026-11-01", "2026-11-28"}
        for words in (purpose["text"], purpose["gives"]):
            assert set(words) == {"ru", "en"}
            assert all(len(words[language]) > 20 for language in words)
        assert purpose["text"]["ru"].endswith("?")
        assert purpose["text"]["en"].endswith("?")


def test_the_consent_to_read_orders_says_what_is_read_and_that_it_serves_nothing_else() -> None:
    text_shown = toml("policy.toml")["purposes"]["orders:read"]["text"]
    assert text_shown["ru"] == (
        "Чтобы ответить, мне нужно посмотреть ваши заказы: номер, состав, статус. "
        "Больше ни для чего я эти данные не использую. Разрешаете?"
    )
    assert text_shown["en"] == (
        "To answer, I need to see your orders: number, items, status. I won't use them for anything else. May I?"
    )


def test_thresholds_limits_and_the_promise_are_within_their_ranges() -> None:
    policy = toml("policy.toml")
    assert 0 < policy["promise"]["at_most_wrong"] < 0.5 < policy["promise"]["confidence"] < 1
    assert 0 < policy["thresholds"]["answer"] <= 1
    writes, codes = policy["limits"].pop("writes"), policy["assurance"]["codes"]
    figures = {**policy["limits"], **policy["caps"], **policy["confirmation"], **writes}
    assert all(value > 0 for value in [*figures.values(), *(v for v in codes.values() if v != "email")])
    assert (codes["failures"], codes["expires_minutes"]) == (5, 10)
    quiet = policy["quiet_hours"]
    assert dt.time.fromisoformat(quiet["from"]) > dt.time.fromisoformat(quiet["to"])
    assert set(quiet["applies_to"]) <= PURPOSES


# ── documents ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_row_has_its_file_and_every_file_its_row() -> None:
    rows = [row["path"] for row in manifest()]
    files = {p.relative_to(KNOWLEDGE).as_posix() for p in KNOWLEDGE.glob("*/*") if p.is_file()}
    assert len(rows) == len(set(rows))
    assert set(rows) == files


def test_there_are_enough_documents_in_each_language_and_format() -> None:
    languages = Counter(row["path"].split("/")[0] for row in manifest())
    formats = Counter(Path(row["path"]).suffix for row in manifest())
    assert languages["ru"] >= 42
    assert languages["en"] >= 26
    assert min(formats[".html"] - 6, formats[".docx"] - 5, formats[".pdf"] - 5) >= 0
    assert formats[".md"] > sum(formats.values()) / 2
    assert set(formats) == {".md", ".html", ".docx", ".pdf"}


def test_every_english_document_is_a_twin_of_a_russian_one_with_the_same_dates() -> None:
    rows = {row["path"]: row for row in manifest()}
    for path, row in rows.items():
        if path.startswith("en/"):
            twin = rows["ru/" + path.removeprefix("en/")]
            for key in ("department", "audience", "valid_from", "valid_until", "status"):
                assert row.get(key) == twin.get(key), path


def test_rows_name_known_departments_audiences_statuses_and_ordered_dates() -> None:
    departments = {d["id"] for d in toml("company.toml")["departments"]}
    for row in manifest():
        assert row["department"] in departments
        assert row.get("audience", "customer") in {"customer", "staff"}
        assert row.get("status", "published") in {"published", "retired"}
        assert row.get("valid_from", dt.date.min) < row.get("valid_until", dt.date.max)


@pytest.mark.parametrize("path", [row["path"] for row in manifest()])
def test_a_document_is_headed_by_its_title_and_cut_into_sections(path: str) -> None:
    title = next(row["title"] for row in manifest() if row["path"] == path)
    assert first_heading(path) == title or title.startswith(first_heading(path))
    headings = list(sections(path))
    assert 3 <= len(headings) <= 7
    assert len(set(headings)) == len(headings)


@pytest.mark.parametrize("path", [row["path"] for row in manifest()])
def test_a_document_is_long_enough_to_be_useful_and_short_enough_to_be_read(path: str) -> None:
    assert 130 <= len(text(path).split()) <= 450


def test_the_collection_stays_small_enough_for_a_quick_first_import() -> None:
    assert sum(len(list(sections(row["path"]))) for row in manifest()) <= 330


def test_no_document_uses_words_the_company_forbids_itself() -> None:
    forbidden = [phrase.lower() for phrase in toml("company.toml")["voice"]["forbidden"]]
    found = [(row["path"], p) for row in manifest() for p in forbidden if p in text(row["path"]).lower()]
    assert found == []


def test_two_documents_are_outdated_one_by_status_and_one_by_date() -> None:
    rows = {row["path"]: row for row in manifest()}
    assert rows["ru/delivery-2025.md"]["status"] == "retired"
    assert rows["ru/loyalty-2025.html"].get("status", "published") == "published"
    assert rows["ru/loyalty-2025.html"]["valid_until"] < dt.date(2026, 11, 1)


def test_two_live_documents_contradict_each_other_about_opened_bulbs() -> None:
    assert "Лампочку во вскрытой упаковке можно вернуть в течение 14 дней" in text("ru/returns.md")
    assert "Лампочку во вскрытой упаковке можно вернуть в течение 7 дней" in text("ru/bulb-guide.md")
    assert not (KNOWLEDGE / "en" / "bulb-guide.md").exists()


def test_exactly_one_document_is_for_staff() -> None:
    assert [row["path"] for row in manifest() if row.get("audience") == "staff"] == ["ru/staff-returns.md"]


def test_seasonal_documents_are_valid_only_in_their_season() -> None:
    rows = {row["path"]: row for row in manifest()}
    new_year, friday = rows["ru/new-year-delivery.md"], rows["ru/black-friday-2026.md"]
    assert (new_year["valid_from"], new_year["valid_until"]) == (dt.date(2026, 12, 15), dt.date(2027, 1, 10))
    assert (friday["valid_from"], friday["valid_until"]) == (dt.date(2026, 11, 20), dt.date(2026, 11, 30))


def test_html_pages_bring_the_noise_real_pages_have() -> None:
    raw = {p.name: p.read_text("utf-8") for p in KNOWLEDGE.glob("ru/*.html")}
    assert all(re.search(r"<title>.+</title>", html) for html in raw.values())
    assert any("<nav>" in html and "<footer>" in html for html in raw.values())
    assert any("<script>" in html for html in raw.values())
    assert sum("<table>" in html for html in raw.values()) >= 4


def test_pdf_text_reads_in_the_order_of_its_source() -> None:
    for row in manifest():
        path = Path(row["path"])
        if path.suffix != ".pdf":
            continue
        source = (DEMO / "sources" / path.parent / f"{path.stem}.md").read_text("utf-8")
        lines = [t.content for t in MarkdownIt().enable("table").parse(source) if t.type == "inline"]
        got, at = text(row["path"]), 0
        for line in lines:
            at = got.find(squeezed(line), at)
            assert at >= 0, f"{path}: {line!r} is missing or out of order"


def test_a_pdf_has_two_pages_and_docx_files_have_tables() -> None:
    pages = [len(pypdf.PdfReader(p).pages) for p in KNOWLEDGE.glob("*/*.pdf")]
    assert max(pages) >= 2
    assert all(Document(str(p)).tables for p in KNOWLEDGE.glob("*/*.docx"))


# ── the generator ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_making_documents_twice_gives_the_same_bytes(generator: ModuleType, tmp_path: Path) -> None:
    first = {p.name: p.read_bytes() for p in generator.build(out=tmp_path / "a") if p.parent.name == "ru"}
    again = {p.name: p.read_bytes() for p in generator.build(out=tmp_path / "b") if p.parent.name == "ru"}
    assert first == again
    assert len(first) >= 8


def test_committed_documents_are_what_their_sources_make(generator: ModuleType, tmp_path: Path) -> None:
    """Contents are compared, not bytes: another build of zlib packs the same contents differently."""
    for made in generator.build(out=tmp_path):
        committed = KNOWLEDGE / made.relative_to(tmp_path)
        assert unpacked(committed) == unpacked(made), (
            f"run scripts/demo_documents.py: {committed.name} is stale"
        )


def unpacked(file: Path) -> dict[str, bytes]:
    if file.suffix == ".docx":
        with zipfile.ZipFile(file) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    pages = pypdf.PdfReader(file).pages
    return {str(n): page.get_contents().get_data() for n, page in enumerate(pages)}


def test_sources_are_exactly_those_of_generated_documents() -> None:
    made = {
        Path(row["path"]).with_suffix(".md").as_posix()
        for row in manifest()
        if row["path"].endswith(("pdf", "docx"))
    }
    assert {p.relative_to(DEMO / "sources").as_posix() for p in (DEMO / "sources").glob("*/*")} == made


# ── questions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_there_are_enough_questions_in_both_languages_and_enough_without_an_answer() -> None:
    answered = Counter(q["language"] for q in questions() if q["document"])
    open_ones = Counter(q["kind"] for q in questions() if q["document"] is None)
    assert answered.total() >= 60
    assert answered["ru"] >= 40
    assert answered["en"] >= 15
    assert open_ones.total() >= 12
    assert set(open_ones) == {"absent", "outside"}
    assert len({q["q"] for q in questions()}) == len(questions())


def test_the_gold_words_of_each_question_stand_in_a_live_document_for_customers() -> None:
    rows = {document_id(row["path"]): row for row in manifest()}
    for question in questions():
        if question["document"] is None:
            assert set(question) == {"q", "language", "document", "kind"}
            continue
        for name in [question["document"], *question.get("also", [])]:
            row = rows[name]
            assert squeezed(question["contains"]) in text(row["path"]), question["q"]
            assert row.get("audience", "customer") == "customer"
            assert row.get("status", "published") == "published"
            assert "valid_until" not in row
        assert question["document"].endswith(".en") == (question["language"] == "en")
