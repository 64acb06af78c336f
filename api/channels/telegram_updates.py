"""Reads updates of the Bot API: what a customer did, and nothing else of what an update may hold. Pure.

Only the few fields that matter are touched, so a kind of message that did not exist yesterday stops nothing.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from api.channels.port import Came

WANTED = ("message", "edited_message", "callback_query")
"""The kinds of updates that are asked for."""
NOT_WORDS = (
    "animation",
    "audio",
    "checklist",
    "contact",
    "dice",
    "document",
    "game",
    "invoice",
    "location",
    "paid_media",
    "photo",
    "poll",
    "sticker",
    "story",
    "venue",
    "video",
    "video_note",
    "voice",
)
"""Fields of a message that hold something other than words; whatever else has no words is a service message."""
START = re.compile(r"/start(?:@\w+)?(?:\s|$)")


class Unreadable(ValueError):
    """What came is no update of the Bot API."""


def number_of(update: Any) -> int:
    """Return the update's number. Raises `Unreadable`."""
    try:
        return int(update["update_id"])
    except (KeyError, TypeError, ValueError) as wrong:
        raise Unreadable("an update without a number") from wrong


def came_of(update: Any) -> tuple[Came, ...]:
    """Return what a customer did: nothing for whatever is not ours to answer, two things for a captioned photo.

    Raises `Unreadable`.
    """
    try:
        if (query := update.get("callback_query")) is not None:
            return _tap(query)
        edited = "edited_message" in update
        letter = update.get("edited_message" if edited else "message")
        if letter is None:
            return ()
        if letter["chat"]["type"] != "private":
            return () if edited else _elsewhere(letter)
        return _edited(letter) if edited else _said(letter)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as wrong:
        # The update itself is not repeated: it holds what a customer wrote.
        raise Unreadable(f"{type(wrong).__name__} while reading an update") from None


def _tap(query: Mapping[str, Any]) -> tuple[Came, ...]:
    letter = query.get("message")
    if letter is None or letter["chat"]["type"] != "private":
        return ()
    id = str(query["id"])
    return (
        Came(
            kind="tap",
            address=str(int(letter["chat"]["id"])),
            key=f"tap:{id}",
            tap=id,
            data=str(query.get("data", "")),
            language=_language(query),
        ),
    )


def _said(letter: Mapping[str, Any]) -> tuple[Came, ...]:
    common, key = _common(letter), f"m{int(letter['message_id'])}"
    found = []
    if text := _words(letter):
        found.append(Came(kind="start" if START.match(text) else "text", key=key, text=text, **common))
    if any(letter.get(name) for name in NOT_WORDS):
        # An album arrives as several messages and is remarked on once.
        album = letter.get("media_group_id")
        found.append(Came(kind="unreadable", key=f"album:{album}" if album else f"{key}:kind", **common))
    return tuple(found)


def _edited(letter: Mapping[str, Any]) -> tuple[Came, ...]:
    text = _words(letter)
    if not text:
        return ()
    original = f"m{int(letter['message_id'])}"
    key = f"{original}.{int(letter['edit_date'])}"
    return (Came(kind="edited", key=key, original=original, text=text, **_common(letter)),)


def _elsewhere(letter: Mapping[str, Any]) -> tuple[Came, ...]:
    """Return something only for who addresses us: a group's own talk is not ours to read."""
    if not START.match(_words(letter)):
        return ()
    return (Came(kind="elsewhere", key=f"m{int(letter['message_id'])}", **_common(letter)),)


def _words(letter: Mapping[str, Any]) -> str:
    text = letter.get("text") or letter.get("caption") or ""
    if not isinstance(text, str):
        raise TypeError("the text is no text")
    return text


def _common(letter: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "address": str(int(letter["chat"]["id"])),
        "said": datetime.fromtimestamp(int(letter["date"]), UTC),
        "language": _language(letter),
    }


def _language(what: Mapping[str, Any]) -> str:
    return str((what.get("from") or {}).get("language_code") or "")
