"""What a purpose may rest on: a row of the ledger of consents, a contract, or the law. Values without I/O."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tools.context import Assurance, ConversationId, CustomerId, Language, TurnId

BasisKind = Literal["consent", "contract", "legal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRow:
    """One row of the ledger: who agreed to exactly which words, where, when, and through whom.

    `number` counts up over the whole ledger. `channel` and `address` (chat id, empty for the widget) are those of the
    conversation at that moment, `assurance` how sure we were of the customer. `actor`: customer, system, or the login
    of a member of staff. `text_sha256` is hexadecimal, of the UTF-8 `text`.
    """

    number: int
    conversation: ConversationId
    customer_id: CustomerId | None
    assurance: Assurance
    purpose: str
    granted: bool
    version: str
    text: str
    text_sha256: str
    language: Language
    channel: str
    address: str
    actor: str
    turn: TurnId | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Why a purpose may be acted under now; `row` is the consent where it rests on one."""

    purpose: str
    kind: BasisKind
    row: ConsentRow | None = None


def digest(text: str) -> str:
    """Return the SHA-256 of a text, hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
