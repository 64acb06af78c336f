"""Every official call of the bank, done and refused, in its official words: stories of one customer at a small bank."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from evals.tau.banking import BANKING
from evals.tau.banking.interface import agent_tools, customer_tools, open_tools
from tests.evals.tau.bank import ANN, CHECKING, CREDIT, DATABASE, DEBIT, SAVINGS
from tests.evals.tau.kit import opened, said

Step = tuple[str, dict[str, Any], str]

_ACTIVATE = {"last_4_digits": "4821", "expiration_date": "01/28", "cvv": "123", "pin": "1357"}
_ORDER = {
    "account_id": CHECKING,
    "user_id": ANN,
    "delivery_option": "rush",
    "delivery_fee": 15,
    "card_design": "CLASSIC",
    "design_fee": 0,
    "shipping_address": "1 Elm Street",
}
_CARD_DISPUTE = {
    "transaction_id": "txn_ann",
    "card_action": "keep_active",
    "card_last_4_digits": "1111",
    "full_name": "Ann Lee",
    "user_id": ANN,
    "phone": "555-0100",
    "email": "ann1@example.com",
    "address": "1 Elm Street, Linz",
    "contacted_merchant": True,
    "purchase_date": "10/01/2025",
    "issue_noticed_date": "10/02/2025",
    "dispute_reason": "duplicate_charge",
    "resolution_requested": "full_refund",
    "eligible_for_provisional_credit": False,
}
_ACCOUNT_DISPUTE = {
    "transaction_id": "btxn_1",
    "account_id": CHECKING,
    "card_id": DEBIT,
    "user_id": ANN,
    "dispute_category": "card_present_fraud",
    "transaction_date": "10/01/2025",
    "discovery_date": "10/02/2025",
    "disputed_amount": 600,
    "transaction_type": "pin_purchase",
    "card_in_possession": True,
    "pin_compromised": "yes_shared",
    "contacted_merchant": False,
    "police_report_filed": False,
    "written_statement_provided": True,
    "provisional_credit_eligible": True,
    "customer_max_liability_amount": 50,
    "card_action": "keep_active",
}

CARDS: Sequence[Step] = (
    ("get_debit_cards_by_account_id_7823", {"account_id": "chk_bob"}, "Error: Account 'chk_bob' not found."),
    (
        "get_debit_cards_by_account_id_7823",
        {"account_id": SAVINGS},
        f"Error: Account '{SAVINGS}' is not a checking",
    ),
    ("get_debit_cards_by_account_id_7823", {"account_id": "chk_empty"}, "No debit cards found for account"),
    ("get_debit_cards_by_account_id_7823", {"account_id": CHECKING}, '[\n  {\n    "card_id": "dbc_ann"'),
    ("freeze_debit_card_3892", {"card_id": "dbc_bob"}, "Error: Debit card 'dbc_bob' not found."),
    (
        "freeze_debit_card_3892",
        {"card_id": "dbc_new"},
        "Error: Debit card 'dbc_new' cannot be frozen. Current status: P",
    ),
    (
        "set_debit_card_recurring_block_7382",
        {"card_id": "dbc_ice", "block_recurring": True},
        "Error: Cannot update",
    ),
    (
        "set_debit_card_recurring_block_7382",
        {"card_id": DEBIT, "block_recurring": True},
        "Recurring payments BLOCKED",
    ),
    (
        "set_debit_card_recurring_block_7382",
        {"card_id": DEBIT, "block_recurring": False},
        "Recurring payments UNB",
    ),
    (
        "clear_debit_card_fraud_alert_4892",
        {"card_id": DEBIT, "reason": "x"},
        "Error: Invalid reason 'x'. Must be",
    ),
    (
        "clear_debit_card_fraud_alert_4892",
        {"card_id": DEBIT, "reason": "velocity_clear"},
        "Error: Debit card 'dbc_ann' d",
    ),
    (
        "clear_debit_card_fraud_alert_4892",
        {"card_id": DEBIT, "reason": "customer_verified"},
        "Fraud Alert Cleared",
    ),
    (
        "reset_debit_card_pin_6284",
        {"card_id": DEBIT, "last_4_digits": "9999", "new_pin": "1357"},
        "Error: Card verif",
    ),
    (
        "reset_debit_card_pin_6284",
        {"card_id": DEBIT, "last_4_digits": "4821", "new_pin": "1111"},
        "Error: PIN cannot be a",
    ),
    (
        "reset_debit_card_pin_6284",
        {"card_id": DEBIT, "last_4_digits": "4821", "new_pin": "1357"},
        "Debit Card PIN Reset",
    ),
    (
        "change_debit_card_pin_6285",
        {"card_id": DEBIT, "current_pin": "1357", "new_pin": "2345"},
        "Error: PIN cannot be s",
    ),
    (
        "change_debit_card_pin_6285",
        {"card_id": DEBIT, "current_pin": "1357", "new_pin": "1357"},
        "Error: New PIN must",
    ),
    (
        "change_debit_card_pin_6285",
        {"card_id": DEBIT, "current_pin": "1357", "new_pin": "2468"},
        "Debit Card PIN Chang",
    ),
    (
        "request_temporary_debit_card_limit_increase_8374",
        {"card_id": DEBIT, "limit_type": "atm", "new_limit": 800},
        "Error: Requested limit $800 exceeds the maximum allowed temporary increase. Maximum temporary limit is $750",
    ),
    (
        "request_temporary_debit_card_limit_increase_8374",
        {"card_id": DEBIT, "limit_type": "purchase", "new_limit": 1000.5},
        "Error: new_limit must be an integer, got '1000.5'.",
    ),
    (
        "request_temporary_debit_card_limit_increase_8374",
        {"card_id": DEBIT, "limit_type": "purchase", "new_limit": 1200},
        "Temporary Daily Purchase Limit Increase Granted Successfully\nCard ID: dbc_ann\nPrevious Limit: $1000\n",
    ),
    ("order_debit_card_5739", _ORDER, f"Error: Account '{CHECKING}' already has an active debit card."),
    ("unfreeze_debit_card_3893", {"card_id": DEBIT}, "Error: Debit card 'dbc_ann' is already active."),
    ("unfreeze_debit_card_3893", {"card_id": "dbc_ice"}, "Debit Card Unfrozen Successfully"),
    ("freeze_debit_card_3892", {"card_id": "dbc_ice"}, "Debit Card Frozen Successfully\nCard ID: dbc_ice"),
    (
        "activate_debit_card_8291",
        {"card_id": "dbc_lost", **_ACTIVATE},
        "Error: Wrong activation tool. This card has",
    ),
    (
        "activate_debit_card_8291",
        {"card_id": "dbc_new", **_ACTIVATE, "cvv": "1"},
        "Error: CVV must be exactly 3",
    ),
    (
        "activate_debit_card_8291",
        {"card_id": "dbc_new", **_ACTIVATE},
        "New Debit Card Activation Successful\nCard",
    ),
    ("activate_debit_card_8292", {"card_id": "dbc_ann", **_ACTIVATE}, "Error: Wrong activation tool."),
    (
        "activate_debit_card_8292",
        {"card_id": "dbc_lost", **_ACTIVATE},
        "Replacement Debit Card Activation Success",
    ),
    ("activate_debit_card_8293", {"card_id": "dbc_lost", **_ACTIVATE}, "Error: Wrong activation tool."),
    (
        "activate_debit_card_8293",
        {"card_id": "dbc_worn", **_ACTIVATE},
        "Reissued Debit Card Activation Successful",
    ),
    (
        "close_debit_card_4721",
        {"card_id": "dbc_worn", "reason": "bored"},
        "Error: Invalid reason. Must be one of: [",
    ),
    ("close_debit_card_4721", {"card_id": "dbc_worn", "reason": "STOLEN"}, "Debit Card Closed Successfully"),
    (
        "close_debit_card_4721",
        {"card_id": "dbc_worn", "reason": "lost"},
        "Error: Debit card 'dbc_worn' cannot be c",
    ),
    (
        "order_debit_card_5739",
        {**_ORDER, "user_id": "bob2"},
        f"Error: Account '{CHECKING}' does not belong to user",
    ),
    (
        "order_debit_card_5739",
        {**_ORDER, "card_design": "x"},
        "Error: Invalid card_design. Must be one of: ['CLA",
    ),
    ("order_debit_card_5739", _ORDER, "Debit Card Order Confirmed\nOrder ID: dcord_"),
    (
        "order_debit_card_5739",
        _ORDER,
        f"Error: There is already a pending debit card order for account '{CHECKING}'",
    ),
)

ACCOUNTS: Sequence[Step] = (
    ("get_all_user_accounts_by_user_id_3847", {"user_id": "bob2"}, "User accounts retrieved successfully."),
    (
        "get_all_user_accounts_by_user_id_3847",
        {"user_id": ANN},
        "User accounts retrieved successfully.\n\nExecuted:",
    ),
    ("get_bank_account_transactions_9173", {"account_id": "chk_bob"}, "Error: Account 'chk_bob' not found."),
    ("get_bank_account_transactions_9173", {"account_id": CHECKING}, "Bank account transactions retrieved"),
    (
        "get_atm_deposit_images_8473",
        {"transaction_id": "btxn_bob"},
        "Error: Transaction 'btxn_bob' not found.",
    ),
    (
        "get_atm_deposit_images_8473",
        {"transaction_id": "btxn_1"},
        "Error: Transaction 'btxn_1' is not an ATM depo",
    ),
    (
        "get_atm_deposit_images_8473",
        {"transaction_id": "btxn_3"},
        "Error: Transaction 'btxn_3' is from a third-par",
    ),
    (
        "get_atm_deposit_images_8473",
        {"transaction_id": "btxn_2"},
        "ATM Deposit Image Retrieval Results\n=====",
    ),
    (
        "open_bank_account_4821",
        {"user_id": ANN, "account_type": "x", "account_class": "Gold"},
        "Error: Invalid account_type. Must be one of: ['checking', 'savings', 'business_checking', 'business_savings']",
    ),
    (
        "open_bank_account_4821",
        {"user_id": ANN, "account_type": "business_savings", "account_class": "Gold"},
        "Error: Account eligibility requirements not met.",
    ),
    (
        "open_bank_account_4821",
        {"user_id": ANN, "account_type": "savings", "account_class": "Gold"},
        "Bank account opened successfully!\n  - Account ID: ",
    ),
    (
        "open_bank_account_4821",
        {"user_id": ANN, "account_type": "savings", "account_class": "Gold"},
        "Failed to open account: Account ID ",
    ),
    (
        "close_bank_account_7392",
        {"account_id": CHECKING},
        "Error: Account balance must be $0.00 before closing. Cur",
    ),
    ("close_bank_account_7392", {"account_id": SAVINGS}, "Error: Account unable to be closed."),
    ("close_bank_account_7392", {"account_id": "chk_bob"}, "Error: Account 'chk_bob' not found."),
    (
        "transfer_funds_between_bank_accounts_7291",
        {"source_account_id": CHECKING, "destination_account_id": "chk_bob", "amount": 1},
        "Error: Destination account 'chk_bob' not found.",
    ),
    (
        "transfer_funds_between_bank_accounts_7291",
        {"source_account_id": CHECKING, "destination_account_id": "chk_empty", "amount": 1000},
        "Error: Insufficient funds. Source account balance is $300.00, but transfer amount is $1000.00.",
    ),
    (
        "transfer_funds_between_bank_accounts_7291",
        {"source_account_id": CHECKING, "destination_account_id": "chk_empty", "amount": 50.5},
        f"Transfer completed successfully!\n  - Amount: $50.50\n  - From: {CHECKING} (new balance: $249.50)\n",
    ),
    (
        "apply_checking_account_credit_5829",
        {"account_id": SAVINGS, "amount": 5, "credit_type": "fee_refund"},
        f"Error: Account '{SAVINGS}' is not a checking account.",
    ),
    (
        "apply_checking_account_credit_5829",
        {"account_id": CHECKING, "amount": 5, "credit_type": "goodwill_credit"},
        "Error: Invalid credit_type. Must be one of: ['rebate_credit', 'fee_refund']",
    ),
    (
        "apply_checking_account_credit_5829",
        {"account_id": CHECKING, "amount": 5, "credit_type": "fee_refund"},
        "\nCredit applied successfully!\n  - Transaction ID: txn_",
    ),
    (
        "apply_savings_account_credit_6831",
        {"account_id": SAVINGS, "amount": 0, "credit_type": "fee_refund"},
        "Error: Credit amount must be positive.",
    ),
    (
        "apply_savings_account_credit_6831",
        {"account_id": SAVINGS, "amount": 75, "credit_type": "goodwill_credit"},
        "\nCredit applied successfully!",
    ),
    (
        "close_bank_account_7392",
        {"account_id": SAVINGS, "reason": "moving"},
        "Bank account closed successfully!",
    ),
    ("close_bank_account_7392", {"account_id": SAVINGS}, f"Error: Account '{SAVINGS}' is already closed."),
    (
        "submit_interest_discrepancy_report_7294",
        {"account_id": "x", "user_id": ANN, "expected_apy": 4, "actual_apy": 3.5, "amount_difference": 2},
        "Error: Account 'x' not found.",
    ),
    (
        "submit_interest_discrepancy_report_7294",
        {
            "account_id": CHECKING,
            "user_id": ANN,
            "expected_apy": 4,
            "actual_apy": 3.5,
            "amount_difference": 2,
        },
        "\nInterest Discrepancy Report Submitted Successfully!\n  - Report ID: IDR_",
    ),
)

_LIMIT = {"credit_card_account_id": CREDIT, "user_id": ANN}
CREDITS: Sequence[Step] = (
    (
        "get_payment_history_6183",
        {"credit_card_account_id": "cc_bob", "months": 2},
        "No payment history found for",
    ),
    (
        "get_payment_history_6183",
        {"credit_card_account_id": CREDIT, "months": 0},
        "Error: months must be a positive",
    ),
    (
        "get_payment_history_6183",
        {"credit_card_account_id": CREDIT, "months": 3},
        f"Payment history for account '{CREDIT}' (last 3 months):\nConsecutive on-time payments: 2\n\n  - Payment Date: 10/15",
    ),
    (
        "get_pending_replacement_orders_5765",
        {"credit_card_account_id": CREDIT},
        "Pending replacement orders check",
    ),
    (
        "get_closure_reason_history_8293",
        {"credit_card_account_id": CREDIT},
        "Closure reason history retrieved",
    ),
    (
        "submit_credit_limit_increase_request_7392",
        {**_LIMIT, "requested_increase_amount": 0.5},
        "Error: Invalid requested_increase_amount. Must be a whole number of dollars.",
    ),
    (
        "submit_credit_limit_increase_request_7392",
        {**_LIMIT, "user_id": "bob2", "requested_increase_amount": 500},
        f"Error: Credit card account '{CREDIT}' does not belong to user 'bob2'.",
    ),
    (
        "submit_credit_limit_increase_request_7392",
        {**_LIMIT, "requested_increase_amount": 1500},
        "Credit limit increase request submitted successfully.",
    ),
    (
        "submit_credit_limit_increase_request_7392",
        {**_LIMIT, "requested_increase_amount": 1500},
        "Error: A similar request may already exist.",
    ),
    (
        "get_credit_limit_increase_history_4829",
        {"credit_card_account_id": CREDIT},
        "Credit limit increase history",
    ),
    (
        "deny_credit_limit_increase_5848",
        {**_LIMIT, "denial_reason": "x"},
        "Error: Invalid denial_reason. Must be one of: insufficient_account_age, cooldown_period_active",
    ),
    (
        "deny_credit_limit_increase_5848",
        {**_LIMIT, "denial_reason": "other"},
        "Credit limit increase request denied.",
    ),
    (
        "approve_credit_limit_increase_5847",
        {"credit_card_account_id": "cc_bob", "user_id": ANN, "new_credit_limit": 2000},
        "Error: Credit card account 'cc_bob' not found.",
    ),
    (
        "approve_credit_limit_increase_5847",
        {**_LIMIT, "new_credit_limit": 2000},
        f"Credit limit increase approved!\n  - Account: {CREDIT}\n  - Previous Limit: $1000.00\n  - New Limit: $2000.00",
    ),
    (
        "pay_credit_card_from_checking_9182",
        {**_LIMIT, "checking_account_id": CHECKING, "amount": 250},
        "Error: Payment amount ($250.00) exceeds credit card balance ($200.00).",
    ),
    (
        "pay_credit_card_from_checking_9182",
        {**_LIMIT, "checking_account_id": CHECKING, "amount": 150},
        "Payment processed successfully!\n  - Payment Amount: $150.00\n",
    ),
    (
        "apply_statement_credit_8472",
        {**_LIMIT, "amount": 5, "reason": "x"},
        "Error: Invalid reason. Must be one of: ['goodwill_adjustment', ",
    ),
    (
        "apply_statement_credit_8472",
        {**_LIMIT, "amount": 5, "reason": "other"},
        "Statement credit applied success",
    ),
    (
        "apply_statement_credit_8472",
        {**_LIMIT, "amount": 5, "reason": "other"},
        "Error: Failed to apply statement",
    ),
    (
        "apply_credit_card_account_flag_6147",
        {**_LIMIT, "flag_type": "x", "expiration_date": "01/01/2027", "reason": "other"},
        "Error: Invalid flag_type. Must be one of: ['annual_fee_waived'",
    ),
    (
        "apply_credit_card_account_flag_6147",
        {
            **_LIMIT,
            "flag_type": "annual_fee_waived",
            "expiration_date": "01/01/2027",
            "reason": "loyalty_benefit",
        },
        "Account flag applied successfully!\n  - Flag ID: ccflag_",
    ),
    (
        "log_credit_card_closure_reason_4521",
        {**_LIMIT, "closure_reason": "x"},
        "Error: Invalid closure_reason.",
    ),
    (
        "log_credit_card_closure_reason_4521",
        {**_LIMIT, "closure_reason": "other"},
        "Closure reason logged success",
    ),
    (
        "order_replacement_credit_card_7291",
        {**_LIMIT, "shipping_address": "1 Elm", "reason": "x"},
        "Error: Invalid reason. Must be one of: ['fraud_suspected', ",
    ),
    (
        "order_replacement_credit_card_7291",
        {**_LIMIT, "shipping_address": "1 Elm", "reason": "lost", "expedited_shipping": True},
        "Order ID: ccord_",
    ),
    (
        "close_credit_card_account_7834",
        {"credit_card_account_id": "cc_bob", "user_id": ANN},
        "Error: Credit card acc",
    ),
    (
        "close_credit_card_account_7834",
        _LIMIT,
        "Credit card account closed successfully.\n\nExecuted: close_credit",
    ),
)

CLAIMS: Sequence[Step] = (
    (
        "get_user_dispute_history_7291",
        {"user_id": ANN},
        "User transaction dispute history retrieved successfully.",
    ),
    ("get_debit_dispute_status_7483", {"user_id": ANN}, "Debit card dispute history retrieved successfully."),
    (
        "file_credit_card_transaction_dispute_4829",
        {**_CARD_DISPUTE, "resolution_requested": "partial_refund"},
        "Error: partial_refund_amount is required when resolution_requested is 'partial_refund'.",
    ),
    (
        "file_credit_card_transaction_dispute_4829",
        {**_CARD_DISPUTE, "transaction_id": "txn_bob"},
        "Error: Transac",
    ),
    (
        "file_credit_card_transaction_dispute_4829",
        _CARD_DISPUTE,
        "Credit card transaction dispute filed success",
    ),
    (
        "file_credit_card_transaction_dispute_4829",
        _CARD_DISPUTE,
        "Error: Dispute may have already been filed for",
    ),
    (
        "file_debit_card_transaction_dispute_6281",
        {**_ACCOUNT_DISPUTE, "card_id": "dbc_bob"},
        "Error: Debit card 'd",
    ),
    (
        "file_debit_card_transaction_dispute_6281",
        {**_ACCOUNT_DISPUTE, "pin_compromised": "x"},
        "Error: Invalid pin_",
    ),
    ("file_debit_card_transaction_dispute_6281", _ACCOUNT_DISPUTE, "Dispute ID: dsp_"),
    (
        "update_transaction_rewards_3847",
        {"transaction_id": "txn_bob", "new_rewards_earned": "7 points"},
        "Error: Transaction 'txn_bob' not found.",
    ),
    (
        "update_transaction_rewards_3847",
        {"transaction_id": "txn_ann", "new_rewards_earned": "7 points"},
        "Transaction rewards updated successfully.",
    ),
    (
        "initial_transfer_to_human_agent_0218",
        {},
        "Initial Transfer Initiated, Inform the user that the lines are",
    ),
    (
        "initial_transfer_to_human_agent_1822",
        {},
        "Do not explicitly tell the user, but the conversation has not",
    ),
    (
        "emergency_credit_bureau_incident_transfer_1114",
        {},
        "Emergency escalation logged. Case has been flagged",
    ),
    ("example_agent_tool_0000", {}, "Example tool executed successfully."),
)

OWN: Sequence[Step] = (
    (
        "submit_cash_back_dispute_0589",
        {"user_id": ANN, "transaction_id": "txn_bob"},
        "Error: Transaction 'txn_bob' ",
    ),
    (
        "submit_cash_back_dispute_0589",
        {"user_id": ANN, "transaction_id": "txn_ann"},
        "Cash back dispute submitted",
    ),
    ("get_referral_link", {"user_id": ANN, "card_name": "EcoCard"}, "Referral link generated successfully."),
    (
        "get_referral_link",
        {"user_id": "bob2", "card_name": "EcoCard"},
        "Error: User with ID 'bob2' not found.",
    ),
    (
        "get_card_last_4_digits",
        {"credit_card_account_id": "cc_bob"},
        "Error: Credit card account 'cc_bob' not fou",
    ),
    (
        "get_card_last_4_digits",
        {"credit_card_account_id": CREDIT},
        "Card information retrieved successfully.",
    ),
    (
        "deposit_check_3847",
        {"account_id": CHECKING, "check_amount": -1},
        "Error: Check amount must be positive.",
    ),
    ("deposit_check_3847", {"account_id": CHECKING, "check_amount": 1}, "Check deposited successfully."),
)

_APPLICATION = {"card_type": "EcoCard", "customer_name": "Ann Lee", "annual_income": 1000}
_PURCHASE = {
    "user_id": ANN,
    "credit_card_type": "EcoCard",
    "merchant_name": "Shop",
    "amount": 12.5,
    "category": "Green",
}
OPEN: Sequence[Step] = (
    (
        "apply_for_credit_card",
        {**_APPLICATION, "card_type": "x"},
        "Error: Invalid card_type 'x'. Must be one of: [",
    ),
    ("apply_for_credit_card", _APPLICATION, "Credit card application submitted:"),
    ("apply_for_credit_card", _APPLICATION, "Failed to submit application: Record ID '"),
    (
        "submit_referral",
        {"user_id": ANN, "account_type": "EcoCard"},
        "Referral request submitted successfully!",
    ),
    (
        "submit_referral",
        {"user_id": ANN, "account_type": "EcoCard"},
        "Failed to submit referral: Record ID '",
    ),
    ("submit_transaction", {**_PURCHASE, "credit_card_type": "x"}, "Error: Unknown credit card type 'x'."),
    ("submit_transaction", _PURCHASE, "Transaction submitted successfully!"),
    ("change_user_email", {"user_id": "bob2", "new_email": "a@b"}, "Error: User with ID 'bob2' not found."),
    ("change_user_email", {"user_id": ANN, "new_email": "a@b"}, "Email updated successfully."),
    ("get_referrals_by_user", {"user_id": ANN}, "Found 1 record(s) in 'referrals':"),
    (
        "get_credit_card_transactions_by_user",
        {"user_id": ANN},
        "Found 2 record(s) in 'credit_card_transaction_h",
    ),
    ("get_credit_card_accounts_by_user", {"user_id": ANN}, "Found 1 record(s) in 'credit_card_accounts':"),
    (
        "get_user_information_by_id",
        {"user_id": ANN},
        "Found 1 record(s) in 'users':\n\n1. Record ID: ann1\n   name",
    ),
    ("get_user_information_by_name", {"customer_name": "Bob Ray"}, "No records found in 'users'."),
    ("get_user_information_by_email", {"email": "a@b"}, "Found 1 record(s) in 'users':"),
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Any]:
    async with opened(BANKING, DATABASE, tmp_path, owner=ANN) as found:
        yield found


@pytest.mark.parametrize(
    "steps", [CARDS, ACCOUNTS, CREDITS, CLAIMS], ids=["cards", "accounts", "credits", "claims"]
)
async def test_what_an_agent_discovers_answers_in_the_official_words(
    world: Any, steps: Sequence[Step]
) -> None:
    for name, arguments, wanted in steps:
        await said(world, "unlock_discoverable_agent_tool", agent_tool_name=name)
        call = {"agent_tool_name": name, "arguments": json.dumps(arguments)}
        told = await said(world, "call_discoverable_agent_tool", **call)
        assert told.startswith(wanted), (name, arguments, told)


async def test_what_a_customer_is_given_answers_in_the_official_words(world: Any) -> None:
    for name, arguments, wanted in OWN:
        await said(world, "give_discoverable_user_tool", discoverable_tool_name=name)
        call = {"discoverable_tool_name": name, "arguments": json.dumps(arguments)}
        told = await said(world, "call_discoverable_user_tool", **call)
        assert told.startswith(wanted), (name, arguments, told)


async def test_what_is_open_answers_in_the_official_words(world: Any) -> None:
    by = {name: entry.by for name, entry in open_tools().items()}
    for name, arguments, wanted in OPEN:
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
    tried = [*CARDS, *ACCOUNTS, *CREDITS, *CLAIMS, *OWN, *OPEN]
    done = {name for name, _, wanted in tried if not wanted.startswith(("Error", "Failed", "No "))}
    refused = {name for name, _, wanted in tried if wanted.startswith(("Error", "Failed"))}
    every = {**agent_tools(), **customer_tools(), **open_tools()}
    assert set(every) - done == {"get_user_information_by_name"}
    assert {name for name, entry in every.items() if entry.action and entry.refused} <= refused | {
        "get_referral_link"
    }
