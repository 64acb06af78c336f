"""What a tool of somebody else returns may be of any size and shape: it is cut, and the turn goes on."""

import json
from collections.abc import Callable

import pytest
from langchain_core.messages import ToolMessage

from agent.middleware.evidence import LONGEST_SENTENCE, MOST_CHARS, MOST_SENTENCES
from tests.agent.library import CountingSteps, LibraryTools, brief, caller, loop, no_status, result
from tests.scripted import ScriptedModel, calls, says
from tools.context import Caller

MEGABYTES = 5_000_000


def sentences() -> str:
    return result(["Книга Идиот на руках."] + [f"Книга {n} на руках." for n in range(MEGABYTES // 25)])


def facts() -> str:
    return json.dumps({"ok": True, "kind": "loan", "sentences": ["Да."], "facts": {"x": "y" * MEGABYTES}})


def proposal() -> str:
    return result(["Продлить?"], kind="proposal", proposal={"id": "p1", "owner": "a" * MEGABYTES})


SHAPES: list[Callable[[], str]] = [
    sentences,
    facts,
    proposal,
    lambda: "слово " * (MEGABYTES // 6),
    lambda: "[" * MEGABYTES,
    lambda: '{"a":' * (MEGABYTES // 5),
    lambda: json.dumps(["слово"] * (MEGABYTES // 10)),
    lambda: json.dumps({"ok": True, "sentences": "x" * MEGABYTES}),
    lambda: json.dumps({"ok": False, "fault": "z" * MEGABYTES, "sentences": [{"a": "b" * MEGABYTES}]}),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: getattr(shape, "__name__", "")[:10])
async def test_a_result_of_megabytes_is_cut_and_the_turn_goes_on(shape: Callable[[], str]) -> None:
    async def vast(argument: str, _: Caller) -> str:
        return shape()

    model = ScriptedModel(steps=[calls(("loan_status", {"book": "Идиот"})), says("Да.")])
    steps = CountingSteps()
    who = caller("loans:read", "loans:write")
    draft = await loop(model, tools=LibraryTools(loan_status=vast)).write(
        brief(who=who), steps=steps, status=no_status
    )
    assert draft.kind == "answer"
    assert draft.proposal is None
    (use,) = draft.tools
    assert len(use.result["sentences"]) <= MOST_SENTENCES
    assert all(len(sentence) <= LONGEST_SENTENCE for sentence in use.result["sentences"])
    (seen,) = [message for message in model.asked[1] if isinstance(message, ToolMessage)]
    assert len(str(seen.content)) <= MOST_CHARS
    assert json.loads(str(seen.content))["ref"] == "tool:loan_status:1"
    assert len(json.dumps(steps.done["tool:loan_status:1"])) < 3 * MOST_CHARS


async def test_a_result_that_fits_is_left_as_it_is() -> None:
    async def full(argument: str, _: Caller) -> str:
        return result(["Книга на руках."] * 200, facts={"all": list(range(500))})

    model = ScriptedModel(steps=[calls(("loan_status", {"book": "Идиот"})), says("Да.")])
    draft = await loop(model, tools=LibraryTools(loan_status=full)).write(
        brief(), steps=CountingSteps(), status=no_status
    )
    assert len(draft.tools[0].result["sentences"]) == 200
    assert "cut" not in draft.tools[0].result
