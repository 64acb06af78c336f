"""What a message asks for before any model is involved: pure, in a fixed order.

```
somebody in danger        ─► Danger              before everything, unless a person is there
consent taken back        ─► Withdraw            words, at any time; or a "no" while a person holds it
held by a person / queued ─► Silent (or Resume, Already, Reach; Late for a button of the assistant's)
person asked for          ─► CallPerson          button or words, always first among the rest
consent answered          ─► Grant | Refuse      button, or a plain yes/no while a consent is open
confirmation answered     ─► Confirm | Drop      button, or a yes/no to exactly that while a proposal is open
yes, but on a condition   ─► Conditional         nothing is done; the same proposal is put again
a code wanted, or told    ─► SendCode | Code     button, words, a contact or six digits where they are awaited
a name with a postcode    ─► Named               where they are awaited
to be forgotten           ─► Erase               words, then a button under our last question
rating                    ─► Rated
what you remember of me   ─► Show, Forget, Keep  shown, forgotten, put right, kept
abuse, once more          ─► CallPerson
nothing, hello, thanks    ─► Empty | Greet | Thank
how do you know that?     ─► Explain             from the receipt of the last answer
about the talk itself     ─► Again | Unhelpful | Ask (put right, taken up again)
the same, a third time    ─► CallPerson
everything else           ─► Ask                 the only way to a model
```
Before all this `hear` takes "are you a robot?" out of the message: it is answered whatever else is asked beside it.
"""

from collections.abc import Callable
from datetime import timedelta

from agent import dialogue, memory
from agent import language as words
from agent.domain import Action
from agent.moves import (
    Again,
    Already,
    Ask,
    CallPerson,
    Code,
    Conditional,
    Confirm,
    Danger,
    Drop,
    Erase,
    Explain,
    Fixed,
    Grant,
    Late,
    Many,
    Move,
    Named,
    Rated,
    Reach,
    Refuse,
    Resume,
    SendCode,
    Silent,
    Unhelpful,
    Withdraw,
)
from agent.policy import assent, frank, named, proof
from agent.policy.frank import Heard
from agent.ports import Situation
from agent.withdrawal import withdrawn
from tools.contacts import contact_in, written_contact

ERASE = "erase"
"""Target of the buttons that confirm it."""
MOST_QUESTIONS = 6
"""Questions one message may ask; an answer to more would be read by nobody."""
FIRST_QUESTIONS = 3
RECENT = 8
"""Messages in which abuse is remembered."""
TIMES_ANSWERED = 2
LEAST_WORDS = 3
SOON = timedelta(minutes=10)
"""A question asked more often than it was answered; who asks again tomorrow asks for news."""
MOST_BESIDE_CONTACT = 8
"""Words beside a contact that is left: «если меня не будет, напишите на…»."""

Rule = Callable[[Situation, str, Action | None], Move | None]


def hear(situation: Situation, text: str) -> Heard:
    """Return whether the customer asks what answers here, and what is left of the batch for `receive`.

    Nothing is heard where nobody would say it: beside a button, while a person is there or awaited, in danger.
    """
    action = situation.batch[-1].action if situation.batch else None
    pressed = action is not None and action.kind != "say"
    if pressed or situation.conversation.holder not in ("ai", "closed") or dialogue.danger(text) is not None:
        return Heard(asks=False, rest=text)
    found = frank.heard(text)
    if found.asks and _person_wanted(text, None):
        # "Call a human" is near to "are you human", and never to be taken for it.
        return Heard(asks=found.surely, surely=found.surely, named=found.named, rest=text)
    return found


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


def _withdrawal(situation: Situation, text: str, action: Action | None) -> Move | None:
    if action is not None:
        held = situation.conversation.holder in ("queued", "person")
        taken_back = held and action.kind == "consent" and not action.yes
        return Withdraw(matters=frozenset((action.target,))) if taken_back else None
    matters = withdrawn(text)
    return Withdraw(matters=matters) if matters is not None else None


def _held(situation: Situation, text: str, action: Action | None) -> Move | None:
    holder = situation.conversation.holder
    if holder not in ("queued", "person"):
        return None
    if holder == "queued" and action is not None and action.kind == "ai":
        return Resume()
    if action is not None and action.kind in ("consent", "confirm"):
        return Late()
    if holder == "queued" and _person_wanted(text, action):
        return Already()
    if holder == "queued" and action is None and (contact := _left(situation, text)):
        return Reach(contact=contact)
    return Silent()


def _left(situation: Situation, text: str) -> str:
    """Return the contact a customer leaves who was told that people come back later; empty for none.

    With a question around it a number may as well be that of a parcel: the person will read it, and nothing is noted.
    """
    last = next((m for m in reversed(situation.history) if m.author in ("ai", "system", "person")), None)
    asked = last is not None and any(button.action.kind == "ai" for button in last.buttons)
    contact = written_contact(text) if asked and "?" not in text else ""
    return contact if len(text.replace(contact, " ").split()) <= MOST_BESIDE_CONTACT else ""


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


def _forgotten(situation: Situation, text: str, action: Action | None) -> Move | None:
    if action is None:
        return Erase() if words.wants_erasure(text) else None
    if action.kind != "confirm" or action.target != ERASE:
        return None
    last = dialogue.last_answer(situation.history)
    asked = last is not None and any(button.action.target == ERASE for button in last.buttons)
    # A button of long ago deletes nothing: there is no proposal of this name to confirm.
    return Erase(yes=action.yes) if asked else None


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
    if answer.conditional and not shown.passed:
        return Conditional()
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
    if situation.proving == "name" and not proof.wants_code(text):
        return _named(text)
    contact = contact_in(text) if situation.proving == "contact" else None
    if contact is not None:
        return SendCode(contact=contact)
    if proof.wants_code(text):
        return SendCode(contact=contact_in(text))
    tried = situation.proving == "contact" and proof.tries_contact(text)
    return SendCode(again=True) if tried else None


def _named(text: str) -> Move | None:
    found = named.named_in(text)
    if found is not None:
        return Named(name=found.name, postcode=found.postcode)
    return Named() if named.tries(text) else None


def _rating(situation: Situation, text: str, action: Action | None) -> Move | None:
    return Rated() if action is not None and action.kind == "rate" else None


def _memory(situation: Situation, text: str, action: Action | None) -> Move | None:
    return memory.wanted(text, action, situation.notes)


def _angry(situation: Situation, text: str, action: Action | None) -> Move | None:
    """Abuse once more, after it was asked what the matter is."""
    if action is not None or not dialogue.only_abuse(text):
        return None
    before = any(dialogue.only_abuse(m.text) for m in situation.history[-RECENT:] if m.author == "customer")
    return CallPerson(reason="anger") if before else None


def _repeated(situation: Situation, text: str, action: Action | None) -> Move | None:
    """The same question a third time in a row, soon: the answers to it were none."""
    if action is not None:
        return None
    said = [m for m in situation.history if m.author == "customer"][-TIMES_ANSWERED:]
    asked, at = frozenset(words.content(text)), situation.batch[-1].at
    same = [m for m in said if at - m.at <= SOON and frozenset(words.content(m.text)) == asked]
    enough = len(asked) >= LEAST_WORDS and len(same) == TIMES_ANSWERED
    return CallPerson(reason="repeated") if enough else None


def _fixed(situation: Situation, text: str, action: Action | None) -> Move | None:
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


def _explained(situation: Situation, text: str, action: Action | None) -> Move | None:
    return Explain() if action is None and words.asks_what_was_used(text) else None


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
    _withdrawal,
    _held,
    _person,
    _forgotten,
    _consent,
    _confirmation,
    _proof,
    _offered,
    _rating,
    _memory,
    _angry,
    _fixed,
    _explained,
    _aside,
    _repeated,
)
