"""What customers ask of the memory of them is answered without a model, and what they state is kept under consent only."""

from dataclasses import replace

import pytest

from agent.domain import Action, DataUse, Message, Waiting
from agent.notes import NoteId
from agent.ports import Situation
from tests.agent.test_memory import DELIVERY, LAMP, NOTES, SOCKET
from tests.agent.test_turn import CLOCK, GROUNDED, decide, situation
from tools.context import MessageId

MEMORY = frozenset({"memory"})
QUESTION = "За сколько дней можно вернуть товар? У меня люстра «Сириус» с цоколем E14."


def at(text: str = "", *, action: Action | None = None, **changes: object) -> Situation:
    return situation(text, action=action, **{"purposes": MEMORY, "notes": NOTES, **changes})


def stranger(text: str) -> Situation:
    known = at(text, notes=())
    unknown = replace(known.conversation, customer_id=None, assurance="anonymous")
    return replace(known, conversation=unknown)


async def told(asked: Situation) -> str:
    ledger, writer = await decide(asked)
    assert writer.asked == []
    return " ".join(reply.text for reply in ledger.record.replies)


async def test_what_is_remembered_is_shown_with_a_button_for_each_and_one_for_all() -> None:
    ledger, writer = await decide(at("Что вы обо мне помните?"))
    (reply,) = ledger.record.replies
    assert writer.asked == []
    assert reply.text.splitlines()[0] == "Вот что я о вас помню:"
    assert [n.text in line for n, line in zip(NOTES, reply.text.splitlines()[1:], strict=True)] == [True] * 3
    assert [b.action.target for b in reply.buttons] == [*(n.id for n in NOTES), ""]
    assert all(b.action.kind == "forget" for b in reply.buttons)
    assert not ledger.record.notes
    assert ledger.record.data_used == (DataUse(what="notes", purpose="memory"),)


@pytest.mark.parametrize(
    ("asked", "gone"),
    [
        (at("забудь про люстру"), (LAMP.id,)),
        (at("забудьте всё"), tuple(n.id for n in NOTES)),
        (at(action=Action(kind="forget", target=SOCKET.id)), (SOCKET.id,)),
        (at(action=Action(kind="forget")), tuple(n.id for n in NOTES)),
        (at("забудь про доставку", purposes=frozenset()), (DELIVERY.id,)),
    ],
)
async def test_notes_are_forgotten_by_words_and_by_buttons_with_or_without_a_consent(
    asked: Situation, gone: tuple[NoteId, ...]
) -> None:
    ledger, writer = await decide(asked)
    assert writer.asked == []
    assert ledger.record.notes.forget == gone
    assert ledger.record.notes.keep == ()
    assert ledger.record.replies[0].text.startswith("Забыл")


async def test_several_notes_that_the_words_name_go_together() -> None:
    twice = (LAMP, replace(LAMP, id=NoteId("n9"), text="у меня люстра «Вега»"))
    assert await told(at("забудь про люстру", notes=twice)) == "Забыл 2\u00a0записи."


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (at(action=Action(kind="forget", target="n99")), "уже нет"),
        (at("забудь всё", notes=()), "ничего не помню"),
        (at("что вы обо мне помните?", notes=()), "ничего не помню"),
        (stranger("что вы обо мне помните?"), "Пока я не знаю, кто вы"),
        (stranger("запомни, что у меня цоколь E14"), "Пока я не знаю, кто вы"),
        (at("запомни, что у меня диабет"), "слишком личное"),
        (at("запомни, что у меня люстра для молитвенного уголка"), "слишком личное"),
        (at("запомни, что мою кошку зовут Муся"), "Этого запомнить не могу"),
        (at("у меня не E14, а протез"), "слишком личное"),
        (at("исправьте: у меня цоколь E27, а жена беременна"), "слишком личное"),
        (at("у меня не E14, а так себе"), "Этого запомнить не могу"),
    ],
)
async def test_what_cannot_be_done_is_said_and_changes_nothing(asked: Situation, words: str) -> None:
    ledger, writer = await decide(asked)
    assert writer.asked == []
    assert words in ledger.record.replies[0].text
    assert not ledger.record.notes


async def test_a_request_to_remember_is_kept_with_its_source() -> None:
    ledger, writer = await decide(at("Запомните, что у меня потолок 2,5 м, и звоните после 18", notes=()))
    assert writer.asked == []
    assert [(k.kind, k.seq) for k in ledger.record.notes.keep] == [("room", 1), ("contact_time", 1)]
    assert "Запомнил: «у меня потолок 2,5 м»" in ledger.record.replies[0].text


async def test_without_a_consent_it_is_asked_for_and_the_request_taken_up_after_the_yes() -> None:
    words = "Запомни, что у меня цоколь E14"
    ledger, _ = await decide(at(words, notes=(), purposes=frozenset()))
    assert ledger.record.outcome == Waiting(what="consent", target="memory")
    assert ledger.record.question == words
    assert not ledger.record.notes
    before = Message(seq=4, author="customer", text=words, at=CLOCK.now())
    yes = at(
        action=Action(kind="consent", target="memory"),
        notes=(),
        purposes=frozenset(),
        question=words,
        awaiting="memory",
        history=(before,),
    )
    granted, writer = await decide(yes)
    assert writer.asked == []
    assert [(c.purpose, c.granted) for c in granted.consents] == [("memory", True)]
    assert [(k.kind, k.seq) for k in granted.record.notes.keep] == [("socket", 4)]


async def test_a_request_sent_beside_another_question_is_not_lost_over_the_consent() -> None:
    robot, request = "вы живой человек?", "запомните, что у меня цоколь E14"
    first = at(notes=(), purposes=frozenset())
    batch = tuple(
        replace(first.batch[0], id=MessageId(f"m{n}"), seq=n, key=f"k{n}", text=text)
        for n, text in enumerate((robot, request), start=4)
    )
    ledger, _ = await decide(replace(first, batch=batch))
    assert ledger.record.outcome == Waiting(what="consent", target="memory")
    before = tuple(Message(seq=m.seq, author="customer", text=m.text, at=CLOCK.now()) for m in batch)
    yes = at(
        action=Action(kind="consent", target="memory"),
        notes=(),
        purposes=frozenset(),
        question=ledger.record.question,
        awaiting="memory",
        history=before,
    )
    granted, writer = await decide(yes)
    assert writer.asked == []
    assert [(k.kind, k.seq) for k in granted.record.notes.keep] == [("socket", 5)]


async def test_another_consent_takes_up_its_own_question() -> None:
    yes = at(
        action=Action(kind="consent", target="orders:read"),
        question="Запомни, что у меня цоколь E14",
        awaiting="orders:read",
    )
    ledger, writer = await decide(yes, GROUNDED)
    assert len(writer.asked) == 1
    assert not ledger.record.notes


async def test_a_note_is_put_right_and_the_old_one_gives_way() -> None:
    ledger, _ = await decide(at("у меня не E14, а E27"))
    assert ledger.record.notes.forget == (SOCKET.id,)
    assert [k.text for k in ledger.record.notes.keep] == ["у меня цоколь E27"]
    assert "«у меня цоколь E27»" in ledger.record.replies[0].text


async def test_to_put_a_note_right_takes_the_consent_as_well() -> None:
    ledger, _ = await decide(at("у меня не E14, а E27", purposes=frozenset()))
    assert ledger.record.outcome == Waiting(what="consent", target="memory")
    assert not ledger.record.notes


async def test_what_is_stated_in_passing_is_kept_beside_the_answer() -> None:
    ledger, _ = await decide(at(QUESTION, notes=()), GROUNDED)
    assert [(k.kind, k.text) for k in ledger.record.notes.keep] == [
        ("owned", "У меня люстра «Сириус» с цоколем E14")
    ]
    assert DataUse(what="notes", purpose="memory") in ledger.record.data_used
    assert "Запомнил" not in ledger.record.replies[0].text


@pytest.mark.parametrize(
    "asked",
    [
        at(QUESTION, notes=(), purposes=frozenset()),
        stranger(QUESTION),
        replace(at(QUESTION, notes=()), restricted=True),
        at(f"{QUESTION} Я хочу покончить с собой", notes=()),
        at(f"{QUESTION} У меня эпилепсия.", notes=()),
        at("За сколько дней можно вернуть товар?", notes=()),
    ],
)
async def test_without_consent_identity_or_in_distress_nothing_is_kept(asked: Situation) -> None:
    ledger, _ = await decide(asked, GROUNDED)
    assert not ledger.record.notes


async def test_while_a_person_speaks_nothing_is_kept() -> None:
    held = at(QUESTION, notes=())
    held = replace(held, conversation=replace(held.conversation, holder="person"))
    ledger, _ = await decide(held)
    assert not ledger.record.notes


async def test_more_notes_than_buttons_are_all_shown() -> None:
    many = tuple(replace(SOCKET, id=NoteId(f"n{n}"), text=f"у меня цоколь E14 {'и ' * n}") for n in range(30))
    ledger, _ = await decide(at("что вы обо мне помните?", notes=many))
    (reply,) = ledger.record.replies
    assert len(reply.text.splitlines()) == 31
    assert len(reply.buttons) == 9
    assert all(len(b.label) <= 50 for b in reply.buttons)
