"""The model's own doubt: token log-probabilities, from the wire to the confidence of an answer."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.confidence import BadCalibration, Calibration, Signals, calibration
from agent.domain import Doubt, Sentence
from agent.doubt import doubt_of
from agent.reading import read_answer
from tests.agent.library import CountingSteps, brief, no_status
from tests.agent.test_models import Provider, completion, loop, text
from tests.scripted import ScriptedModel


def told(*pairs: tuple[str, float], raw: bool = False) -> dict[str, Any]:
    rows = [
        {"token": token, "logprob": logprob, "bytes": list(token.encode()) if raw else None}
        for token, logprob in pairs
    ]
    return {"content": rows, "refusal": None}


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    yield server
    server.close()


def sentences(*texts: str) -> Sequence[Sentence]:
    return [Sentence(text=one, refs=("a#1",)) for one in texts]


def test_only_words_count_and_what_stands_around_them_does_not() -> None:
    row = told(("Книгу", -0.1), (" дают", -0.3), (".", -5.0), (" [", -4.0), ("loans#1", -6.0), ("]", -3.0))
    assert doubt_of(row, sentences("Книгу дают.")) == Doubt(
        mean=round(math.exp(-0.2), 4), least=round(math.exp(-0.3), 4)
    )


def test_the_least_sure_sentence_speaks_for_the_answer() -> None:
    row = told(("Yes", -0.01), (".", 0.0), (" Ten", -2.0), (" days", -0.2), (".", 0.0))
    found = doubt_of(row, sentences("Yes.", "Ten days."))
    assert found == Doubt(mean=round(math.exp(-1.1), 4), least=round(math.exp(-2.0), 4))


def test_json_around_the_words_is_not_read_as_words() -> None:
    row = told(
        ('{"sentences":[{"text":"', -3.0), ("Ten", -0.5), (" days", -0.5), ('","refs":["a#1"]}]}', -4.0)
    )
    assert doubt_of(row, read_answer('{"sentences":[{"text":"Ten days","refs":["a#1"]}]}')) == Doubt(
        mean=round(math.exp(-0.5), 4), least=round(math.exp(-0.5), 4)
    )


def test_a_letter_that_two_tokens_share_is_read_by_its_bytes() -> None:
    first, second = "Да".encode()[:3], "Да".encode()[3:]
    rows = [
        {"token": "\\xd0\\x94\\xd0", "logprob": -0.2, "bytes": list(first)},
        {"token": "\\xb0", "logprob": -0.4, "bytes": list(second)},
    ]
    assert doubt_of({"content": rows}, sentences("Да.")) == Doubt(
        mean=round(math.exp(-0.3), 4), least=round(math.exp(-0.4), 4)
    )


@pytest.mark.parametrize(
    "row",
    [
        None,
        {},
        [],
        "no",
        {"content": None},
        {"content": []},
        {"content": [{"token": "Ten"}]},
        {"content": [{"token": "Ten", "logprob": None}]},
        {"content": [{"token": "Ten", "logprob": "-1"}]},
        {"content": [{"token": "Ten", "logprob": float("nan")}]},
        {"content": [{"token": "Ten", "logprob": 3.0}]},
        {"content": [{"token": None, "logprob": -1.0}]},
        {"content": ["Ten"]},
        {"content": [{"token": "Something else", "logprob": -1.0}]},
    ],
)
def test_what_is_not_told_or_malformed_is_no_doubt_at_all(row: object) -> None:
    assert doubt_of(row, sentences("Ten days.")) is None


@given(st.lists(st.floats(-20, 0), min_size=2, max_size=12))
def test_a_less_probable_word_never_makes_the_answer_surer(logprobs: list[float]) -> None:
    words = [f"word{n}" for n in range(len(logprobs))]
    said = sentences(" ".join(words))
    before = doubt_of(told(*[(f" {w}", p) for w, p in zip(words, logprobs, strict=True)]), said)
    worse = [logprobs[0] - 1.0, *logprobs[1:]]
    after = doubt_of(told(*[(f" {w}", p) for w, p in zip(words, worse, strict=True)]), said)
    assert before is not None
    assert after is not None
    assert after.mean <= before.mean
    assert after.least <= before.least


WEIGHED = Calibration(
    weights={"retrieval": 2.0, "certainty": 3.0},
    intercept=-2.0,
    usual={"retrieval": 0.5, "certainty": 0.8},
)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_more_of_the_models_own_certainty_never_lowers_confidence(
    one: float, other: float, found: float
) -> None:
    low, high = sorted((one, other))
    surer = WEIGHED.judge(Signals(retrieval=found, support=1.0, certainty=high)).value
    assert WEIGHED.judge(Signals(retrieval=found, support=1.0, certainty=low)).value <= surer


def test_a_model_that_does_not_tell_is_neither_sure_nor_unsure() -> None:
    def value(certainty: float | None) -> float:
        return WEIGHED.judge(Signals(retrieval=0.5, support=1.0, certainty=certainty)).value

    assert value(0.0) < value(None) < value(1.0)
    assert value(None) == value(0.8)
    assert "low_certainty" in WEIGHED.judge(Signals(support=1.0, certainty=0.1)).reasons
    assert "low_certainty" not in WEIGHED.judge(Signals(support=1.0)).reasons


def test_a_curve_fitted_without_it_does_not_hear_it() -> None:
    packaged = calibration()
    assert not {"certainty", "weakest"} & set(packaged.weights)
    signals = Signals(retrieval=0.8, support=1.0, coverage=0.7, lead=1.0)
    assert packaged.judge(signals) == packaged.judge(replace(signals, certainty=0.01, weakest=0.0))


def test_what_is_not_known_is_not_written_down_as_a_number() -> None:
    assert not {"certainty", "weakest"} & set(Signals().known())
    assert Signals(certainty=0.0).known()["certainty"] == 0.0


def test_a_curve_in_which_certainty_speaks_against_an_answer_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "confidence.toml"
    path.write_text(
        "cases = []\n[curve]\nintercept = 0.0\nknots = []\ntools = 0.9\n"
        '[curve.weights]\ncertainty = -0.5\n[curve.usual]\n[fitted]\non = ""\nsource = ""\nrows = 0\nsha256 = ""\n',
        "utf-8",
    )
    with pytest.raises(BadCalibration, match="below 0"):
        calibration(path)


SAID = "Книгу дают на 21 день. [loans#1]"
TOKENS = told(
    ("Книгу", -0.1),
    (" дают", -0.2),
    (" на", -0.1),
    (" 21", -1.6),
    (" день", -0.1),
    (".", -0.0),
    (" [loans#1]", -0.9),
)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_provider_that_tells_how_sure_it_is_is_heard(provider: Provider, stream: bool) -> None:
    body = completion({"content": SAID})
    body["choices"][0]["logprobs"] = TOKENS
    provider.script = [body]
    draft = await loop(provider, stream=stream).write(brief(), steps=CountingSteps(), status=no_status)
    assert provider.requests[0]["logprobs"] is True
    assert draft.doubt == Doubt(mean=round(math.exp(-2.1 / 5), 4), least=round(math.exp(-1.6), 4))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_provider_that_says_nothing_of_it_answers_all_the_same(
    provider: Provider, stream: bool
) -> None:
    provider.script = [text(SAID)]
    draft = await loop(provider, stream=stream).write(brief(), steps=CountingSteps(), status=no_status)
    assert draft.doubt is None
    assert draft.sentences


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.filterwarnings(
    "ignore:Pydantic serializer warnings"
)  # the client library's, of a body read whole
@pytest.mark.parametrize("logprobs", ["yes", {"content": "x"}, {"content": [1.5, "a"]}, {"tokens": [0.1]}])
async def test_nonsense_in_their_place_does_not_cost_the_answer(
    provider: Provider, stream: bool, logprobs: Any
) -> None:
    body = completion({"content": SAID})
    body["choices"][0]["logprobs"] = logprobs
    provider.script = [body]
    draft = await loop(provider, stream=stream).write(brief(), steps=CountingSteps(), status=no_status)
    assert draft.doubt is None
    assert draft.sentences


@pytest.mark.parametrize(
    "refusal",
    [400, 422, (403, {})],
    ids=["bad request", "unprocessable", "not allowed for this model"],
)
async def test_a_provider_that_refuses_to_tell_is_not_asked_again(provider: Provider, refusal: Any) -> None:
    provider.script = [refusal, text(SAID), text(SAID)]
    provider.says = "You are not allowed to request logprobs from this model"
    writer = loop(provider, ScriptedModel())
    for _ in range(2):
        draft = await writer.write(brief(), steps=CountingSteps(), status=no_status)
        assert (draft.model, draft.doubt) == ("openai:m", None)
    asked, *later = provider.requests
    assert asked["logprobs"] is True
    assert all(not one.get("logprobs") and one["stream"] for one in later)


async def test_it_may_be_switched_off(provider: Provider) -> None:
    provider.script = [text(SAID)]
    await loop(provider, logprobs=False).write(brief(), steps=CountingSteps(), status=no_status)
    assert not provider.requests[0].get("logprobs")
