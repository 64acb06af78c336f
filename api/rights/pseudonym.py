"""Keys of the installation's own: a pseudonym that evidence is kept under, and what proves a tombstone. Pure."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from api.rights.subject import Subject


def pseudonyms(subject: Subject, secret: str) -> tuple[str, ...]:
    """Return what stands for a subject in evidence: one for the customer, else one for the conversation.

    Who knows the id and the installation's secret can find a row, for a dispute; nobody reads the id from it.
    """
    ids = [f"customer:{subject.customer}"] if subject.customer is not None else subject.conversations
    return tuple(_keyed(secret, "consent evidence", id) for id in ids)


def proof(told: Mapping[str, Any], secret: str) -> str:
    """Return what shows that a tombstone is as it was written: another figure or moment gives another proof."""
    return _keyed(secret, "erasure", json.dumps(told, ensure_ascii=False, sort_keys=True))


def _keyed(secret: str, use: str, text: str) -> str:
    key = hmac.new(secret.encode(), use.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
