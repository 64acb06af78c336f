"""Bytes into letters: what a file says about itself first, then UTF-8, then what reads like a language. Pure."""

import codecs
import re
from collections.abc import Sequence

from charset_normalizer import from_bytes

from knowledge.errors import Unreadable
from knowledge.reading.findings import Findings

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GUESSED = ("cp1251", "koi8_r", "cp866", "cp1252")
_BY_FREQUENCY = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
"""Russian letters, the most common first."""
_MIXED_WORD = re.compile(r"[A-Za-z][А-Яа-яЁё]|[А-Яа-яЁё][A-Za-z]")
_SAMPLE = 60_000
_REMEDY = "Save it again with the encoding UTF-8."


def decoded(data: bytes, *, findings: Findings, declared: str | None = None) -> str:
    """Return the text; a guessed or mixed encoding is a note. Raises `Unreadable`."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _strict(data, encoding)
    for named in (declared, "utf-8"):
        text = _tried(data, named) if named else None
        if text is not None and _plausible(text):
            return text
    wide = _utf16(data)
    if wide is None and b"\0" in data[:_SAMPLE]:
        raise Unreadable(
            "it is not text.", remedy="Check that the file is what its name says.", why="wrong_kind"
        )
    if wide is None and (mixed := _mixed(data)) is not None:
        findings.note("encoding", "mixed: UTF-8 and another encoding in one file")
        return mixed
    guessed = wide or _guess(data)
    if guessed is None:
        raise Unreadable("the text is in an encoding that cannot be recognised.", remedy=_REMEDY)
    findings.note("encoding", guessed)
    return _strict(data, guessed)


def _strict(data: bytes, encoding: str) -> str:
    text = _tried(data, encoding)
    if text is None:
        raise Unreadable(f"the text is not in {encoding}, though it begins like it.", remedy=_REMEDY)
    return text


def _tried(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _plausible(text: str) -> bool:
    # UTF-16 without a mark is valid UTF-8 with a control character beside every letter.
    head = text[:4_000]
    return sum(letter < "\x09" for letter in head) * 4 < max(1, len(head)) or not head.strip("\0")


def _utf16(data: bytes) -> str | None:
    """Recognise UTF-16 without a mark: every second byte is the same small number."""
    sample = data[: _SAMPLE // 2 * 2]
    if len(sample) < 4 or len(data) % 2:
        return None
    for encoding, high in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if sum(byte in (0, 4) for byte in high) > 0.9 * len(high) and _tried(data, encoding) is not None:
            return encoding
    return None


def _guess(data: bytes) -> str | None:
    """Return the encoding in which the bytes look most like Russian, else what the statistics say."""
    sample = data[:_SAMPLE]
    scored = sorted(((_russian(sample, name), name) for name in _GUESSED[:3]), reverse=True)
    if scored[0][0] > 0.5:
        return scored[0][1]
    best = from_bytes(sample, cp_isolation=list(_GUESSED)).best()
    return str(best.encoding) if best is not None and _tried(data, best.encoding) is not None else None


def _russian(sample: bytes, encoding: str) -> float:
    """Return 0..1: how much of what is not ASCII are common Russian letters in words of one case and one alphabet."""
    text = _tried(sample, encoding)
    if text is None:
        return 0.0
    foreign = [letter for letter in text if letter > "\x7f" and not letter.isspace()]
    if not foreign or len(_MIXED_WORD.findall(text)) * 4 > len(foreign):
        return 0.0
    places = [_BY_FREQUENCY.find(letter) for letter in "".join(foreign).lower()]
    common = sum(1 - place / len(_BY_FREQUENCY) for place in places if place >= 0)
    words = re.findall(r"[А-Яа-яЁё]+", text)
    written = sum(len(word) for word in words if word.islower() or word.istitle() or word.isupper())
    return (common + 0.5 * written) / (1.5 * len(foreign))


def _mixed(data: bytes) -> str | None:
    """Read line by line when some lines are UTF-8 and some are not; None when the file is of one kind."""
    lines = data.split(b"\n")
    read = [_tried(line, "utf-8") for line in lines]
    sure = sum(text is not None and not text.isascii() for text in read)
    if not sure:
        return None
    rest = _guess(b"\n".join(line for line, text in zip(lines, read, strict=True) if text is None))
    return None if rest is None else "\n".join(_lines(lines, read, rest))


def _lines(lines: Sequence[bytes], read: Sequence[str | None], rest: str) -> list[str]:
    return [
        line.decode(rest, "replace") if text is None else text for line, text in zip(lines, read, strict=True)
    ]
