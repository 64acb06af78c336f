"""When the AI says what it is, and which words say it. Pure; nothing else decides it.

```
nobody has spoken to the customer yet              ─► first   an AI answers, for which company, how to reach a person
a person gave the conversation back, or closed it  ─► again   the same, shorter
it was said since then, or a person is speaking    ─► None
```
The records keep only whether it was said; `owed_after` tells what makes it due once more.
"""

from collections.abc import Iterable
from typing import Literal

from agent.domain import Conversation, Holder, Message, Reply
from tools.context import Language
from tools.phrases import Phrases

Due = Literal["first", "again"]
"""Which of the two texts under `[disclosure]` is due."""


def due(conversation: Conversation, history: Iterable[Message]) -> Due | None:
    """Return what the AI must say of itself before its next words; `history` is the transcript so far."""
    if conversation.disclosed or conversation.holder == "person":
        return None
    return fitting(history)


def fitting(history: Iterable[Message]) -> Due:
    """Return how the AI introduces itself after this transcript, whether or not it must."""
    return "again" if any(line.author != "customer" for line in history) else "first"


def owed_after(before: Holder, after: Holder) -> bool:
    """Tell whether the AI must say anew what it is once the conversation passed from one holder to another.

    After a person it must; and what begins after a closed case is a new conversation to the customer.
    """
    return (before == "person" and after != "person") or after == "closed"


def words(due: Due, *, language: Language, company: str, phrases: Phrases) -> str:
    """Return the sentence: an AI answers, for this company, and a person can be called."""
    return phrases.say(f"disclosure.{due}", language, company=company)


def introduction(due: Due | None, *, language: Language, company: str, phrases: Phrases) -> tuple[Reply, ...]:
    """Return the message to put first: none where none is due."""
    return (Reply(text=words(due, language=language, company=company, phrases=phrases)),) if due else ()
