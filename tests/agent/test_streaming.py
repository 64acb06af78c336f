"""The first sentence leaves before the draft is finished: the whole turn, with a model that writes piece by piece."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk

from agent import grounding, language
from agent.confidence import Calibration, calibration
from agent.domain import Action, Answered, Citation, Escalated, Held, TurnRecord, Verified
from agent.fake import FakeFacts, FakeGate, FakeNotices, InlineSteps
from agent.link import Link
from agent.loop import Loop
from agent.models import ModelChain
from agent.records.errors import Superseded
from agent.records.purse import FakePurse
from agent.trouble import in_trouble
from agent.turn import Turn
from knowledge.types import Passage
from tests.agent.desk import FakeActions, Ledger
from tests.agent.library import LibraryTools, result
from tests.agent.test_turn import PACK, PHRASES, RETURNS, situation
from tests.scripted import ScriptedModel, StreamedScript, says
from tools.context import Caller, TurnId

QUESTION = "за сколько дней можно вернуть товар?"
FIRST = "Вернуть товар можно за 14 дней после получения."
SECOND = "Лампочки из открытой упаковки не принимаем."
WRONG = "Вернуть товар можно за 30 дней после получения."
POLITE = "Рады помочь, если остались вопросы."
TWO = [f"{FIRST} [returns#1] ", f"{SECOND} [returns#1]"]
OPENS = PHRASES.say("disclosure.first", "ru", company="Фонарь")
NO_PERSON = PHRASES.say("disclosure.beside.human", "ru")
SURE = replace(calibration(), by_hand=0.5)


def called(name: str, arguments: str = "{}") -> AIMessageChunk:
    return AIMessageChunk("", tool_call_chunks=[tool_call_chunk(name=name, args=arguments, id="x", index=0)])


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """What is read once and slowly is not part of any turn here."""
    language.warm()
    grounding.warm()


class Desk:
    """A turn over the demo shop's words with models that stream; `local` stands behind them."""

    def __init__(
        self,
        *models: StreamedScript,
        confidence: float = 0.95,
        curve: Calibration = SURE,
        tools: LibraryTools | None = None,
        passages: Sequence[Passage] = (RETURNS,),
        hedge: float = 0.0,
        timeout: float = 60.0,
        asks: str = QUESTION,
        disclosed: bool = True,
    ) -> None:
        at = situation(asks)
        self.ledger = Ledger(replace(at, conversation=replace(at.conversation, disclosed=disclosed)))
        self.facts = FakeFacts(*passages, confidence=confidence)
        self.local = ScriptedModel(steps=[says(f"{SECOND} [returns#1]")])
        links = [
            Link(name=f"streamed-{n}", model=model, timeout=timeout, local=False, external=False)
            for n, model in enumerate(models)
        ]
        behind = Link(name="behind", model=self.local, timeout=5.0, local=True)
        self.steps = InlineSteps()
        self.turn = Turn(
            records=self.ledger,
            facts=self.facts,
            writer=Loop(
                ModelChain([*links, behind], hedge=hedge),
                toolbox=tools or LibraryTools(),
                pack=PACK,
                purse=FakePurse(),
                gate=FakeGate(),
            ),
            actions=FakeActions(),
            phrases=PHRASES,
            pack=PACK,
            notices=FakeNotices(),
            calibration=curve,
            similarity=lambda text, others: [0.9 for _ in others],
        )

    @property
    def left(self) -> list[str]:
        return [sentence.text for sentence in self.ledger.appended]

    async def run(self) -> TurnRecord:
        return await self.turn.run(TurnId("t1"), steps=self.steps)


def script(*steps: Sequence[Any]) -> StreamedScript:
    return StreamedScript(steps=list(steps))


async def until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while True:
            if condition():
                return
            await asyncio.sleep(0)


async def test_the_first_sentence_leaves_while_the_second_is_not_written() -> None:
    more = asyncio.Event()
    model = script([TWO[0], "Л", more, TWO[1][1:]])
    desk = Desk(model)
    running = asyncio.create_task(desk.run())
    await until(lambda: desk.left)
    assert (desk.left, model.written) == ([FIRST], [TWO[0], "Л"])
    more.set()
    record = await running
    assert record.outcome == Answered()
    assert desk.left == [FIRST, SECOND]
    assert [reply.text for reply in record.replies] == [f"{FIRST} {SECOND}"]
    assert {"first_sentence_model", "first"} <= set(record.ms)


async def test_where_evidence_alone_does_not_keep_the_promise_nothing_leaves_early_and_the_whole_is_judged() -> (
    None
):
    more = asyncio.Event()
    model = script([TWO[0], "Л", more, TWO[1][1:]])
    desk = Desk(model, confidence=0.5)
    running = asyncio.create_task(desk.run())
    await until(lambda: len(model.written) == 2)
    for _ in range(50):
        await asyncio.sleep(0)
    assert desk.left == []
    more.set()
    record = await running
    assert record.outcome == Answered(), "the draft's own signals raise the confidence above the threshold"
    assert desk.left == [FIRST, SECOND]


async def test_where_no_threshold_keeps_the_promise_nothing_leaves_at_all() -> None:
    desk = Desk(script(TWO), confidence=1.0, curve=replace(SURE, by_hand=None))
    record = await desk.run()
    assert isinstance(record.outcome, Escalated)
    assert not record.outcome.partial
    assert desk.left == []


async def test_a_later_sentence_that_is_wrong_stops_the_model_and_a_person_is_called() -> None:
    never = asyncio.Event()
    model = script([TWO[0], f"{WRONG} [returns#1] ", "Ещё", never])
    desk = Desk(model)
    record = await desk.run()
    assert record.outcome == Escalated(reason="ungrounded", partial=True)
    assert desk.left == [FIRST]
    said, closing = (reply.text for reply in record.replies)
    assert said == FIRST
    assert closing.startswith(PHRASES.say("answer.partial", "ru"))
    assert record.replies[0].citations[0].passage == "returns#1"
    assert record.holder == "queued"
    assert record.ticket is not None
    assert "30 дней" in record.ticket.rejected
    assert "30" not in closing


async def test_a_last_sentence_that_is_wrong_stops_the_answer_though_the_model_has_ended() -> None:
    desk = Desk(script([TWO[0], f"{WRONG} [returns#1]"]))
    record = await desk.run()
    assert record.outcome == Escalated(reason="ungrounded", partial=True)
    assert desk.left == [FIRST]


@pytest.mark.parametrize("place", ["first", "between", "last"])
async def test_a_courtesy_is_left_out_and_stops_nothing(place: str) -> None:
    polite = f"{POLITE} [returns#1] "
    pieces = {
        "first": [polite, *TWO],
        "between": [TWO[0], polite, TWO[1]],
        "last": [TWO[0], TWO[1], f" {POLITE}"],
    }
    desk = Desk(script(pieces[place]))
    record = await desk.run()
    assert record.outcome == Answered()
    assert desk.left == [FIRST, SECOND]


async def test_a_claim_without_a_reference_is_no_courtesy() -> None:
    desk = Desk(script([TWO[0], "Доставка обратно бесплатна.\n", TWO[1]]))
    record = await desk.run()
    assert record.outcome == Escalated(reason="ungrounded", partial=True)
    assert desk.left == [FIRST]


async def test_a_promise_nobody_keeps_is_left_out_of_the_stream_and_a_person_offered_in_its_place() -> None:
    desk = Desk(script([TWO[0], "Мы вам перезвоним завтра. [returns#1] ", TWO[1]]))
    record = await desk.run()
    assert record.outcome == Answered()
    assert desk.left == [FIRST, SECOND]
    assert "promise" in record.reasons
    answer, offer = record.replies[-2:]
    assert answer.text == f"{FIRST} {SECOND}"
    assert [button.action.kind for button in offer.buttons] == ["person"]


async def test_a_later_sentence_in_another_language_stops_the_stream() -> None:
    desk = Desk(script([TWO[0], "Bulbs from an open package are not accepted back. [returns#1] ", "Т"]))
    record = await desk.run()
    assert record.outcome == Escalated(reason="ungrounded", partial=True)
    assert desk.left == [FIRST]


async def test_a_first_sentence_that_is_wrong_leaves_the_judgement_to_the_whole() -> None:
    desk = Desk(script([f"{WRONG} [returns#1] ", *TWO]))
    record = await desk.run()
    assert record.outcome == Answered(), "as before: what is unsupported is left out of a whole draft"
    assert desk.left == [FIRST, SECOND]


async def test_a_passage_retired_while_the_model_writes_is_not_cited_any_more() -> None:
    other = replace(RETURNS, id="bulbs#1", document="bulbs", text=SECOND)  # type: ignore[arg-type]
    first = replace(RETURNS, text=FIRST)
    more = asyncio.Event()
    model = script([TWO[0], "Л", more, f"{SECOND[1:]} [bulbs#1] ", "Е"])
    desk = Desk(model, passages=(first, other))
    running = asyncio.create_task(desk.run())
    await until(lambda: desk.left)
    desk.facts.retire("bulbs#1")
    more.set()
    record = await running
    assert record.outcome == Escalated(reason="ungrounded", partial=True)
    assert desk.left == [FIRST]


async def test_after_something_left_no_other_model_begins_anew_when_the_first_breaks() -> None:
    second = script(TWO)
    desk = Desk(script([TWO[0], "Л", ConnectionError("cut")]), second)
    record = await desk.run()
    assert record.outcome == Escalated(reason="model_failed", partial=True)
    assert desk.left == [FIRST]
    assert (second.asked, desk.local.asked) == ([], [])
    assert record.replies[-1].text.startswith(PHRASES.say("answer.cut", "ru"))


async def test_a_model_that_breaks_before_anything_left_is_followed_by_the_next_as_ever() -> None:
    second = script(TWO)
    desk = Desk(script(["Вернуть товар", ConnectionError("cut")]), second)
    record = await desk.run()
    assert record.outcome == Answered()
    assert desk.left == [FIRST, SECOND]
    assert record.model == "streamed-1"


async def test_a_model_that_hangs_after_its_first_sentence_ends_the_turn_with_a_person() -> None:
    desk = Desk(script([TWO[0], "Л", asyncio.Event()]), script(TWO), timeout=1.0)
    record = await desk.run()
    assert record.outcome == Escalated(reason="model_failed", partial=True)
    assert desk.left == [FIRST]


async def test_a_call_that_runs_out_of_time_while_its_sentence_is_being_written_down_has_said_it() -> None:
    second = script(TWO)
    desk = Desk(script([TWO[0], "Л"]), second, timeout=1.0)
    write = desk.ledger.append

    async def slowly(*given: Any, **more: Any) -> bool:
        await asyncio.sleep(1.3)
        return await write(*given, **more)

    desk.ledger.append = slowly  # type: ignore[method-assign]
    record = await desk.run()
    assert record.outcome == Escalated(reason="model_failed", partial=True)
    assert desk.left == [FIRST]
    assert record.replies[0].text == FIRST
    assert (second.asked, desk.local.asked) == ([], [])


async def test_of_two_models_asked_beside_one_another_only_the_first_to_speak_is_heard() -> None:
    first_may, second_may = asyncio.Event(), asyncio.Event()
    slow = script([first_may, *TWO])
    quick = script([f"{SECOND} [returns#1] ", "Ещё", second_may])
    desk = Desk(slow, quick, hedge=0.01)
    running = asyncio.create_task(desk.run())
    await until(lambda: desk.left)
    first_may.set()
    for _ in range(50):
        await asyncio.sleep(0)
    assert desk.left == [SECOND], "the better model is ready now, and too late"
    second_may.set()
    record = await running
    assert (record.outcome, record.model) == (Answered(), "streamed-1")
    assert desk.left == [SECOND]


async def test_an_operator_who_takes_over_in_mid_stream_stops_it() -> None:
    more, never = asyncio.Event(), asyncio.Event()
    model = script([TWO[0], "Л", more, f"{TWO[1][1:]} ", "Ещё", never])
    desk = Desk(model)
    running = asyncio.create_task(desk.run())
    await until(lambda: desk.left)
    desk.ledger.taken = True
    more.set()
    record = await running
    assert record.outcome == Held()
    assert record.holder == "person"
    assert desk.left == [FIRST]


async def test_a_turn_that_begins_again_writes_nothing_of_its_old_attempt() -> None:
    model = script(TWO)
    desk = Desk(model)
    desk.ledger.attempt = 2
    with pytest.raises(Superseded):
        await desk.run()
    assert desk.left == []
    assert desk.local.asked == [], "another attempt is no fault of the provider"


async def test_what_is_said_before_a_tool_call_stays_and_the_rest_of_the_message_is_dropped() -> None:
    tools = LibraryTools()
    model = script(
        [TWO[0], "Л", called("find_book", '{"query": "лампа"}'), "ишнее. [returns#1] "],
        [f"{SECOND} [returns#1]"],
    )
    desk = Desk(model, tools=tools)
    record = await desk.run()
    assert tools.ran == ["find_book"]
    assert record.outcome == Answered()
    assert desk.left == [FIRST, SECOND]


async def test_what_is_said_beside_a_tool_call_without_support_never_leaves() -> None:
    model = script(
        [
            "Сейчас посмотрю! ",
            "Ваш заказ едет. [tool:find_book:1] ",
            "В",
            called("find_book", '{"query": "л"}'),
        ],
        [f"{FIRST} [returns#1]"],
    )
    desk = Desk(model)
    record = await desk.run()
    assert record.outcome == Answered()
    assert desk.left == [FIRST]


async def test_a_tools_result_streams_by_the_tools_own_confidence() -> None:
    async def found(_: str, __: Caller) -> str:
        return result(["Лампа «Сова» есть в наличии.", "Цена лампы «Сова» — 990 ₽."])

    more = asyncio.Event()
    said = ("Лампа «Сова» есть в наличии.", "Цена лампы «Сова» — 990 ₽.")
    model = script(
        [called("find_book", '{"query": "Сова"}')],
        [f"{said[0]} [tool:find_book:1] ", "Ц", more, f"{said[1][1:]} [tool:find_book:1]"],
    )
    desk = Desk(model, tools=LibraryTools(find_book=found), confidence=0.1)
    running = asyncio.create_task(desk.run())
    await until(lambda: desk.left)
    assert desk.left == [said[0]]
    more.set()
    assert (await running).outcome == Answered()
    assert desk.left == list(said)


async def test_a_model_that_breaks_after_it_told_a_tools_result_leaves_the_tool_on_the_receipt() -> None:
    async def found(_: str, __: Caller) -> str:
        return result(["Лампа «Сова» есть в наличии."])

    model = script(
        [called("find_book", '{"query": "Сова"}')],
        ["Лампа «Сова» есть в наличии. [tool:find_book:1] ", "Ц", ConnectionError("cut")],
    )
    record = await Desk(model, tools=LibraryTools(find_book=found)).run()
    assert record.outcome == Escalated(reason="model_failed", partial=True)
    assert [use.name for use in record.tools] == ["find_book"]


async def test_where_a_tool_did_not_answer_nothing_leaves_early() -> None:
    async def away(_: str, __: Caller) -> str:
        raise ConnectionError

    more = asyncio.Event()
    model = script([called("find_book", '{"query": "Сова"}')], [TWO[0], "Л", more, TWO[1][1:]])
    desk = Desk(model, tools=LibraryTools(find_book=away))
    running = asyncio.create_task(desk.run())
    await until(lambda: "Л" in model.written)
    for _ in range(50):
        await asyncio.sleep(0)
    assert desk.left == []
    more.set()
    await running


async def test_a_hand_over_after_the_first_sentence_is_a_partial_answer() -> None:
    model = script([TWO[0], "Л", called("hand_over", '{"reason": "no more"}')])
    desk = Desk(model)
    record = await desk.run()
    assert record.outcome == Escalated(reason="not_sure", partial=True)
    assert record.replies[0].text == FIRST


async def test_a_question_back_after_the_first_sentence_follows_it() -> None:
    model = script([TWO[0], "Л", called("ask_back", '{"question": "Какой товар?"}')])
    record = await Desk(model).run()
    assert [reply.text for reply in record.replies] == [FIRST, "Какой товар?"]


async def test_a_finished_answer_that_was_streamed_is_not_written_again_after_a_crash() -> None:
    desk = Desk(script([TWO[0], f"{WRONG} [returns#1] ", "Е"]))
    await desk.run()
    desk.ledger.records.clear()
    record = await desk.run()
    assert record.outcome == Escalated(reason="ungrounded", partial=True)
    assert desk.left == [FIRST]
    assert record.replies[0].text == FIRST


async def test_after_a_crash_a_recorded_answer_keeps_two_sentences_that_rest_on_the_same_words() -> None:
    also = "За 14 дней после получения товар можно вернуть."
    desk = Desk(script([TWO[0], f"{also} [returns#1]"]))
    await desk.run()
    assert desk.left == [FIRST, also]
    del desk.ledger.appended[1:]
    desk.ledger.records.clear()
    assert (await desk.run()).outcome == Answered()
    assert desk.left == [FIRST, also]


def interrupted(*models: StreamedScript) -> Desk:
    """A turn whose first sentence had left when the process was killed: its model call was not finished."""
    desk = Desk(*models)
    cited = Citation(document="returns", passage="returns#1", title="Возврат › Сроки", quote=FIRST)
    desk.ledger.appended.append(Verified(text=FIRST, citations=(cited,)))
    return desk


async def test_a_crash_in_mid_stream_goes_on_after_what_left() -> None:
    model = script([TWO[1]])
    desk = interrupted(model)
    record = await desk.run()
    assert record.outcome == Answered()
    assert desk.left == [FIRST, SECOND]
    assert [reply.text for reply in record.replies] == [f"{FIRST} {SECOND}"]
    asked = model.asked[0][-1].text
    assert json.loads(asked.split("```json\n")[1].split("\n```")[0])["said"] == [FIRST]
    assert "Go on after it" in asked


async def test_after_a_crash_what_left_is_not_said_again_in_the_same_words_or_others() -> None:
    again = "За 14 дней после получения товар можно вернуть."
    desk = interrupted(script([TWO[0], f"{again} [returns#1] ", TWO[1]]))
    record = await desk.run()
    assert record.outcome == Answered()
    assert desk.left == [FIRST, SECOND]


async def test_after_a_crash_an_answer_without_more_to_say_ends_with_what_left() -> None:
    desk = interrupted(script([f"{FIRST} [returns#1]"]))
    record = await desk.run()
    assert record.outcome == Answered()
    assert [reply.text for reply in record.replies] == [FIRST]


async def test_after_a_crash_the_model_of_the_house_does_not_begin_anew_for_one_that_is_gone() -> None:
    desk = interrupted(script([ConnectionError("cut")]))
    record = await desk.run()
    assert record.outcome == Escalated(reason="model_failed", partial=True)
    assert desk.local.asked == []
    assert desk.left == [FIRST]


async def test_a_crash_in_mid_stream_closes_where_the_model_has_nothing_sure_to_add() -> None:
    desk = interrupted(script([f"{WRONG} [returns#1]"]))
    record = await desk.run()
    assert record.outcome == Escalated(reason="ungrounded", partial=True)
    assert desk.left == [FIRST]


async def test_a_person_asked_for_while_an_answer_streams_is_not_this_turns_matter() -> None:
    base = situation(action=Action(kind="person"))
    desk = Desk(script(TWO))
    desk.ledger._situation = base
    record = await desk.run()
    assert record.outcome == Escalated(reason="customer_asked")
    assert desk.left == []


def test_a_turn_that_broke_after_something_left_keeps_it_and_says_that_it_broke_off() -> None:
    left = (Verified(text=FIRST), Verified(text=SECOND))
    record = in_trouble(situation(QUESTION), TurnId("t1"), pack=PACK, phrases=PHRASES, left=left)
    assert record.outcome == Escalated(reason="internal_error", partial=True)
    assert [reply.text for reply in record.replies] == [
        f"{FIRST} {SECOND}",
        PHRASES.say("answer.cut", "ru"),
    ]


def test_a_turn_that_broke_says_only_once_what_it_had_already_said_of_itself() -> None:
    at = situation(QUESTION)
    owed = replace(at, conversation=replace(at.conversation, disclosed=False))
    left = (Verified(text=OPENS), Verified(text=FIRST))
    record = in_trouble(owed, TurnId("t1"), pack=PACK, phrases=PHRASES, left=left)
    assert [reply.text for reply in record.replies] == [f"{OPENS} {FIRST}", PHRASES.say("answer.cut", "ru")]


async def test_what_the_ai_says_of_itself_leaves_before_the_first_sentence_of_its_answer() -> None:
    more = asyncio.Event()
    model = script([TWO[0], "Л", more, TWO[1][1:]])
    desk = Desk(model, asks=f"Вы живой человек? {QUESTION}", disclosed=False)
    running = asyncio.create_task(desk.run())
    await until(lambda: desk.left)
    assert desk.ledger.shown == [OPENS, NO_PERSON, FIRST]
    more.set()
    record = await running
    assert record.outcome == Answered()
    assert desk.ledger.shown == [OPENS, NO_PERSON, FIRST, SECOND]
    assert [reply.text for reply in record.replies] == [OPENS, NO_PERSON, f"{FIRST} {SECOND}"]


async def test_a_whole_draft_too_leaves_after_it_and_an_attempt_that_goes_on_says_it_once() -> None:
    desk = Desk(script(TWO), confidence=0.5, asks=f"Ты робот? {QUESTION}")
    desk.ledger.die_after = 1
    with pytest.raises(ConnectionError):
        await desk.run()
    desk.ledger.die_after = None
    record = await desk.run()
    line = PHRASES.say("disclosure.beside.machine", "ru")
    assert record.outcome == Answered()
    assert desk.ledger.shown == [line, FIRST, SECOND]
    assert [reply.text for reply in record.replies] == [line, f"{FIRST} {SECOND}"]
