"""How long to wait for the rest of a customer's message before a turn begins. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from agent.domain import Incoming

LONGEST = timedelta(seconds=3)
"""However long the customer types, their first message waits no longer than this."""
UNFINISHED = timedelta(milliseconds=700)
FINISHED = timedelta(milliseconds=250)
TYPING_LASTS = timedelta(milliseconds=1500)
"""A report of typing counts this long; clients repeat it while it goes on."""
FINISHED_WORDS = 3
"""From this many words on, a line that does not break off reads as finished."""
NO_WAIT = timedelta(0)


def quiet_window(
    messages: Sequence[Incoming],
    typing: datetime | None,
    now: datetime,
    *,
    urgent: Callable[[str], bool] = lambda text: False,
    longest: timedelta = UNFINISHED,
) -> float:
    """Return the seconds still to wait before these waiting messages become a turn; 0 means now.

    Buttons and `urgent` texts (a request for a person, a plain yes or no to our question) never wait.
    Otherwise: `longest` after the last message, less when it reads as finished, more while the customer
    types, at most 3 s after the first message. `typing` is the moment typing was last reported.
    """
    if not messages or any(message.action is not None or urgent(message.text) for message in messages):
        return 0.0
    last = messages[-1]
    until = last.at + (min(FINISHED, longest) if reads_finished(last.text) else longest)
    if typing is not None and typing >= last.at and longest > NO_WAIT:
        until = max(until, typing + TYPING_LASTS)
    until = min(until, messages[0].at + LONGEST)
    return max(0.0, (until - now).total_seconds())


def reads_finished(text: str) -> bool:
    """Return whether a message looks whole: it ends a sentence, or has words enough and does not break off."""
    stripped = text.rstrip().rstrip("\"'»”)")
    if not stripped or stripped.endswith(("...", "…", ",", ":", ";", "-", "–", "—")):
        return False
    return stripped.endswith((".", "?", "!")) or len(stripped.split()) >= FINISHED_WORDS
