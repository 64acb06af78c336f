"""What approved answers spared is reckoned from comparable answers, and unknown where there are none."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from agent.domain import Answered, Cost, ToolUse, TurnRecord
from agent.domain import Path as Way
from agent.records.codec import record_json
from agent.records.savings import savings
from agent.records.tables import charges, metadata, turns
from tools.context import ConversationId, TurnId

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=30)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'turns.db'}")
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield engine
    await engine.dispose()


async def answered(
    engine: AsyncEngine,
    id: str,
    path: Way,
    *,
    model: str = "",
    calls: tuple[tuple[int, float], ...] = (),
    tools: tuple[ToolUse, ...] = (),
    closed: datetime = NOW,
    outcome: str = "answered",
) -> None:
    """One turn that ended; `calls` are (tokens, US dollars) of each model call."""
    record = TurnRecord(
        turn=TurnId(id),
        conversation=ConversationId("c"),
        outcome=Answered(),
        language="ru",
        path=path,
        model=model,
        tools=tools,
        cost=Cost(),
    )
    row: dict[str, Any] = {
        "id": id,
        "conversation": "c",
        "opened": closed,
        "closed": closed,
        "outcome": outcome,
    }
    row |= {"reason": "", "language": "ru", "model": model, "withheld": False, "record": record_json(record)}
    paid = [
        {
            "conversation": "c",
            "turn": id,
            "day": date(2026, 11, 23),
            "model": model,
            "prompt": tokens,
            "completion": 0,
            "usd": usd,
            "estimated": False,
        }
        for tokens, usd in calls
    ]
    async with engine.begin() as connection:
        await connection.execute(insert(turns).values(**row))
        if paid:
            await connection.execute(insert(charges), paid)


async def test_each_approved_answer_stands_for_the_mean_of_what_models_wrote(engine: AsyncEngine) -> None:
    for n in range(3):
        await answered(engine, f"a{n}", "approved")
    await answered(engine, "m1", "model", model="openai:m", calls=((1000, 0.01), (500, 0.005)))
    await answered(engine, "m2", "model", model="openai:m", calls=((500, 0.005),))
    found = await savings(engine, since=SINCE)
    assert (found.answered, found.approved, found.comparable) == (5, 3, 2)
    assert (found.calls, found.tokens, found.usd) == (4.5, 3000.0, 0.03)
    assert found.share == 0.6


async def test_without_answers_of_a_remote_model_nothing_is_claimed(engine: AsyncEngine) -> None:
    await answered(engine, "a", "approved")
    await answered(engine, "e", "model", model="extractive")
    tool = ToolUse(name="order_status", arguments={}, ok=True, result={})
    await answered(engine, "t", "model", model="openai:m", calls=((9000, 0.9),), tools=(tool,))
    found = await savings(engine, since=SINCE)
    assert (found.approved, found.answered, found.comparable) == (1, 3, 0)
    assert (found.calls, found.tokens, found.usd) == (None, None, None)


async def test_an_unknown_price_is_not_a_price_of_nothing(engine: AsyncEngine) -> None:
    await answered(engine, "a", "approved")
    await answered(engine, "m", "model", model="openai:m", calls=((800, 0.0),))
    found = await savings(engine, since=SINCE)
    assert (found.tokens, found.usd) == (800.0, None)


async def test_fixed_texts_other_outcomes_and_older_turns_do_not_count(engine: AsyncEngine) -> None:
    await answered(engine, "hello", "")
    await answered(engine, "up", "model", model="openai:m", outcome="escalated")
    await answered(engine, "old", "approved", closed=SINCE - timedelta(days=1))
    found = await savings(engine, since=SINCE)
    assert (found.answered, found.share) == (0, None)
