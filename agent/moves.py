"""What a message asks of the house: the closed set of moves that `agent.reception` finds in it."""

from dataclasses import dataclass

from agent import dialogue, memory
from agent.domain import Reason
from tools.contacts import Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A person holds or will hold the conversation; the AI says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Already:
    """A person was asked for again while the customer waits for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The waiting customer says where to answer them, as they wrote it."""

    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """The waiting customer chose to go on with the assistant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPerson:
    """The customer wants a person, or their words tell that nothing else will help."""

    reason: Reason = "customer_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Consent to `purpose`; the waiting question is taken up."""

    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """No consent to `purpose`."""

    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Consent is taken back for these matters (`agent.withdrawal`), for everything where none is named."""

    matters: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A button of the assistant's was pressed while a person has the conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """Yes to exactly the open proposal with this id."""

    proposal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """No to the proposal with this id."""

    proposal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase:
    """Everything held of the customer is to be deleted; `yes` is the answer to our question, None before it is put."""

    yes: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional:
    """Yes to the open proposal on a condition of the customer's own: no yes, and nothing else either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A rating of an earlier turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A fixed text answers it: a key under `[talk]` or `[disclosure]`."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Danger:
    """Somebody may come to harm: the customer (`harm`), or one of us (`threat`)."""

    kind: dialogue.Danger


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCode:
    """A one-time code is wanted, for the customer with this contact; `again`: the contact could not be read."""

    contact: Contact | None = None
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The digits of a one-time code; `rest` is what else was said, with the code hidden."""

    digits: str
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A full name with a postcode, where they are awaited; both empty when they could not be read."""

    name: str = ""
    postcode: str = ""


Proof = SendCode | Code | Named
"""Moves on the way to knowing who the customer is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The last answer once more; `short`: only how it begins."""

    short: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unhelpful:
    """The last answer was of no use; `again`: neither was the one before it."""

    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explain:
    """What the last answer was made of is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """More questions than one answer can carry; `first` are the first of them."""

    first: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question for retrieval and the writer.

    `whole`: it stands by itself, whatever we asked back; `drops`: the open proposal it puts right.
    """

    question: str
    whole: bool = False
    drops: str = ""


Settled = Silent | Already | Reach | Resume | Rated | Fixed | Many
"""Moves that need nothing but words."""
Move = (
    Settled
    | CallPerson
    | Grant
    | Refuse
    | Withdraw
    | Late
    | Confirm
    | Drop
    | Erase
    | Conditional
    | Proof
    | Danger
    | memory.Request
    | Again
    | Unhelpful
    | Explain
    | Ask
)
