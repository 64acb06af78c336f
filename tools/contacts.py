"""E-mails and phone numbers in what customers write: found, compared, hidden. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from tools.folding import folded

By = Literal["email", "phone"]
HIDDEN = "•••"
"""Stands where a contact or a code stood."""

_EMAIL = re.compile(r"[\w.+%-]+\s?@\s?[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w-])\+?\d(?:[\s().\u00a0-]*\d){9,14}(?![\w-])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One way to reach somebody; `value` is comparable: a folded e-mail, or the digits of a phone as dialled abroad."""

    by: By
    value: str


def contact_in(text: str) -> Contact | None:
    """Return the one contact the text names, an e-mail before a phone; None for none, and for several of a kind."""
    plain = unicodedata.normalize("NFKC", text)
    for by, pattern, read in (("email", _EMAIL, mailbox), ("phone", _PHONE, dialled)):
        found = {read(match.group()) for match in pattern.finditer(plain)}
        if found:
            return Contact(by=by, value=found.pop()) if len(found) == 1 else None  # type: ignore[arg-type]
    return None


def written_contact(text: str) -> str:
    """Return the one contact the text names, as it is written there; empty where `contact_in` finds none."""
    if contact_in(text) is None:
        return ""
    plain = unicodedata.normalize("NFKC", text)
    found = _EMAIL.search(plain) or _PHONE.search(plain)
    return found.group().strip() if found else ""


def without_contacts(text: str) -> str:
    """Return the text with every e-mail and phone number hidden."""
    return _PHONE.sub(HIDDEN, _EMAIL.sub(HIDDEN, text))


def mailbox(email: str) -> str:
    """Return an e-mail as it is compared."""
    return folded(email).replace(" ", "")


def dialled(phone: str) -> str:
    """Return the digits of a phone number as it is dialled from abroad: 8 900 … is +7 900 … written at home."""
    digits = "".join(str(unicodedata.digit(c)) for c in phone if c.isdigit())
    return f"7{digits[1:]}" if len(digits) == 11 and digits[0] == "8" else digits
