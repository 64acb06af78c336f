"""What a provider can keep: how much of each request begins as the one before, over a conversation of ten turns.

Real rules, tools and passages of the demo company; questions and answers as they were recorded. The second request of
a turn, after its tool has answered, counts as it is made.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, message_to_dict
from langchain_core.utils.function_calling import convert_to_openai_tool

from agent.controls import controls
from agent.domain import Evidence, Message
from agent.fake import FakeGate
from agent.link import Link
from agent.loop import Loop
from agent.models import ModelChain
from agent.pack import load_pack
from agent.ports import Brief
from agent.reading import read_answer
from agent.records.purse import FakePurse
from evals.replay import read_rows
from knowledge.load import load
from knowledge.split import split
from knowledge.text.tokens import count
from knowledge.types import DocumentId
from tests.agent.library import CountingSteps, no_status
from tests.scripted import ScriptedModel, calls, says
from tests.tools.shop import caller, toolbox
from tools.context import Language

DEMO = Path(__file__).resolve().parents[2] / "demo"
PACK = load_pack(DEMO)
TURNS = 10
SHARE = 0.8


def passages(language: Language) -> Mapping[str, Evidence]:
    """The demo's passages that need no parser of their own, by id."""
    found: dict[str, Evidence] = {}
    for path in sorted((DEMO / "knowledge" / language).glob("*.md")):
        document = path.stem if language == "ru" else f"{path.stem}.{language}"
        read = load(path)
        for each in split(read.text, document=DocumentId(document), title=read.title, language=language):
            title = f"{each.title} › {each.heading}"
            found[each.id] = Evidence(ref=each.id, kind="passage", title=title, text=each.text)
    return found


def conversation(language: Language) -> list[dict[str, Any]]:
    """Ten recorded turns with passages of real length: those of the rules, and orders looked up by a tool."""
    known = passages(language)
    rows = [
        row
        for row in read_rows()
        if row["language"] == language and not row["results"] and row["answer"].get("content")
    ]
    rows = [row for row in rows if sum(ref in known for ref in row["evidence"]) >= 3]
    made = []
    for n, row in enumerate((rows * TURNS)[:TURNS]):
        evidence = tuple(known[ref] for ref in row["evidence"] if ref in known)
        answer = row["answer"]["content"]
        made.append({**row, "evidence": evidence, "answer": answer, "order": n % 2 == 1})
    return made


def written(messages: list[BaseMessage], tools: str) -> str:
    """The request as a provider reads it: tools first, then the messages."""
    parts = [tools]
    for message in messages:
        kept = message_to_dict(message)["data"]
        shown = {name: kept.get(name) for name in ("content", "tool_calls", "type")}
        parts.append(json.dumps(shown, ensure_ascii=False))
    return "\n".join(parts)


async def requests(language: Language) -> list[tuple[int, str]]:
    """Every request of the conversation with the number of its turn, from 1."""
    who = caller(language=language)
    tools = [*toolbox().offered(who), *controls(toolbox(), who)]
    shown = json.dumps([convert_to_openai_tool(tool) for tool in tools], ensure_ascii=False)
    history: list[Message] = []
    sent: list[tuple[int, str]] = []
    for turn, made in enumerate(conversation(language), start=1):
        answer = made["answer"]
        steps: list[AIMessage] = [calls(("order_status", {"order_id": "1051"}))] if made["order"] else []
        model = ScriptedModel(steps=[*steps, says(answer)])
        link = Link(name="far", model=model, timeout=5, local=False, external=False)
        loop = Loop(ModelChain([link]), toolbox=toolbox(), pack=PACK, purse=FakePurse(), gate=FakeGate())
        brief = Brief(
            question=made["question"],
            language=language,
            history=tuple(history),
            evidence=made["evidence"],
            caller=who,
            today="2026-11-24",
        )
        await loop.write(brief, steps=CountingSteps(), status=no_status)
        sent += [(turn, written(asked, shown)) for asked in model.asked]
        said = " ".join(sentence.text for sentence in read_answer(answer))
        for author, text in (("customer", made["question"]), ("ai", said)):
            at = datetime(2026, 11, 24, tzinfo=UTC)
            one = Message(seq=1, author=author, text=text, at=at)  # type: ignore[arg-type]
            history.append(replace(one, seq=len(history) + 1))
    return sent


def stable(before: str, after: str) -> int:
    """Tokens with which both begin alike."""
    same = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(before))
    return count(after[:same])


@pytest.mark.parametrize("language", ["ru", "en"])
async def test_from_the_second_turn_on_four_fifths_of_what_is_sent_was_sent_before(
    language: Language,
) -> None:
    sent = await requests(language)
    pairs = [
        (stable(before, after), count(after)) for (_, before), (turn, after) in pairwise(sent) if turn >= 2
    ]
    share = sum(kept for kept, _ in pairs) / sum(all_ for _, all_ in pairs)
    print(language, round(share, 3), [round(kept / all_, 2) for kept, all_ in pairs])
    assert len(pairs) >= TURNS - 1
    assert share >= SHARE
