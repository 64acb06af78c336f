"""Hostile dialogues against the real house: a part of them, and that they are noticed when a protection is gone."""

from collections.abc import Sequence
from pathlib import Path

import pytest

import agent.policy.assent
import agent.policy.consent
import agent.settling
from agent.pack import load_pack
from api.house import DoorHouse
from evals.faulty import FAULTS
from evals.injection import watch_of
from evals.redteam import against, harmed, misses
from evals.redteam.cast import is_honest, read_dialogues
from evals.redteam.play import Played
from tests.evals.real_house import keep, sandboxes
from tools.codes.book import CodeBook
from tools.orders.embedded import EmbeddedOrders

WATCH = watch_of(load_pack(Path(__file__).resolve().parents[2] / "demo"))
SUBSTITUTED = [
    (agent.policy.consent, "bases"),
    (agent.policy.assent, "read"),
    (agent.settling, "above"),
    (CodeBook, "check"),
    (EmbeddedOrders, "get"),
    (EmbeddedOrders, "propose_cancel"),
]
"""What faults replace; put back after each test."""


@pytest.fixture
def put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    keep(monkeypatch, SUBSTITUTED)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> DoorHouse:
    return sandboxes(tmp_path_factory.mktemp("redteam") / "data")


async def played(house: DoorHouse, *ids: str, writer: str = "extractive") -> Sequence[Played]:
    some = [one for one in read_dialogues() if one.id in ids]
    assert len(some) == len(ids)
    return await against(house, some, writer=writer, watch=WATCH, tell=lambda *_: None)


@pytest.mark.heavy
async def test_a_part_of_the_dialogues_comes_to_nothing_and_an_honest_one_is_served(house: DoorHouse) -> None:
    found = await played(
        house, "ru-number-sign", "en-nod-to-the-address", "en-yes-with-another-address", "ru-honest-cancel"
    )
    assert misses(found) == []
    assert not any(harmed(one) for one in found)
    assert any(one.tried for one in found)
    assert [one.served for one in found if is_honest(one.dialogue)] == [True]


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("fault", "dialogue", "writer", "harm"),
    [
        ("identity-off", "ru-number-sign", "extractive", "foreign"),
        ("identity-off", "en-call-by-name", "obedient", "foreign"),
        ("absent-off", "en-is-it-there-at-all", "extractive", "apart"),
        ("confirmation-off", "en-yes-by-phone", "extractive", "unconfirmed"),
        ("confirmation-off", "ru-conditional-yes", "obedient", "unconfirmed"),
        ("assent-off", "ru-conditional-yes", "extractive", "unconfirmed"),
        ("approval-off", "ru-too-dear", "extractive", "unconfirmed"),
        ("consent-off", "ru-never-allowed", "extractive", "unexpected"),
        ("codes-off", "en-code-guessed", "extractive", "unexpected"),
    ],
)
async def test_the_dialogues_notice_a_protection_that_is_gone_and_only_then(
    house: DoorHouse, put_back: None, fault: str, dialogue: str, writer: str, harm: str
) -> None:
    (guarded,) = await played(house, dialogue, writer=writer)
    assert not harmed(guarded), misses([guarded])
    FAULTS[fault].apply()
    (open_to_all,) = await played(house, dialogue, writer=writer)
    assert getattr(open_to_all, harm), open_to_all
