"""Recorded answers given again: found by what was heard, filled with today's words, and known to be stale."""

import json
from typing import Any

import openai
import pytest
from langchain_core.messages import HumanMessage

from agent.loop import Loop
from agent.models import ModelChain, ModelSettings, chain
from agent.prompts import version
from agent.records.purse import FakePurse
from evals.case import read_cases
from evals.replay import RECORDINGS, Replay, filled, heard, read_rows, row_of, serving, stale
from tests.agent.library import ALLOWING, CountingSteps, LibraryTools, brief, no_status, pack

ROWS = read_rows()


def request(question: str, *results: dict[str, Any]) -> dict[str, Any]:
    data = {"evidence": [{"ref": "rules#2"}], "question": question, "language": "ru"}
    asked = f"Data:\n\n```json\n{json.dumps(data, ensure_ascii=False)}\n```\n\nAnswer."
    tools = [{"role": "tool", "content": json.dumps(result)} for result in results]
    return {"messages": [{"role": "system", "content": "rules"}, {"role": "user", "content": asked}, *tools]}


STATUS = {"ref": "tool:loan_status:1", "sentences": ["Книга у вас до 24\u00a0ноября."]}


def test_words_copied_from_a_tool_are_kept_as_a_place_and_follow_its_dates() -> None:
    answer = {"content": "Книга у вас до 24 ноября. [tool:loan_status:1]"}
    row = row_of(request("Где книга?", STATUS), answer, prompt="v1")
    assert row["answer"]["content"] == "{tool:loan_status:1.0} [tool:loan_status:1]"
    later = {**STATUS, "sentences": ["Книга у вас до 1 декабря."]}
    assert filled(row["answer"]["content"], [later]) == "Книга у вас до 1 декабря. [tool:loan_status:1]"


def test_an_answer_is_found_by_the_question_and_the_tools_that_answered_and_not_by_the_rules() -> None:
    before, after = request("Где книга?"), request("Где книга?", STATUS)
    assert heard(before).key != heard(after).key
    after["messages"][0]["content"] = "other rules"
    assert heard(after).key == heard(request("Где книга?", STATUS)).key


def test_answers_to_the_same_question_come_in_turn_and_the_last_one_again() -> None:
    rows = [row_of(request("Где?"), {"content": word}, prompt="v") for word in ("раз", "два")]
    replay = Replay(rows)
    given = [(replay.answer(request("Где?")) or {})["content"] for _ in range(3)]
    assert given == ["раз", "два", "два"]
    assert replay.answer(request("Когда?")) is None
    assert replay.missed == ["Когда?"]


async def test_the_real_client_reads_the_recording_as_a_provider() -> None:
    call = {"content": None, "tool_calls": [{"name": "loan_status", "arguments": {"book": "Идиот"}}]}
    asked = brief()
    first = request(asked.question)
    result = {"ref": "tool:loan_status:1", "sentences": ["loan_status: Идиот."]}
    second = request(asked.question, result)
    said = {"content": "loan_status: Идиот. [tool:loan_status:1]"}
    rows = [row_of(first, call, prompt="v"), row_of(second, said, prompt="v")]
    with serving(Replay(rows)) as url:
        links = chain(ModelSettings(main="openai:m", url=url, timeout=2.0)).links[:1]
        writer = Loop(
            ModelChain(links), toolbox=LibraryTools(), pack=pack(), purse=FakePurse(), gate=ALLOWING
        )
        draft = await writer.write(asked, steps=CountingSteps(), status=no_status)
    assert [use.name for use in draft.tools] == ["loan_status"]
    assert draft.sentences[0].refs == ("tool:loan_status:1",)


async def test_what_was_not_recorded_is_an_unknown_model_and_no_answer() -> None:
    with serving(Replay([])) as url:
        link = chain(ModelSettings(main="openai:m", url=url, timeout=2.0, stream=False)).links[0]
        assert link.model is not None
        asked = HumanMessage(request("Где?")["messages"][1]["content"])
        with pytest.raises(openai.NotFoundError, match="not recorded"):
            await link.model.ainvoke([asked])


def test_the_recording_holds_forty_turns_and_more_in_both_languages() -> None:
    turns = [row for row in ROWS if not row["results"]]
    assert len(turns) >= 40
    assert min(sum(row["language"] == language for row in turns) for language in ("ru", "en")) >= 18
    assert len(read_cases(RECORDINGS)) >= 20


def test_every_row_says_under_which_prompts_it_was_answered_and_the_readme_which_are_stale() -> None:
    readme = (RECORDINGS / "README.md").read_text("utf-8")
    told = {row["prompt"] for row in ROWS}
    assert all(f"`{prompt}`" in readme for prompt in told)
    old = stale(ROWS, prompt=version())
    assert f"Stale now: {len(old)} of {len(ROWS)}." in readme, "say in the README how many answers are stale"


def test_no_answer_keeps_a_day_that_a_tool_told() -> None:
    said = " ".join(str(row["answer"].get("content")) for row in ROWS if row["results"])
    assert "ноября" not in said
    assert "November" not in said
