"""The set that says when two questions are one: what it holds, and that its measure can fail."""

from agent.sameness import Limits
from evals.approved import Asked, fitted, read, score


def test_the_set_is_large_and_its_halves_share_no_subject() -> None:
    rows = read()
    assert len(rows) >= 150
    known = {half: {one.known for one in rows if one.half == half} for half in ("fit", "judge")}
    assert not known["fit"] & known["judge"]
    for half in ("fit", "judge"):
        for language in ("ru", "en"):
            own = [one.same for one in rows if (one.half, one.language) == (half, language)]
            assert own.count(True) >= 20
            assert own.count(False) >= 30
    assert len({(one.known, one.text) for one in rows}) == len(rows)


def asked(known: str, text: str, *, same: bool) -> Asked:
    return Asked(known=known, text=text, same=same, language="ru", half="fit")


ROWS = [
    asked("Как вернуть налобный фонарь?", "как вернуть налобный фонарь", same=True),
    asked("Как вернуть налобный фонарь?", "Как обменять налобный фонарь?", same=False),
    asked("Как вернуть садовый фонарь?", "Как вернуть фонарь для сада?", same=True),
]


def test_answers_to_other_questions_and_answers_missed_are_both_counted() -> None:
    strict = score(ROWS, ROWS, Limits(extra=0.0, missing=0.0, close=0.0), similarity=None)
    assert (strict.right, len(strict.wrong), len(strict.missed), strict.precision) == (1, 0, 1, 1.0)
    loose = score(ROWS, ROWS, Limits(extra=9.0, missing=9.0, close=0.0), similarity=None)
    assert loose.precision < 1.0
    assert ROWS[1] in loose.wrong


def test_fitting_prefers_what_is_never_wrong_here() -> None:
    limits = fitted(ROWS, similarity=None)
    assert not score(ROWS, ROWS, limits, similarity=None).wrong
