"""A receipt as a record after ISO/IEC TS 27560, in JSON-LD with terms of the W3C Data Privacy Vocabulary. Pure.

```
DataProcessingRecord ─┬─ DataController, DataSubject
                      ├─ source*      documents, by version and passage
                      └─ Process*     purpose · personal data · processing · legal basis · recipient · measure
                           ├─ one for each thing read or changed in a system
                           ├─ one for each model, with its recipient where it is outside
                           └─ one for what is remembered
```
The standard's fields about storage places, jurisdictions and rights are the company's to state in its privacy notice: they
are the same for every answer, and are left out here. The shape is fixed by `record.schema.json` beside this file.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from agent.domain import TurnRecord
from agent.itemising import receipt_of
from agent.policy.consent import EXTERNAL_MODEL
from agent.receipt import Basis, FieldUse, Granted, ModelRead, Receipt

MEDIA_TYPE = "application/ld+json"
SCHEMA = "urn:mayak:schema:receipt:1"
CONTEXT: Mapping[str, str] = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "dct": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
}
_BASES: Mapping[str, str] = {
    "consent": "dpv:Consent",
    "contract": "dpv:Contract",
    "legal": "dpv:LegalObligation",
}
_FOLDER = Path(__file__).parent


def as_record(record: TurnRecord, *, company: str) -> dict[str, Any]:
    """Return the turn's receipt as JSON-LD; no value of a person is in it, the conversation stands for the person."""
    receipt = receipt_of(record)
    types = ["dpv:DataProcessingRecord"]
    if any(basis.granted is not None for basis in receipt.bases):
        types.append("dpv:ConsentReceipt")
    told: dict[str, Any] = {
        "@context": dict(CONTEXT),
        "@id": f"urn:mayak:receipt:{record.turn}",
        "@type": types,
        "dct:conformsTo": SCHEMA,
        "dct:references": "https://w3id.org/dpv/schema/dpv-27560#receipt",
        "dpv:hasIdentifier": record.turn,
        "dct:language": record.language,
        "dpv:hasDataController": {"@type": "dpv:DataController", "dpv:hasName": company},
        "dpv:hasDataSubject": {"@type": "dpv:DataSubject", "dpv:hasIdentifier": record.conversation},
        "dct:source": [
            {
                "dct:identifier": use.passage,
                "dct:isPartOf": use.document,
                "dct:hasVersion": str(use.version),
                "dct:title": use.title,
                "dct:type": "cited" if use.cited else "read",
            }
            for use in receipt.documents
        ],
        "dpv:hasProcess": [*_reads(receipt), *_models(receipt), *_kept(receipt)],
        "dct:extent": "whole" if receipt.whole else "partial",
    }
    if receipt.at is not None:
        told["dct:created"] = receipt.at.isoformat()
    return told


def _reads(receipt: Receipt) -> Iterator[dict[str, Any]]:
    for use in receipt.data:
        yield {
            "@type": "dpv:Process",
            "dpv:hasPurpose": [_purpose(use.purpose)],
            "dpv:hasPersonalData": _fields(use),
            "dpv:hasProcessing": ["dpv:Alter" if use.changed else "dpv:Retrieve"],
            "dpv:hasDataSource": ["dpv:DataControllerDataSource"],
            **_basis(receipt.basis(use.purpose)),
        }


def _models(receipt: Receipt) -> Iterator[dict[str, Any]]:
    for read in receipt.models:
        process: dict[str, Any] = {
            "@type": "dpv:Process",
            "dpv:hasPurpose": [_purpose(EXTERNAL_MODEL)],
            "dpv:hasPersonalData": [
                _data("conversation", part, masked=read.masked) for part in read.parts or ("question",)
            ],
            "dpv:hasProcessing": ["dpv:DiscloseByTransmission" if read.external else "dpv:Use"],
            "dpv:hasDataSource": ["dpv:DataSubjectDataSource"],
            "dpv:isImplementedUsingTechnology": {"@type": "dpv:Technology", "dpv:hasName": read.model},
        }
        yield process | (_outside(receipt, read) if read.external else {})


def _outside(receipt: Receipt, read: ModelRead) -> dict[str, Any]:
    told: dict[str, Any] = {
        "dpv:hasRecipient": [{"@type": "dpv:Recipient", "dpv:hasName": read.model}],
        **_basis(receipt.basis(EXTERNAL_MODEL)),
    }
    if read.masked:
        told["dpv:hasTechnicalMeasure"] = ["dpv:Pseudonymisation"]
    return told


def _kept(receipt: Receipt) -> Iterator[dict[str, Any]]:
    for where, purpose in (("conversation", "other"), ("notes", "memory")):
        kept = [one.what for one in receipt.remembered if one.where == where]
        if kept:
            until = "the end of the conversation" if where == "conversation" else "withdrawal or expiry"
            yield {
                "@type": "dpv:Process",
                "dpv:hasPurpose": [_purpose(purpose)],
                "dpv:hasPersonalData": [_data("conversation", what) for what in kept],
                "dpv:hasProcessing": ["dpv:Store"],
                "dpv:hasDataSource": ["dpv:DataSubjectDataSource"],
                "dpv:hasStorageCondition": [
                    {
                        "@type": "dpv:StorageDuration",
                        "dpv:hasDuration": {"@type": "dpv:UntilEventDuration", "rdf:value": until},
                    }
                ],
                **_basis(receipt.basis(purpose)),
            }


def _purpose(name: str) -> dict[str, Any]:
    broader = _terms()["purposes"]
    return {
        "@id": f"urn:mayak:purpose:{name}",
        "@type": "dpv:Purpose",
        "skos:broader": broader.get(name, broader["other"]),
        "skos:prefLabel": name,
    }


def _fields(use: FieldUse) -> list[dict[str, Any]]:
    return [_data(use.what, name) for name in use.fields] or [_data(use.what, "")]


def _data(what: str, name: str, *, masked: bool = False) -> dict[str, Any]:
    told = {
        "@id": f"urn:mayak:data:{what}:{name}".rstrip(":"),
        "@type": "dpv:PseudonymisedData" if masked else "dpv:PersonalData",
        "skos:prefLabel": name or what,
    }
    broader = _terms()["data"].get(what)
    return told | ({"skos:broader": broader} if broader else {})


def _basis(basis: Basis) -> dict[str, Any]:
    """Return the legal basis; nothing where the company has named none, because a record claims none either."""
    if basis.kind not in _BASES:
        return {}
    told: dict[str, Any] = {"@type": _BASES[basis.kind]}
    return {"dpv:hasLegalBasis": told | (_consent(basis.granted) if basis.granted else {})}


def _consent(row: Granted) -> dict[str, Any]:
    return {
        "dpv:hasIdentifier": str(row.id),
        "dpv:hasConsentStatus": "dpv:ConsentGiven",
        "dpv:isIndicatedAtTime": row.at.isoformat(),
        "dpv:hasIndicationMethod": row.channel,
        "dpv:hasConsentControl": "dpv:WithdrawConsent",
        "dpv:hasNotice": {
            "@type": "dpv:ConsentNotice",
            "dct:hasVersion": row.version,
            "dct:language": row.language,
            "spdx:checksum": {
                "@type": "spdx:Checksum",
                "spdx:algorithm": "spdx:checksumAlgorithm_sha256",
                "spdx:checksumValue": row.sha256,
            },
        },
    }


@cache
def _terms() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((_FOLDER / "dpv.toml").read_text("utf-8"))
