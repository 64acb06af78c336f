"""Parlant on the stub, as its SDK starts it: server, engine, in-memory stores, asked through its own client.

Runs in Parlant's own environment (its pins are not Mayak's), where only this package's plain files can be imported.
Its model calls ask for JSON of a schema in words; here the schema is sent along, so that the stub can fill it.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from openai import AsyncOpenAI
from parlant import sdk
from parlant.adapters.nlp.openai_service import OpenAIService
from parlant.client import AsyncParlantClient
from parlant.core.common import DefaultBaseModel
from parlant.core.meter import Meter
from parlant.core.nlp.embedding import BaseEmbedder, EmbeddingResult
from parlant.core.nlp.generation import BaseSchematicGenerator, SchematicGenerationResult
from parlant.core.nlp.generation_info import GenerationInfo, UsageInfo
from parlant.core.nlp.moderation import NoModeration
from parlant.core.nlp.tokenization import EstimatingTokenizer

from api.bench.agents.port import RULES, Agent, Job

WAIT_SECONDS = 60
DIMENSIONS = 64
T = TypeVar("T", bound=DefaultBaseModel)
MODEL = "stub"


class Length(EstimatingTokenizer):
    """Counts four characters a token: the real tables are fetched from the network."""

    async def estimate_token_count(self, prompt: str) -> int:
        return len(prompt) // 4


class Generator(BaseSchematicGenerator[T]):
    """Asks the stub for one object of the schema."""

    client: Any

    async def do_generate(self, prompt: Any, hints: Mapping[str, Any] = {}) -> Any:
        said = prompt if isinstance(prompt, str) else prompt.build()
        schema = {"name": "answer", "schema": self.schema.model_json_schema()}
        reply = await self.client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": said}],
            response_format={"type": "json_schema", "json_schema": schema},
        )
        content = self.schema.model_validate_json(reply.choices[0].message.content or "{}")
        usage = UsageInfo(input_tokens=0, output_tokens=0)
        info = GenerationInfo(schema_name=self.schema.__name__, model=self.id, duration=0.0, usage=usage)
        return SchematicGenerationResult(content=content, info=info)

    @property
    def id(self) -> str:
        return MODEL

    @property
    def max_tokens(self) -> int:
        return 128_000

    @property
    def tokenizer(self) -> EstimatingTokenizer:
        return Length()


class Vectors(BaseEmbedder):
    """Asks the stub for vectors. Parlant makes these by their types, so the parameters are annotated with its own."""

    client: Any

    def __init__(self, logger: sdk.Logger, tracer: sdk.Tracer, meter: Meter) -> None:
        super().__init__(logger, tracer, meter, MODEL)

    async def do_embed(self, texts: list[str], hints: Mapping[str, Any] = {}) -> EmbeddingResult:
        reply = await self.client.embeddings.create(model=MODEL, input=texts, encoding_format="float")
        return EmbeddingResult(vectors=[row.embedding for row in reply.data])

    @property
    def id(self) -> str:
        return MODEL

    @property
    def max_tokens(self) -> int:
        return 8192

    @property
    def tokenizer(self) -> EstimatingTokenizer:
        return Length()

    @property
    def dimensions(self) -> int:
        return DIMENSIONS


class OnStub(OpenAIService):
    """Parlant's OpenAI service with the stub behind it."""

    @property
    def supports_streaming(self) -> bool:
        return False

    async def get_schematic_generator(self, t: Any, hints: Any = None) -> Any:
        return Generator[t](self._logger, self._tracer, self._meter, MODEL)

    async def get_embedder(self, hints: Any = None) -> Any:
        return Vectors(self._logger, self._tracer, self._meter)

    async def get_moderation_service(self) -> Any:
        return NoModeration()


class Spoken:
    """One session a talk, through the client."""

    def __init__(self, client: Any, agent: str, job: Job) -> None:
        self._client = client
        self._agent = agent
        self._asked = job.evidence_of()
        self._sessions: dict[str, str] = {}

    async def begin(self, talk: str, *, language: str) -> None:
        opened = await self._client.sessions.create(agent_id=self._agent, allow_greeting=False)
        self._sessions[talk] = opened.id

    async def answer(self, question: str, *, talk: str) -> str:
        session = self._sessions[talk]
        sent = await self._client.sessions.create_event(
            session, kind="message", source="customer", message=self._asked[question].as_message()
        )
        found = await self._client.sessions.list_events(
            session,
            kinds="message",
            source="ai_agent",
            min_offset=sent.offset,
            wait_for_data=WAIT_SECONDS,
        )
        return str(found[0].data["message"]) if found else ""


@asynccontextmanager
async def parlant_agent(job: Job) -> AsyncIterator[Agent]:
    """Start the server on free ports and lend a client."""
    Generator.client = Vectors.client = AsyncOpenAI(
        base_url=job.url, api_key="none", max_retries=0, timeout=120
    )
    port, tools = _free(), _free()
    made: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(_serve(port, tools, made))
    try:
        first: list[asyncio.Future[Any]] = [serving, made]
        done, _ = await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if made not in done:
            serving.result()
        client = AsyncParlantClient(base_url=f"http://127.0.0.1:{port}", timeout=120)
        await _ready(port)
        yield Spoken(client, made.result(), job)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def _serve(port: int, tools: int, made: "asyncio.Future[str]") -> None:
    # The SDK sets up inside its block and serves when the block ends.
    async with sdk.Server(
        host="127.0.0.1",
        port=port,
        tool_service_port=tools,
        nlp_service=lambda container: OnStub(container[sdk.Logger], container[sdk.Tracer], container[Meter]),
        log_level=sdk.LogLevel.ERROR,
    ) as server:
        # By default it waits on purpose and says something meanwhile, to look human: that is no cost of the turn.
        calm = sdk.NullPerceivedPerformancePolicy()
        agent = await server.create_agent(name="Bench", description=RULES, perceived_performance_policy=calm)
        made.set_result(str(agent.id))


async def _ready(port: int) -> None:
    for _ in range(10 * WAIT_SECONDS):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise TimeoutError("Parlant did not open its port.")


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
