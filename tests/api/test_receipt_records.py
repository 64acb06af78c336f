"""A receipt as a machine-readable record: it keeps to its schema, speaks the real vocabulary and holds no value."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import api.receipts
from agent.domain import TurnRecord
from api.receipts.iso27560 import as_record
from tests.agent.test_receipt import ABOUT_ORDER, FAR, HOUSE, ROW
from tests.agent.test_turn import decide, situation

SCHEMA = json.loads((Path(api.receipts.__file__).parent / "record.schema.json").read_text("utf-8"))
CHECK = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
VOCABULARY = frozenset(
    [
        "Alter",
        "Consent",
        "ConsentGiven",
        "ConsentNotice",
        "ConsentReceipt",
        "Contract",
        "CustomerCare",
        "CustomerManagement",
        "CustomerOrderManagement",
        "CommunicationForCustomerCare",
        "DataController",
        "DataControllerDataSource",
        "DataProcessingRecord",
        "DataSubject",
        "DataSubjectDataSource",
        "DirectMarketing",
        "DiscloseByTransmission",
        "IdentityAuthentication",
        "LegalObligation",
        "PersonalData",
        "Personalisation",
        "Process",
        "Pseudonymisation",
        "PseudonymisedData",
        "Purpose",
        "Recipient",
        "Retrieve",
        "ServicePersonalisation",
        "StorageDuration",
        "Store",
        "Technology",
        "UntilEventDuration",
        "Use",
        "WithdrawConsent",
        "hasConsentControl",
        "hasConsentStatus",
        "hasDataController",
        "hasDataSource",
        "hasDataSubject",
        "hasDuration",
        "hasIdentifier",
        "hasIndicationMethod",
        "hasLegalBasis",
        "hasName",
        "hasNotice",
        "hasPersonalData",
        "hasProcess",
        "hasProcessing",
        "hasPurpose",
        "hasRecipient",
        "hasStorageCondition",
        "hasTechnicalMeasure",
        "isImplementedUsingTechnology",
        "isIndicatedAtTime",
    ]
)
"""Terms of https://w3id.org/dpv 2.2 that a record may use."""


async def decided() -> TurnRecord:
    """An order asked about under a consent, drafted by a masked model outside and one of the house."""
    masked = replace(FAR, masked=True, kinds={"phone": 1}, parts=("question", "results"))
    draft = replace(ABOUT_ORDER, reads=(masked, HOUSE))
    at = situation("меня зовут Анна, где заказ 1051?", purposes=frozenset({"orders:read"}), granted=(ROW,))
    ledger, _ = await decide(at, draft)
    return ledger.record


async def test_a_record_keeps_to_its_schema_and_tells_purpose_basis_and_recipient() -> None:
    record = as_record(await decided(), company="Фонарь")
    CHECK.validate(record)
    read, outside, inside, kept = record["dpv:hasProcess"]
    assert read["dpv:hasPurpose"][0]["skos:broader"] == "dpv:CustomerOrderManagement"
    assert [data["skos:prefLabel"] for data in read["dpv:hasPersonalData"]] == [
        "order",
        "payment.state",
        "items.title",
    ]
    basis = read["dpv:hasLegalBasis"]
    assert (basis["@type"], basis["dpv:hasIdentifier"]) == ("dpv:Consent", "7")
    assert basis["dpv:hasNotice"]["spdx:checksum"]["spdx:checksumValue"] == ROW.sha256
    assert outside["dpv:hasRecipient"][0]["dpv:hasName"] == "openai:far"
    assert outside["dpv:hasTechnicalMeasure"] == ["dpv:Pseudonymisation"]
    assert "dpv:hasRecipient" not in inside
    assert kept["dpv:hasProcessing"] == ["dpv:Store"]
    assert "dpv:ConsentReceipt" in record["@type"]


async def test_no_value_of_a_person_is_in_a_record() -> None:
    written = json.dumps(as_record(await decided(), company="Фонарь"), ensure_ascii=False)
    assert not [value for value in ("Анна", "1051", "paid", "Лампа", "anna") if value in written]


async def test_a_record_speaks_the_vocabulary_and_nothing_invented() -> None:
    written = json.dumps(as_record(await decided(), company="Фонарь"))
    used = set(re.findall(r'"dpv:(\w+)"', written)) | set(re.findall(r"dpv:(\w+)", json.dumps(SCHEMA)))
    assert used - VOCABULARY == set()


async def test_an_answer_that_used_nothing_has_a_record_too() -> None:
    ledger, _ = await decide(situation("привет"))
    record = as_record(ledger.record, company="Фонарь")
    CHECK.validate(record)
    assert (record["dpv:hasProcess"], record["@type"]) == ([], ["dpv:DataProcessingRecord"])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record.pop("dpv:hasDataController"),
        lambda record: record["dpv:hasProcess"][0].pop("dpv:hasPurpose"),
        lambda record: record["dpv:hasProcess"][1].pop("dpv:hasRecipient"),
        lambda record: record["dpv:hasProcess"][0]["dpv:hasLegalBasis"].pop("dpv:hasNotice"),
        lambda record: record["dpv:hasProcess"][0]["dpv:hasPersonalData"].append({"value": "Анна"}),
        lambda record: record.update(customer="anna"),
    ],
)
async def test_the_schema_refuses_a_record_that_lacks_or_adds_something(spoil: Any) -> None:
    record = as_record(await decided(), company="Фонарь")
    spoil(record)
    assert not CHECK.is_valid(record)
