"""Logs hold no secrets."""

import pytest

from api.logs import mask


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
