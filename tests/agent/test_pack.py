"""The company pack: what is read, and how a wrong one is refused."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from agent.contrast import contrast
from agent.departments import back_at, department_for, open_spans
from agent.errors import BadPack
from agent.pack import load_pack, span

ROOT = Path(__file__).resolve().parents[2]
PACK = load_pack(ROOT / "demo")


def broken(tmp_path: Path, file: str, old: str, new: str) -> Path:
    folder = tmp_path / "pack"
    folder.mkdir()
    for name in ("company.toml", "policy.toml"):
        shutil.copy(ROOT / "demo" / name, folder / name)
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("policy.toml", "message_chars = 8000", 'message_chars = "many"', "message_chars"),
        ("policy.toml", "message_chars = 8000", "mesage_chars = 8000", "mesage_chars"),
        ("policy.toml", "answer = 0.5", "answer = 1.5", "answer"),
        ("policy.toml", 'basis = "consent"', 'basis = "vibes"', "basis"),
        ("policy.toml", 'version = "2026-11-01"', 'version = ""', "purposes.orders:read.version"),
        ("policy.toml", 'en = "To answer, I need to see your orders', 'de = "', "purposes.orders:read.text"),
        ("policy.toml", 'en = "I can tell you where', 'en = "" } # "', "purposes.orders:read.gives"),
        ("policy.toml", '"token", "code"]', '"token", "sms"]', "assurance.factors"),
        ("policy.toml", 'by = "email"', 'by = "pigeon"', "assurance.codes.by"),
        ("policy.toml", "expires_minutes = 10\n# Wrong", "expires_minutes = 600\n# Wrong", "expires_minutes"),
        ("policy.toml", "failures = 5", "failures = 0", "assurance.codes.failures"),
        ("policy.toml", "per_contact = 3", "per_contat = 3", "per_contat"),
        ("policy.toml", "[assurance.tools]", '[assurance.tools]\nx = "sure"', "assurance.tools.x"),
        ("policy.toml", "amount = 100000", "amount = -1", "limits.writes.amount"),
        ("policy.toml", "per_day = 10", "per_dya = 10", "limits.writes.per_dya"),
        (
            "policy.toml",
            '"https://fonar.example/pay"',
            '"https://fonar.example.evil.example/pay"',
            "payments.url",
        ),
        ("policy.toml", '"https://fonar.example/pay"', '"http://fonar.example/pay"', "payments.url"),
        ("company.toml", 'mon = ["09:00-20:00"]', 'mon = ["20:00-09:00"]', "ends before it begins"),
        ("company.toml", 'accent = "#0B5FA5"', 'accent = "#FFFF00"', "contrast"),
        ("company.toml", "default = true", "default = false", "default = true"),
        ("company.toml", 'languages = ["ru", "en"]', 'languages = ["ru", ]]', "line"),
    ],
)
def test_a_wrong_pack_is_refused_with_place_and_remedy(
    tmp_path: Path, file: str, old: str, new: str, said: str
) -> None:
    with pytest.raises(BadPack) as refused:
        load_pack(broken(tmp_path, file, old, new))
    assert file in str(refused.value)
    assert said in str(refused.value)
    assert refused.value.remedy


def test_a_fresh_code_is_asked_for_only_where_there_are_codes(tmp_path: Path) -> None:
    folder = broken(
        tmp_path, "policy.toml", "[assurance.tools]", '[assurance.tools]\ncancel_order = "stepped_up"'
    )
    load_pack(folder)
    policy = (folder / "policy.toml").read_text("utf-8")
    (folder / "policy.toml").write_text(policy.replace('["token", "code"]', '["token"]'), "utf-8")
    with pytest.raises(BadPack, match="stepped_up"):
        load_pack(folder)


def test_a_link_that_leads_elsewhere_is_refused_at_its_line(tmp_path: Path) -> None:
    folder = broken(tmp_path, "policy.toml", "https://fonar.example/pay", "https://pay.example/fonar")
    lines = (folder / "policy.toml").read_text("utf-8").splitlines()
    line = lines.index('url = "https://pay.example/fonar"') + 1
    with pytest.raises(BadPack, match=rf"policy\.toml:{line}: payments\.url"):
        load_pack(folder)
    policy = (folder / "policy.toml").read_text("utf-8")
    (folder / "policy.toml").write_text(policy.replace("hosts = []", 'hosts = ["pay.example"]'), "utf-8")
    assert load_pack(folder).policy.payments.url == "https://pay.example/fonar"


def test_the_line_of_a_wrong_value_is_named(tmp_path: Path) -> None:
    folder = broken(tmp_path, "policy.toml", "turn_seconds = 30", "turn_seconds = 0")
    lines = (folder / "policy.toml").read_text("utf-8").splitlines()
    with pytest.raises(BadPack, match=rf"policy\.toml:{lines.index('turn_seconds = 0') + 1}:"):
        load_pack(folder)


@pytest.mark.parametrize("name", ["memory", "personalisation", "marketing", '"model:external"'])
@pytest.mark.parametrize("basis", ["contract", "legal"])
def test_what_only_a_customer_may_allow_rests_on_nothing_else(tmp_path: Path, name: str, basis: str) -> None:
    old = f'[purposes.{name}]\nbasis = "consent"'
    folder = broken(tmp_path, "policy.toml", old, f'[purposes.{name}]\nbasis = "{basis}"')
    lines = (folder / "policy.toml").read_text("utf-8").splitlines()
    line = lines.index(f"[purposes.{name}]") + 2
    with pytest.raises(BadPack, match=rf"policy\.toml:{line}: .*basis.*consent alone") as refused:
        load_pack(folder)
    assert refused.value.remedy


def test_words_without_the_companys_language_are_refused_at_their_line(tmp_path: Path) -> None:
    old = 'gives = { ru = "Не придётся рассказывать всё заново.", en = "You won\'t have to explain everything again." }'
    folder = broken(tmp_path, "policy.toml", old, 'gives = { ru = "Не придётся рассказывать всё заново." }')
    lines = (folder / "policy.toml").read_text("utf-8").splitlines()
    line = lines.index('gives = { ru = "Не придётся рассказывать всё заново." }') + 1
    with pytest.raises(BadPack, match=rf"policy\.toml:{line}: purposes\.memory\.gives: no words in “en”"):
        load_pack(folder)


def test_an_absent_pack_or_file_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(BadPack) as absent:
        load_pack(tmp_path / "nowhere")
    assert "MAYAK_COMPANY" in absent.value.remedy
    with pytest.raises(BadPack, match=r"company\.toml is absent"):
        load_pack(tmp_path)


@pytest.mark.parametrize("text", ["9-18", "25:00-26:00", "09:00", ""])
def test_a_span_of_hours_is_read_strictly(text: str) -> None:
    with pytest.raises(ValueError, match=r"hour|span"):
        span(text)


def test_contrast_is_wcag() -> None:
    assert round(contrast("#000000", "#FFFFFF"), 1) == 21.0
    assert contrast("#0B5FA5", "#FFFFFF") >= 4.5


@pytest.mark.parametrize(
    ("question", "department"),
    [
        ("когда приедет курьер", "delivery"),
        ("хочу оформить возврат, лампа сломалась", "returns"),
        ("где посылка, доставка задерживается", "delivery"),
        ("не проходит оплата картой", "payments"),
        ("просто вопрос ни о чём", "care"),
        ("", "care"),
    ],
)
def test_a_question_goes_to_the_department_that_owns_its_topic(question: str, department: str) -> None:
    assert department_for(question, pack=PACK, language="ru").id == department


def test_a_department_without_the_customers_language_is_not_chosen() -> None:
    assert department_for("my card payment failed", pack=PACK, language="en").id == "care"


def moscow(day: str, hour: int) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour:02}:00:00+03:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "back"),
    [
        (moscow("2026-11-23", 12), None),
        (moscow("2026-11-23", 22), "2026-11-24T09:00"),
        (moscow("2026-11-21", 19), "2026-11-23T09:00"),
        (moscow("2026-12-31", 20), "2027-01-04T10:00"),
        (moscow("2027-01-04", 12), None),
    ],
    ids=["Monday noon", "Monday night", "Saturday evening: Sunday is off", "New Year's Eve", "short holiday"],
)
def test_people_are_back_when_the_calendar_says(now: datetime, back: str | None) -> None:
    found = back_at(now, pack=PACK, department=PACK.department("care"))
    assert (found.isoformat()[:16] if found else None) == back


def test_a_department_works_only_while_the_company_does() -> None:
    returns = PACK.department("returns")
    assert open_spans(date(2026, 11, 21), pack=PACK, department=returns) == ()
    assert open_spans(date(2027, 1, 1), pack=PACK, department=PACK.department("care")) == ()
    monday = open_spans(date(2026, 11, 23), pack=PACK, department=returns)
    assert [(o.hour, c.hour) for o, c in monday] == [(9, 18)]
