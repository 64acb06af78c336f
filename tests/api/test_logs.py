"""Logs hold no secrets, and name nobody."""

import json
import logging

import pytest

from api.logs import mask, set_up_logs


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("Authorization: Bearer abcdefgh", "Authorization: Bearer ***"),
        ("token=abcdefgh next", "token=*** next"),
        ('{"password": "abcdefgh"}', '{"password": "***"}'),
        ("postgresql+psycopg://mayak:hunter22@db:5432/x", "postgresql+psycopg://mayak:***@db:5432/x"),
        ("Uvicorn running on http://127.0.0.1:8000", "Uvicorn running on http://127.0.0.1:8000"),
        ("api_key='sk-12345'", "api_key='***'"),
        ("the key is under the mat", "the key is under the mat"),
    ],
)
def test_what_looks_like_a_secret_is_masked(line: str, kept: str) -> None:
    assert mask(None, "info", {"event": line, "n": 1}) == {"event": kept, "n": 1}


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("no customer for 8 916 123-45-67", "no customer for •••"),
        (
            "tool order_status: not_found (Анна Петрова, anna@mail.ru)",
            "tool order_status: not_found (•••, •••)",
        ),
        ("GET /v1/me: KeyError('Петрова')", "GET /v1/me: KeyError('•••')"),
        ("see http://127.0.0.1:8000/v1/x?phone=89161234567 for it", "see http://127.0.0.1:8000/v1/x for it"),
        ("ValueError: no order of Emily Thornton", "ValueError: no order of •••"),
        ("Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)", None),
        ("Application startup complete.", None),
        ("turn 01JD3K9Z took 1234.5 ms, 3 of 12345678 rows, at 2026-11-29T10:35:26", None),
        ("8f14e45f-ceea-467f-a0e6-3b1f3b6d8f00 resumed", None),
        ("Telegram: 429 Too Many Requests, retry after 30", None),
    ],
)
def test_a_line_names_nobody_and_still_tells_what_happened(line: str, kept: str | None) -> None:
    assert mask(None, "info", {"event": line})["event"] == (kept or line)


def test_values_at_any_depth_are_masked_and_fields_of_our_own_are_not() -> None:
    event = {"event": "x", "logger": "Anna", "level": "info", "rows": [{"to": "Анна Петрова"}, 7], "n": 1}
    assert mask(None, "info", event) == {**event, "rows": [{"to": "•••"}, 7]}


def test_a_trace_keeps_its_places_and_loses_what_was_being_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    before = root.handlers, root.level
    try:
        set_up_logs("info", plain=False)
        try:
            raise ValueError(
                "INSERT failed [parameters: ('Анна Петрова', '8 916 123-45-67', 'anna@mail.ru')]"
            )
        except ValueError:
            logging.getLogger("mayak.x").exception("a turn broke for %s", "Ивана Сидорова")
    finally:
        root.handlers, root.level = before
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert line["event"] == "a turn broke for •••"
    assert "ValueError: INSERT failed [parameters: ('•••', '•••', '•••')]" in line["exception"]
    assert "test_logs.py" in line["exception"]
    assert "Петров" not in json.dumps(line, ensure_ascii=False)
