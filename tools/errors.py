"""What can go wrong with a tool.

    ToolFault
    ├── NotFound        absent, or not this owner's: the two are never told apart
    ├── Rejected        the system understood and refused; `reason` is a code with a text in tools/texts
    ├── Unavailable     the system behind the tool did not answer; may be tried again
    │   └── Unsent      it was not even asked: whatever was wanted has not happened
    ├── Declined        the system answered that it will not; adapters read `status` and tell what it means
    ├── NotIdentified   nobody is signed in, or not surely enough
    ├── NoBasis         no consent or contract covers the tool's purpose
    ├── Unconfirmed     the proposal is not the one the customer was shown
    ├── Expired         the confirmation came too late
    └── UnreadableShop  a shop data file is broken

`code` is for machines, `remedy` for engineers. Customers read neither: their sentences live in tools/texts.
"""

from typing import ClassVar


class ToolFault(Exception):
    """Root of the room's errors."""

    code: ClassVar[str] = "tool_fault"
    retryable: ClassVar[bool] = False
    remedy: str = "Look at the cause in the log and hand the conversation to a person."

    def __init__(self, message: str = "", *, remedy: str = "") -> None:
        super().__init__(message or self.code)
        if remedy:
            self.remedy = remedy


class NotFound(ToolFault):
    """No such thing among those of this owner."""

    code = "not_found"
    remedy = "Ask the customer to check the number or to sign in with another account."


class Rejected(ToolFault):
    """The request was understood and refused; `reason` is a code such as `not_cancellable` or `changed`."""

    code = "rejected"
    remedy = "Tell the customer the reason; ask again only with other arguments."

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unavailable(ToolFault):
    """The system behind the tool did not answer."""

    code = "unavailable"
    retryable = True
    remedy = "Try a read again later. Never repeat a write before reading whether it happened."


class Unsent(Unavailable):
    """The system was not even asked, so nothing can have happened there."""

    remedy = "Try again later; nothing was changed."


class Declined(ToolFault):
    """A system behind HTTP answered 4xx; `body` is its JSON or None. Never told to a customer as it is."""

    code = "declined"
    remedy = "Look whether the system's address, key and rights are those the documentation asks for."

    def __init__(self, system: str, *, status: int, body: object) -> None:
        super().__init__(f"{system} answered {status}")
        self.status = status
        self.body = body


class NotIdentified(ToolFault):
    """The tool needs a customer whose identity is surer than the present one."""

    code = "not_identified"
    remedy = "Ask the customer to sign in on the site, then go on in the same conversation."


class NoBasis(ToolFault):
    """No live consent or contract for `purpose`."""

    code = "no_basis"
    remedy = "Ask for consent first; until then the tool must not be offered."

    def __init__(self, purpose: str) -> None:
        super().__init__(purpose)
        self.purpose = purpose


class Unconfirmed(ToolFault):
    """What is to be executed is not what was confirmed."""

    code = "unconfirmed"
    remedy = "Make a new proposal, show it, and execute exactly that one."


class Expired(ToolFault):
    """The proposal is older than its time limit."""

    code = "expired"
    remedy = "Make a new proposal and ask again."


class UnreadableShop(ToolFault):
    """A shop data file cannot be read; the message names file and place."""

    code = "unreadable_shop"
    remedy = "Write the files anew with scripts/demo_shop.py."
