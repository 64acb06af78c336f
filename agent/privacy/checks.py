"""Control digits of cards, СНИЛС, ИНН and bank accounts. Pure.

Sources: ISO/IEC 7812-1 annex B (Luhn); the Pension Fund's rule for СНИЛС (numbers above 001-001-998); the tax service's
order of control digits for ИНН of 10 and 12 digits; ISO 13616 (IBAN).
"""

from collections.abc import Sequence

_INN_10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_11 = (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_12 = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
SNILS_FROM = 1_001_998
"""Numbers up to this one were given out before there was a control sum."""


def luhn(digits: str) -> bool:
    """Return whether the last digit of a card's number agrees with the others."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0 and len(set(digits)) > 1


def snils(digits: str) -> bool:
    """Return whether eleven digits are a СНИЛС."""
    if len(digits) != 11 or int(digits[:9]) <= SNILS_FROM:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, range(9, 0, -1), strict=False))
    return total % 101 % 100 == int(digits[9:])


def inn(digits: str) -> bool:
    """Return whether ten digits (a company's) or twelve (a person's) are an ИНН."""
    if len(digits) == 10:
        return _control(digits, _INN_10) == int(digits[9]) and len(set(digits)) > 1
    if len(digits) == 12:
        right = (_control(digits, _INN_11), _control(digits, _INN_12))
        return right == (int(digits[10]), int(digits[11])) and len(set(digits)) > 1
    return False


def iban(code: str) -> bool:
    """Return whether letters and digits without spaces are an IBAN."""
    plain = code.upper()
    if not 15 <= len(plain) <= 34 or not plain.isalnum() or not plain.isascii():
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def _control(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % 11 % 10
