"""What is done to a customer's text before it is kept or read: marks nobody sees, borrowed letters, packed words, gaps
of templates that nobody filled. Pure.

```
kept ──► visible    without controls, zero-width and direction marks: the same words on every screen
read ──► plainly    letters of one word in one alphabet, styled letters as plain ones, no packed runs,
                            no unfilled gaps of a template
```
The transcript keeps what the customer could see; only how it is read is plainer.
"""

import re
import unicodedata

PACKED = "…"
"""Stands where a packed run or a gap stood: it is no word, and nothing takes it for one."""
SHORTEST_PACKED = 24
"""Characters from which a run of letters of both cases is packed text: no word, code or number is that long."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\U000e0000-\U000e007f]"
)
_STYLED = re.compile("[\uff01-\uff5e\U0001d400-\U0001d7ff\u24b6-\u24e9]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_RUN = re.compile(rf"(?<![\w/.:-])[A-Za-z0-9+/_-]{{{SHORTEST_PACKED},}}={{0,2}}")
# {{ anything }}, ${ anything }, {name}, %(name)s, %s: a number in braces is none of them.
_GAP = re.compile(
    r"\{\{[^{}\n]{1,80}\}\}|\$\{[^{}\n]{1,80}\}|\{[^\W\d][\w.]{0,40}\}|%\([A-Za-z_]\w{0,40}\)[a-z]|(?<!\S)%[a-z](?!\S)"
)
_LATIN = "aceopxyABCEHKMOPTXYi"
_CYRILLIC = "асеорхуАВСЕНКМОРТХУі"
_TO_LATIN = str.maketrans(_CYRILLIC + "ѕјһԛԝԁοαε", _LATIN + "sjhqwdoae")
_TO_CYRILLIC = str.maketrans(_LATIN, _CYRILLIC)
_OWN_CYRILLIC = re.compile(f"[а-яёА-ЯЁ](?<![{_CYRILLIC}])")
_OWN_LATIN = re.compile(f"[a-zA-Z](?<![{_LATIN}])")
_ANY_CYRILLIC = re.compile(r"[\u0400-\u052f]")
_ANY_LATIN = re.compile(r"[a-zA-Z]")


def visible(text: str) -> str:
    """Return the text without characters that show nothing, hide others or turn the line around."""
    return _UNSEEN.sub("", text)


def plainly(text: str) -> str:
    """Return the text as it is read: what looks like a word of one alphabet is one, what is packed or a gap is no word."""
    plain = _STYLED.sub(lambda match: unicodedata.normalize("NFKC", match.group()), visible(text))
    whole = _GAP.sub(PACKED, _RUN.sub(_unpacked, plain))
    return _WORD.sub(lambda match: _one_alphabet(match.group()), whole)


def _one_alphabet(word: str) -> str:
    if word.isascii() or not _ANY_LATIN.search(word):
        return word
    cyrillic, latin = _OWN_CYRILLIC.search(word), _OWN_LATIN.search(word)
    if cyrillic and latin:
        return word
    if cyrillic or (not latin and len(_ANY_CYRILLIC.findall(word)) * 2 >= len(word)):
        return word.translate(_TO_CYRILLIC)
    return word.translate(_TO_LATIN)


def _unpacked(match: re.Match[str]) -> str:
    run = match.group()
    mixed = any(c.islower() for c in run) and any(c.isupper() for c in run)
    words = [part for part in re.split(r"[-_/+]", run) if part]
    return PACKED if mixed and max(map(len, words)) >= SHORTEST_PACKED // 2 else run
