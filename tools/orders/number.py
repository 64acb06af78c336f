"""Order numbers as people write them: «№ 1045-А», "заказ 1045а", "#1045-A" with a Latin A, "#W2378156"."""

import re
import unicodedata

from tools.context import OrderId

# Letters that look alike in both alphabets: a canonical number has the Cyrillic behind and the Latin in front.
_LOOKALIKES = str.maketrans("ABCEHKMOPTXY", "АВСЕНКМОРТХУ")
_LATIN = str.maketrans("АВСЕНКМОРТХУ", "ABCEHKMOPTXY")
_DASHES = re.compile(r"[\u2010-\u2015\u2212\u00ad]")
_UNSEEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_DIGIT = re.compile(r"[^\W\D](?<![0-9])|(?<=\d)[oо](?=\d)", re.IGNORECASE)
"""A digit of another script, or the letter O between two digits: it is meant for a zero."""
_NUMBER = re.compile(
    r"""(?:(?P<marked>(?<!\w)(?:(?:no\.?|nr\.?|n°|\#|заказ[^\W\d_]*|номер[^\W\d_]*|orders?|numbers?)[\s:.\#-]*)+) | (?<![\w.,+-]))
        (?:(?P<prefix>[a-zа-яё]-?|(?-i:[B-HJ-Z])\ )(?=\d{6}))?(?P<digits>\d{1,10})
        (?:(?:\ ?[-_/]\ ?)?(?P<letter>[a-zа-яё])(?!\w)
           | \ (?P<loose>[a-zа-яё]\s*$ | (?-i:[A-ZА-ЯЁ])(?=\s*[.,;:!?)»])))?
        (?![\w]|[.,]\d|-\w)""",
    re.IGNORECASE | re.VERBOSE,
)
_ALSO = re.compile(r"\s*(?:,|/|и|или|либо|and|or)\s*", re.IGNORECASE)
_GROUPED = re.compile(r"\d[ -]$"), re.compile(r"[ -]\d")
_UNMARKED_DIGITS = 3


def order_number(text: str) -> OrderId | None:
    """Return the canonical number ("1045-А", "1051") that `text` names, or None when it names none or several."""
    named = order_numbers(text)
    return named[0] if len(named) == 1 else None


def order_numbers(text: str) -> tuple[OrderId, ...]:
    """Return the canonical numbers that `text` names, each once, in their order.

    A letter in front counts before six digits and more, so a product's code is none. Inside a sentence a bare number counts from three digits on, outside phone numbers; after «заказ», «№» or
    "order" any does, and marked numbers («заказ 1045-А или 1051» marks both) win over bare ones.
    """
    plain = _plain(text)
    alone = re.fullmatch(r"[\W_]*[^\W\d]?[ -]?\d{1,10}[\W_]*[^\W\d]?[\W_]*", plain) is not None
    marked: dict[OrderId, None] = {}
    bare: dict[OrderId, None] = {}
    end = -1
    for match in _NUMBER.finditer(plain):
        if match["marked"] or (end >= 0 and _ALSO.fullmatch(plain, end, match.start())):
            marked[_canonical(match)] = None
            end = match.end()
        elif alone or (len(match["digits"]) >= _UNMARKED_DIGITS and not _grouped(plain, match)):
            bare[_canonical(match)] = None
    return tuple(marked or bare)


def _plain(text: str) -> str:
    """Return the text with dashes, digits and signs as plain ones, and without marks nobody sees."""
    same = unicodedata.normalize("NFKC", _UNSEEN.sub("", text[:500]).replace("№", "#"))
    return _DIGIT.sub(lambda found: str(unicodedata.digit(found.group(), 0)), _DASHES.sub("-", same))


def _grouped(plain: str, match: re.Match[str]) -> bool:
    before, after = _GROUPED
    return bool(before.search(plain, 0, match.start()) or after.match(plain, match.end()))


def _canonical(match: re.Match[str]) -> OrderId:
    letter = (match["letter"] or match["loose"] or "").strip().upper().translate(_LOOKALIKES)
    if match["prefix"]:
        first = match["prefix"][0].upper().translate(_LATIN)
        return OrderId(f"{first}{match['digits']}" + (f"-{letter}" if letter else ""))
    digits = match["digits"].lstrip("0") or "0"
    return OrderId(f"{digits}-{letter}" if letter else digits)
