"""What a message asks for before any model is involved: pure, in a fixed order.

```
somebody in danger        ─► Danger              before everything, unless a person is there
held by a person / queued ─► Silent (or Resume, Already)
person asked for          ─► CallPerson          button or words, always first among the rest
consent answered          ─► Grant | Refuse      button, or a plain yes/no while a consent is open
confirmation answered     ─► Confirm | Drop      button, or a yes/no to exactly that while a proposal is open
a code wanted, or told    ─► SendCode | Code     button, words, a contact or six digits where they are awaited
rating                    ─► Rated
"are you a robot?"        ─► Robot
nothing, hello, thanks    ─► Empty | Greet | Thank
about the talk itself     ─► Again | Unhelpful | Ask (put right, taken up again)
everything else           ─► Ask                 the only way to a model
```
"""

from collections.abc import Callable
from dataclasses import dataclass

from agent import dialogue
from agent import language as words
from agent.domain import Action
from agent.policy import assent, proof
from agent.ports import Situation
from tools.contacts import Contact, contact_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A person holds or will hold the conversation; the AI says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Already:
    """A person was asked for again while the customer waits for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """The waiting customer chose to go on with the assistant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPerson:
    """The customer wants a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Consent to `purpose`; the waiting question is taken up."""

    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """No consent to `purpose`."""

    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """Yes to exactly the open proposal with this id."""

    proposal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """No to the proposal with this id."""

    proposal: str


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
class Again:
    """The last answer once more; `short`: only how it begins."""

    short: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unhelpful:
    """The last answer was of no use; `again`: neither was the one before it."""

    again: bool


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


Settled = Silent | Already | Resume | Rated | Fixed | Many
"""Moves that need nothing but words."""
Move = (
    Settled
    | CallPerson
    | Grant
    | Refuse
    | Confirm
    | Drop
    | SendCode
    | Code
    | Danger
    | Again
    | Unhelpful
    | Ask
)
MOST_QUESTIONS = 6
"""Questions one message may ask; an answer to more would be read by nobody."""
FIRST_QUESTIONS = 3

Rule = Callable[[Situation, str, Action | None], Move | None]


def receive(situation: Situation, text: str) -> Move:
    """Return what the batch asks for. `text` is the batch's messages joined by newlines."""
    action = situation.batch[-1].action if situation.batch else None
    if action is not None and action.kind == "say":
        # A quick reply is read as the words it sends.
        action = None
    for rule in RULES:
        move = rule(situation, text, action)
        if move is not None:
            return move
    return Ask(question=text)


def _danger(situation: Situation, text: str, action: Action | None) -> Move | None:
    if action is not None or situation.conversation.holder == "person":
        return None
    kind = dialogue.danger(text)
    return Danger(kind=kind) if kind is not None else None


def _held(situation: Situation, text: str, action: Action | None) -> Move | None:
    holder = situation.conversation.holder
    if holder not in ("queued", "person"):
        return None
    if holder == "queued" and action is not None and action.kind == "ai":
        return Resume()
    if holder == "queued" and _person_wanted(text, action):
        return Already()
    return Silent()


def _person(situation: Situation, text: str, action: Action | None) -> Move | None:
    return CallPerson() if _person_wanted(text, action) else None


def _person_wanted(text: str, action: Action | None) -> bool:
    if action is not None:
        return action.kind == "person"
    # Each message by itself, too: two languages in one breath are read as one of them.
    return words.wants_person(text) or any(map(words.wants_person, text.splitlines()))


def _offered(situation: Situation, text: str, action: Action | None) -> Move | None:
    """A plain yes to our question whether a person shall come."""
    last = dialogue.last_answer(situation.history)
    if action is not None or last is None or not last.text.rstrip().endswith("?"):
        return None
    offered = any(button.action.kind == "person" for button in last.buttons)
    return CallPerson() if offered and words.says_yes(text) else None


def _consent(situation: Situation, text: str, action: Action | None) -> Move | None:
    if action is not None and action.kind == "consent":
        return Grant(purpose=action.target) if action.yes else Refuse(purpose=action.target)
    if not situation.awaiting or action is not None:
        return None
    if words.says_yes(text):
        return Grant(purpose=situation.awaiting)
    return Refuse(purpose=situation.awaiting) if words.says_no(text) else None


def _confirmation(situation: Situation, text: str, action: Action | None) -> Move | None:
    if action is not None and action.kind == "confirm":
        return Confirm(proposal=action.target) if action.yes else Drop(proposal=action.target)
    if situation.proposal is None or action is not None:
        return None
    open_id, shown = str(situation.proposal["id"]), dialogue.proposed(situation.history, situation.proposal)
    answer = assent.read(text, to=shown.text, known=shown.values)
    # A yes with a question beside it is answered first: the proposal stays open, and so do its buttons.
    if answer.kind == "yes" and not answer.beside and not shown.passed:
        return Confirm(proposal=open_id)
    return Drop(proposal=open_id) if answer.kind == "no" or words.says_no(text) else None


def _proof(situation: Situation, text: str, action: Action | None) -> Move | None:
    if action is not None:
        return SendCode() if action.kind == "code" else None
    if situation.proving in ("code", "proved") and (digits := proof.code_in(text)) is not None:
        if situation.proving == "proved":
            return Fixed(key="identity.known")
        if digits == "malformed":
            return Fixed(key="identity.six")
        return Code(digits=digits, rest=proof.beside_code(text))
    contact = contact_in(text) if situation.proving == "contact" else None
    if contact is not None:
        return SendCode(contact=contact)
    if proof.wants_code(text):
        return SendCode(contact=contact_in(text))
    tried = situation.proving == "contact" and proof.tries_contact(text)
    return SendCode(again=True) if tried else None


def _rating(situation: Situation, text: str, action: Action | None) -> Move | None:
    return Rated() if action is not None and action.kind == "rate" else None


def _fixed(situation: Situation, text: str, action: Action | None) -> Move | None:
    if words.asks_if_robot(text):
        return Fixed(key="disclosure.robot")
    if not text.strip():
        return Fixed(key="talk.empty")
    if not any(mark.isalnum() for mark in text):
        return Fixed(key="talk.unreadable")
    if words.is_greeting(text):
        return Fixed(key="talk.greeting")
    if words.is_thanks(text):
        return Fixed(key="talk.thanks")
    if dialogue.only_abuse(text):
        return Fixed(key="talk.upset")
    return _many(text)


def _many(text: str) -> Move | None:
    asked = dict.fromkeys(s.strip() for line in text.splitlines() for s in words.sentences(line))
    found = [one for one in asked if one.endswith("?") and any(mark.isalnum() for mark in one)]
    return Many(first=tuple(found[:FIRST_QUESTIONS])) if len(found) > MOST_QUESTIONS else None


def _aside(situation: Situation, text: str, action: Action | None) -> Move | None:
    if action is not None:
        return None
    match dialogue.aside(text, situation.history):
        case dialogue.Repeat(short=short):
            return Again(short=short)
        case dialogue.Unhelpful(again=again):
            return Unhelpful(again=again)
        case dialogue.Restated(question=question, corrects=corrects):
            return Ask(question=question, whole=True, drops=_open_proposal(situation) if corrects else "")
        case dialogue.Vague() if not situation.clarified:
            return Fixed(key="talk.go_on")
        case dialogue.Noted() if not situation.clarified and not situation.awaiting:
            return Fixed(key="talk.noted") if situation.proposal is None else None
        case _:
            return None


def _open_proposal(situation: Situation) -> str:
    return str(situation.proposal["id"]) if situation.proposal is not None else ""


RULES: tuple[Rule, ...] = (
    _danger,
    _held,
    _person,
    _consent,
    _confirmation,
    _proof,
    _offered,
    _rating,
    _fixed,
    _aside,
)
