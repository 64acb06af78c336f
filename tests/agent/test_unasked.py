"""What is remembered reaches an answer under both consents only; without them the answer is a stranger's."""

from dataclasses import replace

import pytest

from agent.domain import DataUse, Draft, Message, Sentence
from agent.ports import Situation
from agent.prompts import full_question, question_prompt
from tests.agent.test_memory import NOTES, SOCKET
from tests.agent.test_turn import CLOCK, GROUNDED, decide, situation
from tools.context import CustomerId

BOTH = frozenset({"memory", "personalisation"})
QUESTION = "За сколько дней можно вернуть лампу с цоколем?"
SAID = "Вы говорили: «у меня цоколь E14»."


def at(text: str = QUESTION, **changes: object) -> Situation:
    return situation(text, **{"purposes": BOTH, "notes": NOTES, **changes})


def other_channel() -> Situation:
    return at(notes=(replace(SOCKET, channel="telegram"),))


async def test_a_note_on_the_questions_matter_is_evidence_and_its_use_is_told() -> None:
    rests = Draft(
        kind="answer", sentences=(*GROUNDED.sentences, Sentence(text=SAID, refs=(f"note:{SOCKET.id}",)))
    )
    ledger, writer = await decide(at(), rests)
    (brief,) = writer.asked
    assert [(e.ref, e.text) for e in brief.evidence if e.kind == "note"] == [(f"note:{SOCKET.id}", SAID)]
    assert SAID in ledger.record.replies[0].text
    assert [c.passage for c in ledger.record.replies[0].citations] == ["returns#1"]
    assert DataUse(what="notes", purpose="personalisation") in ledger.record.data_used


async def test_a_sentence_that_says_more_than_the_note_does_not_leave() -> None:
    wrong = Sentence(text="Вы говорили: «у меня цоколь E27».", refs=(f"note:{SOCKET.id}",))
    ledger, _ = await decide(at(), Draft(kind="answer", sentences=(*GROUNDED.sentences, wrong)))
    assert "E27" not in ledger.record.replies[0].text


async def test_a_provider_reads_notes_after_passages_and_the_model_of_the_house_does_not() -> None:
    _, writer = await decide(at(), GROUNDED)
    (brief,) = writer.asked
    assert "note:n2" in question_prompt(brief)
    assert question_prompt(brief).index("returns#1") < question_prompt(brief).index("note:n2")
    assert "note:" not in full_question(brief)


@pytest.mark.parametrize(
    "asked",
    [
        at(purposes=frozenset({"memory"})),
        at(purposes=frozenset({"personalisation"})),
        at(purposes=frozenset()),
        at(notes=()),
        other_channel(),
        at(notes=(replace(SOCKET, language="en"),)),
        at(notes=(replace(SOCKET, kind="contact_time"),)),
        at("За сколько дней можно вернуть товар?"),
        at(f"{QUESTION} Плафон разбит, безобразие!"),
        at(
            history=(
                Message(seq=1, author="customer", text="у меня умер отец", at=CLOCK.now()),
                Message(seq=2, author="ai", text="Соболезную.", at=CLOCK.now()),
            )
        ),
    ],
)
async def test_without_both_consents_another_matter_or_in_trouble_no_note_is_evidence(
    asked: Situation,
) -> None:
    ledger, writer = await decide(asked, GROUNDED)
    assert all(e.kind == "passage" for brief in writer.asked for e in brief.evidence)
    assert DataUse(what="notes", purpose="personalisation") not in ledger.record.data_used


async def test_with_personalisation_off_writer_and_customer_read_what_a_stranger_would() -> None:
    known = at(purposes=frozenset({"memory"}))
    nobody = at(purposes=frozenset(), notes=())
    nobody = replace(
        nobody, conversation=replace(nobody.conversation, customer_id=None, assurance="anonymous")
    )
    (one, first), (two, second) = await decide(known, GROUNDED), await decide(nobody, GROUNDED)
    assert first.asked[0].caller.customer_id == CustomerId("anna")
    assert question_prompt(first.asked[0]) == question_prompt(second.asked[0])
    assert full_question(first.asked[0]) == full_question(second.asked[0])
    assert one.record.replies == two.record.replies
    assert one.appended == two.appended
    assert one.record.outcome == two.record.outcome
