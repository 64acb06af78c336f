"""Every official call of the bank, done and refused, in its official words: stories of one customer at a small bank."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.tau.banking import BANKING
from evals.tau.banking.interface import agent_tools, customer_tools, open_tools
from tests.evals.tau.bank import ANN, CHECKING, DATABASE
from tests.evals.tau.kit import opened, said

Step = tuple[str, dict[str, Any], str]
STEPS: Mapping[str, Sequence[Step]] = yaml.safe_load(
    Path(__file__).with_name("bank_calls.yaml").read_text("utf-8")
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Any]:
    async with opened(BANKING, DATABASE, tmp_path, owner=ANN) as found:
        yield found


@pytest.mark.parametrize("part", ["cards", "accounts", "credits", "claims"])
async def test_what_an_agent_discovers_answers_in_the_official_words(world: Any, part: str) -> None:
    for name, arguments, wanted in STEPS[part]:
        await said(world, "unlock_discoverable_agent_tool", agent_tool_name=name)
        call = {"agent_tool_name": name, "arguments": json.dumps(arguments)}
        told = await said(world, "call_discoverable_agent_tool", **call)
        assert told.startswith(wanted), (name, arguments, told)


async def test_what_a_customer_is_given_answers_in_the_official_words(world: Any) -> None:
    for name, arguments, wanted in STEPS["own"]:
        await said(world, "give_discoverable_user_tool", discoverable_tool_name=name)
        call = {"discoverable_tool_name": name, "arguments": json.dumps(arguments)}
        told = await said(world, "call_discoverable_user_tool", **call)
        assert told.startswith(wanted), (name, arguments, told)


async def test_what_is_open_answers_in_the_official_words(world: Any) -> None:
    by = {name: entry.by for name, entry in open_tools().items()}
    for name, arguments, wanted in STEPS["open"]:
        told = await said(world, name, by[name], **arguments)
        assert told.startswith(wanted), (name, arguments, told)


async def test_nothing_of_anothers_is_changed_by_any_of_it(world: Any) -> None:
    """Security requirement 1: a foreign id looks absent, in every call that takes one."""
    for entry in agent_tools().values():
        given = {one.name: _foreign(one.name, one.form) for one in entry.takes}
        await said(world, "unlock_discoverable_agent_tool", agent_tool_name=entry.name)
        call = {"agent_tool_name": entry.name, "arguments": json.dumps(given)}
        told = await said(world, "call_discoverable_agent_tool", **call)
        assert "900.00" not in told
        assert "Bob" not in told
    database: Any = await world.database()
    changed = {name for name, table in database.items() if table != DATABASE[name]}
    assert changed == {"agent_discoverable_tools"}


def _foreign(name: str, form: str) -> Any:
    ids = {
        "user_id": "bob2",
        "account_id": "chk_bob",
        "source_account_id": "chk_bob",
        "destination_account_id": CHECKING,
        "checking_account_id": "chk_bob",
        "card_id": "dbc_bob",
        "credit_card_account_id": "cc_bob",
        "transaction_id": "btxn_bob",
    }
    values: dict[str, Any] = {"number": 5, "integer": 5, "boolean": True}
    return ids.get(name, values.get(form, "x"))


def test_every_call_is_tried_and_every_one_that_can_refuse_is_refused() -> None:
    tried = [step for part in STEPS.values() for step in part]
    done = {name for name, _, wanted in tried if not wanted.startswith(("Error", "Failed", "No "))}
    refused = {name for name, _, wanted in tried if wanted.startswith(("Error", "Failed"))}
    every = {**agent_tools(), **customer_tools(), **open_tools()}
    assert set(every) - done == {"get_user_information_by_name"}
    assert {name for name, entry in every.items() if entry.action and entry.refused} <= refused | {
        "get_referral_link"
    }
