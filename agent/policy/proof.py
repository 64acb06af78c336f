"""What of a message proves who somebody is: a code, a contact, the wish for a code; and what is shown in its place. Pure.

```
text ─► wants_code ─► contact_in (tools.contacts) ─► code_in      what the turn takes
    └─► discreet                                                  what transcript, models and people read
```
"""

import re
import unicodedata
from typing import Literal

from agent.cues import cues
from agent.domain import Proving
from agent.language import script
from agent.policy.named import unnamed
from tools.codes.port import DIGITS
from tools.contacts import HIDDEN, contact_in, without_contacts

Malformed = Literal["malformed"]

_CODE_LIKE = re.compile(r"(?<![\w.,+])\d(?:[ \u00a0-]?\d){3,7}(?![\w])")
"""Four to eight digits by themselves: what somebody types who was sent six."""
_BEGINS = re.compile(r"\W*\d(?:[ \u00a0-]?\d){5}(?![\w.,-])")
_DIGIT = re.compile(r"\d")


def wants_code(text: str) -> bool:
    """Tell whether the customer asks to be sent a one-time code."""
    return cues(script(text), name="identity").find("code", text)


def code_in(text: str) -> str | Malformed | None:
    """Return the six digits a line of the message consists of or begins with; "my code is" does not count.

    "malformed" when it is as plainly meant for a code and has other than six digits; None for any other message.
    """
    return next((found for _, found in map(_read, _plain(text).splitlines()) if found), None)


def beside_code(text: str) -> str:
    """Return what else a message with a code says, the code left out; "" when it says nothing else."""
    rest = discreet(text, "code").replace(HIDDEN, " ")
    return "" if _only_words_about_it(rest) else " ".join(rest.split())


def tries_contact(text: str) -> bool:
    """Tell whether a message that holds no readable contact was meant to be one."""
    return "@" in text or len(_DIGIT.findall(text)) >= DIGITS


def discreet(text: str, proving: Proving) -> str:
    """Return the text as anybody may read it: without a contact or a code where one is awaited.

    A contact beside the wish for a code is hidden as well; any other message stays as it is.
    """
    if not proving:
        if contact_in(text) is None or not wants_code(text):
            return text
        return without_contacts(text)
    if proving == "name":
        return without_contacts(unnamed(text))
    if proving != "contact" and code_in(text) is not None:
        return "\n".join(rest for rest, _ in map(_read, _plain(text).splitlines()))
    return without_contacts(text)


def _read(line: str) -> tuple[str, str | Malformed | None]:
    """Return the line with the code hidden, and the code."""
    found = _CODE_LIKE.findall(line)
    if len(found) == 1 and _only_words_about_it(_CODE_LIKE.sub(" ", line)):
        digits = _digits(found[0])
        return _CODE_LIKE.sub(HIDDEN, line), digits if len(digits) == DIGITS else "malformed"
    begun = _BEGINS.match(line)
    return (f"{HIDDEN}{line[begun.end() :]}", _digits(begun.group())) if begun else (line, None)


def _only_words_about_it(rest: str) -> bool:
    if not any(c.isalnum() for c in rest):
        return True
    lists = cues(script(rest), name="identity")
    return lists.only(rest, kind="code") or lists.only(rest, kind="fillers", fillers="code")


def _plain(text: str) -> str:
    """Return the text with all kinds of digits as the common ones."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in folded)


def _digits(text: str) -> str:
    return "".join(_DIGIT.findall(text))
