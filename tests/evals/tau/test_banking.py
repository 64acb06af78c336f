"""The bank: discovery and verification, and the house's rules underneath. Each call has its test beside this file."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from evals.tau.banking import BANKING, official, reckoning, store, tables
from evals.tau.banking.actions import ACTIONS, PURPOSES, accounts, cards, claims, credit, debit_orders
from evals.tau.banking.functions import TEXTS, bank_tools
from evals.tau.banking.interface import agent_tools, customer_tools, open_tools
from evals.tau.banking.official import TODAY
from evals.tau.banking.port import VISITOR
from evals.tau.banking.store import SqlBank
from evals.tau.domain import Call, Unplayable
from evals.tau.replay import figures
from evals.tau.traces import canonical
from knowledge.errors import BadRecords
from tests.evals.tau.bank import ANN, BOB, CHECKING, CLAIM, CREDIT, DATABASE, DEBIT
from tests.evals.tau.kit import identities, open_traces, opened, reasons, said, untold
from tools.context import Caller, ConversationId, CustomerId, TurnId
from tools.errors import Expired, NotFound, NotIdentified
from tools.phrases import LANGUAGES, Phrases
from tools.toolbox import Toolbox

FREEZE = {"agent_tool_name": "freeze_debit_card_3892", "arguments": json.dumps({"card_id": DEBIT})}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Any]:
    async with opened(BANKING, DATABASE, tmp_path) as found:
        yield found


# Who it is. ----------------------------------------------------------------------------------------------------


async def test_the_database_comes_out_as_it_went_in(world: Any) -> None:
    assert canonical(await world.database()) == canonical(DATABASE)


async def test_a_verification_that_fits_makes_the_customer_known_and_is_written_down(world: Any) -> None:
    before = await said(world, "get_credit_card_accounts_by_user", user_id=ANN)
    assert before == "No records found in 'credit_card_accounts'."
    told = await said(world, "log_verification", **CLAIM)
    wanted = "Verification logged successfully.\n  - User: Ann Lee (ID: ann1)\n  - Verified at: 2025-11-14 03:40:00 EST"
    assert told == wanted
    assert CREDIT in await said(world, "get_credit_card_accounts_by_user", user_id=ANN)
    database: Any = await world.database()
    assert database["verification_history"]["data"] == {"ann1_20251114_034000_EST": CLAIM}
    again = await said(world, "log_verification", **CLAIM)
    assert again == "Failed to log verification: Record may already exist."


async def test_a_claim_of_one_factor_verifies_nobody(world: Any) -> None:
    """Security requirement 1: an id alone opens nothing."""
    weak = {**CLAIM, "email": "x", "phone_number": "x", "date_of_birth": "x"}
    assert await said(world, "log_verification", **weak) == "Error: User with ID 'ann1' not found."
    nobody = {**CLAIM, "user_id": "nobody"}
    assert await said(world, "log_verification", **nobody) == "Error: User with ID 'nobody' not found."
    assert await said(world, "get_referrals_by_user", user_id=ANN) == "No records found in 'referrals'."
    assert canonical(await world.database()) == canonical(DATABASE)


async def test_one_run_serves_one_customer(world: Any) -> None:
    await world.bind(ANN)
    told = await said(world, "log_verification", **{**CLAIM, "user_id": BOB})
    assert told == "Error: User with ID 'bob2' not found."
    assert await said(world, "get_credit_card_accounts_by_user", user_id=BOB) == (
        "No records found in 'credit_card_accounts'."
    )


async def test_a_customer_is_found_by_name_and_mail_only_if_it_is_they(world: Any) -> None:
    await world.bind(ANN)
    for name, given in (
        ("get_user_information_by_id", {"user_id": ANN}),
        ("get_user_information_by_name", {"customer_name": "Ann Lee"}),
        ("get_user_information_by_email", {"email": "ann1@example.com"}),
    ):
        assert "1. Record ID: ann1\n   name: Ann Lee" in await said(world, name, **given)
    other = await said(world, "get_user_information_by_name", customer_name="Bob Ray")
    assert other == "No records found in 'users'."


async def test_a_call_names_its_customer_by_any_id_also_inside_of_its_arguments(world: Any) -> None:
    assert world.owner_of(Call(name="call_discoverable_agent_tool", arguments=FREEZE)) == ANN
    assert world.owner_of(Call(name="get_referrals_by_user", arguments={"user_id": BOB})) == BOB
    assert world.owner_of(Call(name="apply_for_credit_card", arguments={"customer_name": "Ann Lee"})) is None
    assert world.owner_of(Call(name="x", arguments={"arguments": "{broken", "n": 1})) is None


# Discovery. ----------------------------------------------------------------------------------------------------


async def test_a_tool_of_the_agent_is_unlocked_before_it_is_called(world: Any) -> None:
    await world.bind(ANN)
    locked = await said(world, "call_discoverable_agent_tool", **FREEZE)
    assert locked.startswith("Error: Tool 'freeze_debit_card_3892' has not been unlocked.")
    told = await said(world, "unlock_discoverable_agent_tool", agent_tool_name="freeze_debit_card_3892")
    assert told.startswith("Tool unlocked: freeze_debit_card_3892\nDescription: Temporarily freeze")
    assert "Parameters:\n  - card_id: string (required) - " in told
    assert (await said(world, "call_discoverable_agent_tool", **FREEZE)).startswith("Debit Card Frozen")
    assert "tool_name: freeze_debit_card_3892" in await said(world, "list_discoverable_agent_tools")


async def test_a_call_wrongly_written_is_told_in_the_official_words(world: Any) -> None:
    await world.bind(ANN)
    name = {"agent_tool_name": "close_debit_card_4721"}
    await said(world, "unlock_discoverable_agent_tool", **name)
    for given, wanted in (
        ("{", "Error: Invalid JSON in arguments: Expecting property name"),
        (
            "{}",
            "Error: Invalid arguments: KnowledgeTools.close_debit_card_4721() missing 2 required positional",
        ),
        (
            '{"card_id": "x", "reason": "lost", "z": 1}',
            "Error: Invalid arguments: KnowledgeTools.close_debit_card",
        ),
        (
            '{"card_id": "", "reason": "lost"}',
            "Error: Missing required parameters. Required: card_id, reason.",
        ),
    ):
        told = await said(world, "call_discoverable_agent_tool", **name, arguments=given)
        assert told.startswith(wanted)
    unknown = "Error: Unknown agent tool 'x'. This tool is not available."
    assert await said(world, "unlock_discoverable_agent_tool", agent_tool_name="x") == unknown
    assert await said(world, "call_discoverable_agent_tool", agent_tool_name="x") == unknown


async def test_a_tool_is_given_to_the_customer_before_they_call_it(world: Any) -> None:
    await world.bind(ANN)
    given = {"discoverable_tool_name": "deposit_check_3847"}
    call = {**given, "arguments": json.dumps({"account_id": CHECKING, "check_amount": 20})}
    early = await said(world, "call_discoverable_user_tool", **call)
    assert early.startswith("Error: Tool 'deposit_check_3847' has not been given to you")
    told = await said(world, "give_discoverable_user_tool", **given)
    assert "Arguments: (no arguments)" in told
    done = await said(world, "call_discoverable_user_tool", **call)
    assert done.endswith("  - Check Amount: $20.00\n  - Previous Balance: $300.00\n  - New Balance: $320.00")
    database: Any = await world.database()
    (record,) = database["user_discoverable_tool_calls"]["data"].values()
    assert record["arguments"] == {"account_id": CHECKING, "check_amount": 20.0}
    assert "deposit_check_3847" in await said(world, "list_discoverable_user_tools")
    for more, wanted in (
        ('{"account_id": "a"}', "Error: Missing required parameter: check_amount"),
        ('{"account_id": "a", "check_amount": 1, "z": 1}', "Error: Unexpected parameter: z"),
        ("{", "Error: Invalid JSON in arguments"),
    ):
        assert (await said(world, "call_discoverable_user_tool", **given, arguments=more)).startswith(wanted)
    unknown = await said(world, "give_discoverable_user_tool", discoverable_tool_name="x")
    assert unknown == "Error: Unknown discoverable tool 'x'."


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("freeze_debit_card_3892", '{"card_id": 5}'),
        ("get_debit_cards_by_account_id_7823", '{"account_id": ["chk_ann"]}'),
        (
            "apply_checking_account_credit_5829",
            '{"account_id": "a", "amount": NaN, "credit_type": "fee_refund"}',
        ),
        (
            "apply_checking_account_credit_5829",
            '{"account_id": "a", "amount": 1e999, "credit_type": "fee_refund"}',
        ),
        ("freeze_debit_card_3892", "[]"),
    ],
)
async def test_values_of_another_kind_are_said_to_be_unreadable(world: Any, name: str, given: str) -> None:
    await world.bind(ANN)
    await said(world, "unlock_discoverable_agent_tool", agent_tool_name=name)
    with pytest.raises(Unplayable):
        await said(world, "call_discoverable_agent_tool", agent_tool_name=name, arguments=given)


async def test_months_that_are_no_number_are_refused_in_the_official_words(world: Any) -> None:
    await world.bind(ANN)
    name = {"agent_tool_name": "get_payment_history_6183"}
    await said(world, "unlock_discoverable_agent_tool", **name)
    given = json.dumps({"credit_card_account_id": CREDIT, "months": "many"})
    told = await said(world, "call_discoverable_agent_tool", **name, arguments=given)
    assert told == "Error: Invalid months value. Must be a positive integer."


async def test_requests_for_a_person_are_counted_and_need_no_customer(world: Any) -> None:
    assert (await said(world, "request_human_agent_transfer")).startswith("Transfer request #1 submitted.")
    assert (await said(world, "request_human_agent_transfer")).startswith("Transfer request #2 submitted.")
    fine = await said(world, "transfer_to_human_agents", summary="", reason="third_party_inquiry")
    assert fine.startswith("Transfer successful (reason: third_party_inquiry).")
    odd = await said(world, "transfer_to_human_agents", summary="", reason="x")
    assert odd.startswith("Error: Invalid transfer reason 'x'. Must be one of: fraud_or_security_concern, ")
    assert await said(world, "get_current_time") == "The current time is 2025-11-14 03:40:00 EST."


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("fly", {}),
        ("KB_search", {"query": "x"}),
        ("change_user_email", {"user_id": ANN}),
        ("change_user_email", {"user_id": ANN, "new_email": "a", "z": 1}),
        ("log_verification", {"user_id": ANN}),
        ("unlock_discoverable_agent_tool", {}),
        ("call_discoverable_agent_tool", {"agent_tool_name": "freeze_debit_card_3892", "arguments": {}}),
    ],
)
async def test_a_call_that_cannot_be_read_is_said_to_be_so(world: Any, name: str, arguments: Any) -> None:
    await said(world, "unlock_discoverable_agent_tool", agent_tool_name="freeze_debit_card_3892")
    with pytest.raises(Unplayable):
        await world.call(Call(name=name, arguments=arguments))


@pytest.mark.parametrize("broken", [{}, {"users": {}}, {"users": {"data": {"a": 1}, "notes": ""}}])
async def test_another_database_is_refused_with_its_place(tmp_path: Path, broken: Any) -> None:
    with pytest.raises(BadRecords, match="users"):
        await BANKING.open(broken, folder=tmp_path)


# The house underneath. -----------------------------------------------------------------------------------------


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'bank.db'}")
    async with engine.begin() as connection:
        await connection.run_sync(tables.metadata.create_all)
        await official.fill(connection, DATABASE)
    yield engine
    await engine.dispose()


@pytest.fixture
def bank(engine: AsyncEngine) -> SqlBank:
    return SqlBank(engine, now=TODAY)


def caller(owner: str | None = ANN, **more: Any) -> Caller:
    return Caller(
        **{
            "conversation": ConversationId("c"),
            "turn": TurnId("t"),
            "language": "ru",
            "channel": "web",
            "customer_id": owner,
            "assurance": "verified" if owner else "anonymous",
            "purposes": PURPOSES,
            "now": TODAY,
            **more,
        }
    )


async def test_holdings_are_one_customers_alone(bank: SqlBank) -> None:
    mine = await bank.holdings(owner=CustomerId(BOB))
    assert {key for table in mine.tables.values() for key in table} == {
        BOB,
        "chk_bob",
        "dbc_bob",
        "cc_bob",
        "txn_bob",
        "btxn_bob",
    }


async def test_a_write_happens_once_for_its_key_and_not_before_a_yes(bank: SqlBank) -> None:
    owner = CustomerId(ANN)
    given = {"source_account_id": CHECKING, "destination_account_id": "chk_empty", "amount": 10.0}
    proposal = await bank.propose("transfer_money", given, owner=owner)
    first = await bank.execute(proposal, owner=owner, key=proposal.id)
    again = await bank.execute(proposal, owner=owner, key=proposal.id)
    assert (first.state, again.state) == ("done", "already_done")
    after = (await bank.holdings(owner=owner)).of("accounts")
    assert after["chk_empty"]["current_holdings"] == "$10.00"


async def test_a_proposal_made_before_another_change_is_refused(bank: SqlBank) -> None:
    owner, box = CustomerId(ANN), Toolbox(bank_tools(bank))
    stale = await bank.propose("close_card", {"card_id": DEBIT, "reason": "lost"}, owner=owner)
    fresh = await bank.propose("freeze_card", {"card_id": DEBIT}, owner=owner)
    await bank.execute(fresh, owner=owner, key=fresh.id)
    effect = await box.execute(stale, caller(), key=stale.id)
    assert (effect.state, effect.facts["reason"]) == ("refused", "changed")


async def test_a_yes_too_late_or_of_another_customer_does_nothing(bank: SqlBank) -> None:
    box = Toolbox(bank_tools(bank))
    proposal = await bank.propose("freeze_card", {"card_id": DEBIT}, owner=CustomerId(ANN))
    with pytest.raises(Expired):
        await box.execute(proposal, caller(now=TODAY + timedelta(hours=1)), key=proposal.id)
    with pytest.raises(NotFound):
        await box.execute(proposal, caller(BOB), key=proposal.id)


async def test_a_refusal_is_told_with_its_reason_in_the_customers_language(bank: SqlBank) -> None:
    box = Toolbox(bank_tools(bank))
    answer = json.loads(await box.call("close_card", {"card_id": DEBIT, "reason": "bored"}, caller()))
    assert answer["fault"] == "rejected.choice"
    assert answer["sentences"][0].startswith("Это должно быть одно из: lost, stolen")
    foreign = json.loads(await box.call("freeze_card", {"card_id": "dbc_bob"}, caller()))
    absent = json.loads(await box.call("freeze_card", {"card_id": "dbc_none"}, caller()))
    assert foreign["fault"] == absent["fault"] == "rejected.absent"


async def test_a_visitor_may_apply_and_nothing_else(bank: SqlBank) -> None:
    box = Toolbox(bank_tools(bank))
    visitor = caller(VISITOR, assurance="channel")
    assert {tool.name for tool in box.offered(visitor)} == {"apply_for_card"}
    with pytest.raises(NotIdentified):
        await box.call("my_records", {"kind": "accounts"}, visitor)
    with pytest.raises(NotIdentified):
        await box.call("my_records", {"kind": "accounts"}, caller(None))


async def test_records_are_read_of_one_kind_and_about_one_thing(bank: SqlBank) -> None:
    box = Toolbox(bank_tools(bank))
    whole = json.loads(await box.call("my_records", {"kind": "debit_cards"}, caller()))
    assert whole["facts"]["count"] == 5
    about = {"kind": "bank_account_transaction_history", "about": "chk_empty"}
    none = json.loads(await box.call("my_records", about, caller()))
    assert none["sentences"] == ["Такого нет."]


def test_no_tool_asks_who_the_customer_is_and_every_tool_has_its_texts(bank: SqlBank) -> None:
    kit = bank_tools(bank)
    assert identities(kit) == set()
    assert untold(kit) == []


def test_texts_agree_in_both_languages_and_hold_every_reason() -> None:
    phrases = Phrases(TEXTS, currency="USD")
    assert phrases.differences() == []
    said_for = reasons(accounts, cards, claims, credit, debit_orders, store) | {"absent", "choice"}
    keys = [f"fault.rejected.{reason}" for reason in said_for]
    assert [key for key in keys for language in LANGUAGES if not phrases.has(key, language)] == []


def test_every_official_call_is_an_action_a_reading_or_a_fixed_answer() -> None:
    for entry in (*agent_tools().values(), *customer_tools().values(), *open_tools().values()):
        assert sum(map(bool, (entry.action, entry.reads, entry.constant))) == 1, entry.name
        assert not entry.action or entry.action in ACTIONS


def test_sums_and_days_are_read_as_the_bank_writes_them() -> None:
    assert [reckoning.money(value) for value in ("$2,850.00", "12", 7, None)] == [2850.0, 12.0, 7.0, 0.0]
    assert reckoning.age({"date_opened": "11/01/2025"}, TODAY.date()) == 13
    assert reckoning.age({"date_opened": "lately"}, TODAY.date()) is None


@pytest.mark.heavy
@pytest.mark.evaldata
async def test_the_open_recordings_match_in_every_step_and_final_state(evaldata: Path) -> None:
    done = await open_traces(BANKING, evaldata / "tau" / "banking_knowledge")
    assert figures(done) == {
        "steps": 468,
        "matched": 468,
        "traces": 49,
        "final_state_ok": 49,
        "cross_customer": 0,
    }
