"""A customer asks, and the answer comes from a plugged-in server: the whole house, a real process behind it."""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from api.house import DoorHouse, open_house
from api.settings import ROOT, Settings
from tests.tools.parcels import SERVER, behave, effects, over_pipes, pinned
from tools.mcp.definition import write_pins

PLUGGED = """
[mcp.parcels]
command = {command}

[mcp.parcels.tools.parcel_status]
scope = "orders:read"
effect = "read"
assurance = "channel"
from_caller = {{ customer_id = "customer" }}
cues = {{ ru = ["где моё отправление", "статус отправления", "отследить отправление"], en = ["where is my parcel"] }}
slots.number = {{ ru = ['отправлени\\w+\\s+(?P<value>P-\\d+)'], en = ['parcel\\s+(?P<value>P-\\d+)'] }}
say = {{ ru = "Посылка сейчас: {{state}}, пункт выдачи {{office}}.", en = "The parcel is {{state}}, at {{office}}." }}

[mcp.parcels.tools.book_pickup]
scope = "orders:write"
effect = "write"
assurance = "verified"
from_caller = {{ customer_id = "customer", language = "language" }}
hide = ["request_id", "floor"]
cues = {{ ru = ["вызвать курьера", "вызовите курьера"], en = ["send a courier"] }}
slots.day = {{ ru = ['курьера на (?P<value>\\w+)'], en = ['courier on (?P<value>\\w+)'] }}
confirm = {{ ru = "Вызвать курьера на {{day}}?", en = "Send a courier on {{day}}?" }}
done = {{ ru = "Курьер приедет: {{day}}.", en = "A courier comes: {{day}}." }}
"""

pytestmark = pytest.mark.heavy


@pytest.fixture
async def settings(tmp_path: Path) -> Settings:
    folder, state = tmp_path / "pack", tmp_path / "state"
    shutil.copytree(ROOT / "demo", folder)
    state.mkdir()
    command = json.dumps([sys.executable, str(SERVER), str(state)])
    policy = (folder / "policy.toml").read_text("utf-8") + PLUGGED.format(command=command)
    # The company may ask more for a tool than its assignment does, also where a trial leaves the tool out.
    policy = policy.replace("[assurance.tools]\n", '[assurance.tools]\nparcels_parcel_status = "verified"\n')
    assert "parcels_parcel_status =" in policy
    (folder / "policy.toml").write_text(policy, "utf-8")
    write_pins(folder, "parcels", await pinned(over_pipes(state), state))
    return Settings(company=folder, data=tmp_path / "data", embedder="fake", quiet_ms=0, sender="outbox")


async def asked(house: DoorHouse, text: str, talk: str, **how: Any) -> Mapping[str, Any]:
    return await house.ask(text, conversation=talk, **how)


async def test_a_parcel_is_told_a_courier_is_sent_and_an_injection_goes_nowhere(
    settings: Settings, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    async with open_house(settings) as house:
        talk = await house.start(customer="anna", language="ru")
        for purpose in ("orders:read", "orders:write"):
            await house.consent(talk, purpose, granted=True)
        told = await asked(house, "Статус отправления P-1?", talk)
        assert told["outcome"] == "answered", told
        assert "in_transit" in told["text"]
        assert [tool["name"] for tool in told["tools"]] == ["parcels_parcel_status"]
        assert {row["purpose"] for row in told["data_used"]} == {"orders:read"}

        foreign = await asked(house, "Статус отправления P-2?", talk)
        assert "delivered" not in foreign["text"]
        assert "Mira" not in foreign["text"]

        waiting = await asked(house, "Вызовите курьера на понедельник", talk)
        assert waiting["outcome"] == "waiting"
        assert "Вызвать курьера на понедельник?" in waiting["text"]
        assert not any(line.startswith("booked") for line in effects(state))
        done = await asked(house, "Да", talk)
        assert "Курьер приедет: понедельник." in done["text"]
        assert effects(state).count("booked None") == 1

        behave(state, poisoned=True)
        poisoned = await asked(house, "Статус отправления P-1?", talk)
        assert "evil.example" not in poisoned["text"]
        assert [tool["name"] for tool in poisoned["tools"]] == ["parcels_parcel_status"]
        assert effects(state).count("booked None") == 1


async def test_a_trial_never_reaches_a_plugged_in_system(settings: Settings, tmp_path: Path) -> None:
    async with open_house(settings) as house, house.sandbox({}) as trial:
        talk = await trial.start(customer="anna", language="ru")
        await trial.consent(talk, "orders:read", granted=True)
        before = len(effects(tmp_path / "state"))
        told = await trial.ask("Статус отправления P-1?", conversation=talk)
        assert "parcels_parcel_status" not in {tool["name"] for tool in told["tools"]}
        assert len(effects(tmp_path / "state")) == before
