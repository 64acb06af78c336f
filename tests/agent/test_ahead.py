"""Reads of one message wait for their systems together; what is written down keeps the order of the message."""

import asyncio

import pytest

from tests.agent.library import CountingSteps, LibraryTools, brief, loop, no_status, result
from tests.scripted import ScriptedModel, calls, says
from tools.context import Caller


async def test_reads_of_one_message_wait_for_their_systems_together_and_are_written_in_turn() -> None:
    second_began = asyncio.Event()

    async def first(argument: str, _: Caller) -> str:
        await asyncio.wait_for(second_began.wait(), timeout=5)
        return result([f"Книга {argument} на руках."])

    async def second(argument: str, _: Caller) -> str:
        second_began.set()
        return result(["Две книги на руках."])

    model = ScriptedModel(
        steps=[
            calls(("loan_status", {"book": "Идиот"}), ("list_loans", {})),
            says("Да. [tool:loan_status:1]"),
        ]
    )
    steps = CountingSteps()
    tools = LibraryTools(loan_status=first, list_loans=second)
    draft = await loop(model, tools=tools).write(brief(), steps=steps, status=no_status)
    assert [use.ok for use in draft.tools] == [True, True]
    assert steps.began == ["model:1", "tool:loan_status:1", "tool:list_loans:2", "model:2"]


async def test_a_change_is_never_prepared_before_its_turn() -> None:
    seen: list[list[str]] = []

    async def slow(argument: str, _: Caller) -> str:
        await asyncio.sleep(0.02)
        seen.append(list(tools.ran))
        return result(["Книга на руках."])

    tools = LibraryTools(loan_status=slow)
    model = ScriptedModel(
        steps=[calls(("loan_status", {"book": "x"}), ("renew", {"book": "x"})), says("Да.")]
    )
    await loop(model, tools=tools).write(brief(), steps=CountingSteps(), status=no_status)
    assert seen == [["loan_status"]]
    assert tools.ran == ["loan_status", "renew"]


async def test_what_was_begun_beside_a_call_that_never_ended_is_stopped_with_the_turn() -> None:
    stopped: list[str] = []

    async def hangs(argument: str, _: Caller) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.append("list_loans")
            raise
        return ""

    tools = LibraryTools(list_loans=hangs)
    model = ScriptedModel(steps=[calls(("loan_status", {"book": "x"}), ("list_loans", {}))])
    steps = CountingSteps(die_before="tool:list_loans:2")
    with pytest.raises(ConnectionError):
        await loop(model, tools=tools).write(brief(), steps=steps, status=no_status)
    assert stopped == ["list_loans"]
