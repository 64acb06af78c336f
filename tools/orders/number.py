"""Order numbers as people write them: «№ 1045-А», "заказ 1045а", "#1045-A" with a Latin A, "#W2378156"."""

import re
import unicodedata

from tools.context import OrderId

# Letters that look alike in both alphabets: a canonical number has the Cyrillic behind and the Latin in front.
_LOOKALIKES = str.maketrans("ABCEHKMOPTXY", "АВСЕНКМОРТХУ")
_LATIN = str.maketrans("АВСЕНКМОРТХУ", "ABCEHKMOPTXY")
_DASHES = re.compile(r"[\u2010-\u2015\u2212\u00ad]")
_NUMBER = re.compile(
    r"""(?:(?P<marked>(?<!\w)(?:(?:no\.?|nr\.?|n°|\#|заказ\w*|номер\w*|orders?|numbers?)[\s:.\#-]*)+) | (?<![\w.,+-]))
        (?:(?P<prefix>[a-zа-яё])(?=\d{6}))?(?P<digits>\d{1,10})
        (?:(?:\ ?-\ ?)?(?P<letter>[a-zа-яё])(?!\w) | \ (?P<loose>[a-zа-яё])\s*$)?
        (?![\w]|[.,]\d|-\w)""",
    re.IGNORECASE | re.VERBOSE,
)
_ALSO = re.compile(r"\s*(?:,|и|или|либо|and|or)\s*", re.IGNORECASE)
_GROUPED = re.compile(r"\d[ -]$"), re.compile(r"[ -]\d")
_UNMARKED_DIGITS = 3


def order_number(text: str) -> OrderId | None:
    """Return the canonical number ("1045-А", "1051") that `text` names, or None when it names none or several.

    A letter in front counts before six digits and more, so a product's code is none. Inside a sentence a bare number counts from three digits on, outside phone numbers; after «заказ», «№» or
    "order" any does, and marked numbers («заказ 1045-А или 1051» marks both) win over bare ones.
    """
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", text[:500].replace("№", "#")))
    alone = re.fullmatch(r"[\W_]*[^\W\d]?\d{1,10}[\W_]*[^\W\d]?[\W_]*", plain) is not None
    marked: set[OrderId] = set()
    bare: set[OrderId] = set()
    end = -1
    for match in _NUMBER.finditer(plain):
        if match["marked"] or (end >= 0 and _ALSO.fullmatch(plain, end, match.start())):
            marked.add(_canonical(match))
            end = match.end()
        elif alone or (len(match["digits"]) >= _UNMARKED_DIGITS and not _grouped(plain, match)):
            bare.add(_canonical(match))
    named = marked or bare
    return named.pop() if len(named) == 1 else None


def _grouped(plain: str, match: re.Match[str]) -> bool:
    before, after = _GROUPED
    return bool(before.search(plain, 0, match.start()) or after.match(plain, match.end()))


def _canonical(match: re.Match[str]) -> OrderId:
    letter = (match["letter"] or match["loose"] or "").upper().translate(_LOOKALIKES)
    if match["prefix"]:
        first = match["prefix"].upper().translate(_LATIN)
        return OrderId(f"{first}{match['digits']}" + (f"-{letter}" if letter else ""))
    digits = match["digits"].lstrip("0") or "0"
    return OrderId(f"{digits}-{letter}" if letter else digits)
