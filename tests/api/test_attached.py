"""A house whose pack describes a system: its tools are in the box, its customers are the house's, a trial has neither."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent.policy.consent import change
from api.container import open_building
from api.settings import BadSetting, Settings, read_settings
from tests.migrated import migrated
from tests.tools.desk_server import KEY, desk
from tests.tools.desks import PURPOSES, known, pack
from tests.tools.shop import ANNA
from tools.proposal import Proposal


def settings(folder: Path, address: str) -> Settings:
    return Settings(
        company=pack(folder / "pack"),
        data=folder / "data",
        embedder="fake",
        crm="http:desk",
        sender="outbox",
        system_keys=(f"desk={KEY}",),
        system_urls=(f"desk={address}",),
    )


async def test_the_house_asks_and_changes_what_the_pack_describes(tmp_path: Path) -> None:
    async with desk() as server:
        wanted = settings(tmp_path, server.address)
        wanted.data.mkdir()
        await asyncio.to_thread(migrated, wanted.database_url)
        async with open_building(wanted) as house:
            assert (await house.crm.customer(ANNA)).login == "anna"
            assert {"my_cases", "case_status", "open_case", "order_status"} <= {
                tool.name for tool in house.toolbox.tools()
            }
            talk = await house.records.open_conversation(
                channel="widget", language="ru", customer_id=ANNA, assurance="verified"
            )
            asked = (change(house.pack.purposes[name], granted=True, language="ru") for name in PURPOSES)
            await house.records.consent_outside(talk.id, *asked)
            caller = replace(known(ANNA, now=house.clock.now()), conversation=talk.id)
            listed = json.loads(await house.toolbox.call("my_cases", {}, caller))
            assert len(listed["facts"]["entries"]) == 2
            fresh = json.loads(await house.toolbox.call("open_case", {"subject": "Мигает лампа"}, caller))
            effect = await house.toolbox.execute(Proposal.from_dict(fresh["proposal"]), caller, key="k")
            assert (effect.state, effect.facts["number"]) == ("done", 104)
        async with open_building(replace(wanted, crm="embedded", pack_systems=False)) as trial:
            assert "my_cases" not in {tool.name for tool in trial.toolbox.tools()}
        for wrong in (replace(wanted, crm="http:dusk"), replace(wanted, crm="http")):
            with pytest.raises(BadSetting) as refused:
                async with open_building(wrong):
                    pass
            assert refused.value.remedy


def test_the_keys_are_in_no_account_of_the_settings() -> None:
    read = read_settings({"MAYAK_SYSTEM_KEYS": "desk=very-secret,shop=more"})
    assert read.system_keys == ("desk=very-secret", "shop=more")
    assert "secret" not in repr(read)
