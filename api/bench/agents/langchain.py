"""Plain LangChain agents on the stub: `create_agent` as its documentation shows it, nothing around it.

`given`       the passages stand in the question: one model call, no search
`search`      a tool searches the company's passages with the same embedder: two model calls
`checkpoints` as `given`, the talk kept in SQLite by LangGraph's own checkpointer
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from api.bench.agents.passages import Shelf
from api.bench.agents.port import RULES, Agent, Job, passages_json
from api.bench.stub.server import MODEL


class Plain:
    """A compiled graph that is asked."""

    def __init__(self, graph: Any, job: Job, *, given: bool) -> None:
        self._graph = graph
        self._asked = job.evidence_of()
        self._given = given

    async def begin(self, talk: str, *, language: str) -> None:
        """Nothing is kept of a talk before it begins."""

    async def answer(self, question: str, *, talk: str) -> str:
        said = self._asked[question].as_message() if self._given else question
        state = await self._graph.ainvoke(
            {"messages": [HumanMessage(said)]}, config={"configurable": {"thread_id": talk}}
        )
        return str(state["messages"][-1].text)


@asynccontextmanager
async def langchain_agent(job: Job, *, variant: str, stream: bool = False) -> AsyncIterator[Agent]:
    """Build the agent once, as an application would, and lend it."""
    model = ChatOpenAI(
        model=MODEL,
        base_url=job.url,
        api_key=SecretStr("none"),
        max_retries=0,
        timeout=120,
        temperature=0,
        streaming=stream,
        stream_usage=stream,
    )
    match variant:
        case "search":
            yield Plain(create_agent(model, [_search(Shelf.of(job))], system_prompt=RULES), job, given=False)
        case "checkpoints":
            from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

            async with AsyncSqliteSaver.from_conn_string(str(job.scratch / "talks.sqlite")) as saver:
                yield Plain(create_agent(model, [], system_prompt=RULES, checkpointer=saver), job, given=True)
        case _:
            yield Plain(create_agent(model, [], system_prompt=RULES), job, given=True)


def _search(shelf: Shelf) -> Any:
    @tool
    async def search(query: str) -> str:
        """Search the company's documents."""
        return passages_json(await asyncio.to_thread(shelf.find, query))

    return search
