"""One model call, answered by the first model of the chain that can and may; a failed one is not asked again this turn.

```
permit   a model outside the company needs the customer's consent; every remote one needs what is left to spend
prompt   each model reads the prompts of its own profile
accept   an answer in another language than the customer's is no answer
```
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langchain_core.tools import BaseTool

from agent.domain import Doubt
from agent.doubt import doubt_of
from agent.errors import WriterFailed
from agent.hearing import Floor
from agent.language import detect
from agent.link import Asking, Link, Reply
from agent.middleware.book import Booked
from agent.pack import Caps
from agent.policy.budget import over
from agent.policy.consent import EXTERNAL_MODEL
from agent.ports import Bases
from agent.privacy.veil import Veil
from agent.prompts import earlier_message
from agent.provider import Profile, unavailable
from agent.reading import read_answer
from agent.receipt import UNDER_WAY, ModelRead
from agent.spending import Account, Charge, Purse
from knowledge.text.tokens import count
from tools.context import Language

LANGUAGES: tuple[Language, ...] = ("ru", "en")
MOST_TOOLS = 512
CLEAR_LETTERS = 20
"""Letters from which the language of an answer is told for sure; less may be a name or a number."""


class Fallback(Booked):
    """Chooses the model of each call, and takes the tools away when the turn's calls are used up."""

    def __init__(self, *, purse: Purse, caps: Caps, gate: Bases) -> None:
        super().__init__()
        self.purse = purse
        self.caps = caps
        self.gate = gate

    async def awrap_model_call(self, request: Any, handler: Any) -> AIMessage:
        """Ask the chain from the model that spoke last. Raises `WriterFailed`."""
        book = self.book
        tools = request.tools if book.calls_left() else list(book.controls.values())
        tokens = _length(request, tools) if self._has_remote() else 0
        account, outside = await self._account(), await self._may_leave()
        floor = Floor(book.listener, tools=tuple(book.used))

        async def call(model: BaseChatModel) -> AIMessage:
            index = self._index_of(model)
            link = book.models.links[index]
            veil = book.veil if link.external else None
            reading = {} if link.local else await self._reading(request.messages, link.profile, veil)
            if link.external and not link.local:
                # Waiting for a slower model, or for names to be found, a customer may have taken it back.
                await self.gate.require(book.caller, EXTERNAL_MODEL)
            # Noted before it is asked: whatever comes of the call, this is what it was given.
            book.give(self._read(link, veil))
            with floor.heard(index, opening=veil.opening() if veil else None):
                response = await handler(request.override(model=model, tools=tools, **reading))
            message: AIMessage = response.result[0]
            return _opened(message, veil) if veil else message

        def accept(message: AIMessage) -> None:
            # What was cut off was judged sentence by sentence.
            if not floor.over:
                self._accept(message)

        asking = Asking(
            call=call,
            start=book.link,
            seconds=book.seconds_left(),
            tokens=tokens,
            permit=partial(self._permit, account=account, tokens=tokens, outside=outside),
            accept=accept,
            speaker=lambda: floor.speaker,
        )
        try:
            reply = await book.models.ask(asking)
        except WriterFailed as failure:
            await self._note(failure.charges)
            if floor.fault is not None:
                raise floor.fault from failure
            raise
        await self._note(reply.charges)
        spoke = book.models.links[reply.link].name
        book.given[spoke] = replace(book.given[spoke], answered=True)
        if floor.fault is not None:
            raise floor.fault
        return reply.message.model_copy(update={"response_metadata": self._kept(reply)})

    def _kept(self, reply: Reply) -> dict[str, Any]:
        """Return what a replay of this call must know of it."""
        book = self.book
        kept: dict[str, Any] = {
            "link": reply.link,
            "ms": round(reply.ms, 3),
            "tried": list(reply.tried),
            "charges": [asdict(charge) for charge in reply.charges],
            "withheld": list(reply.withheld),
            "after": len(book.said),
            "reads": [asdict(read) for read in book.given.values()],
            "streamed": book.listener is not None and bool(book.listener.said),
        }
        doubt = _doubt(reply.message)
        if doubt is not None:
            kept["doubt"] = asdict(doubt)
        return kept

    async def _reading(
        self, messages: Sequence[AnyMessage], profile: Profile, veil: Veil | None
    ) -> dict[str, Any]:
        before, prompts = self.book.said_before, self.book.prompts[profile]
        if veil is not None:
            # Reading a long conversation for names takes its time, and others are waiting for theirs.
            prompts = (await asyncio.to_thread(veil.prompts))[profile]
            messages = await asyncio.to_thread(veil.messages, messages)
        earlier = [_as_data(message) for message in messages[:before]]
        told = [*earlier, HumanMessage(prompts.question), *messages[before + 1 :]]
        return {"messages": told, "system_message": SystemMessage(prompts.system)}

    def _read(self, link: Link, veil: Veil | None) -> ModelRead:
        return ModelRead(
            model=link.name,
            external=link.external and not link.local,
            masked=veil is not None,
            parts=self.book.parts(),
            kinds=veil.vault.counts() if veil is not None else {},
        )

    def _has_remote(self) -> bool:
        return any(not link.local for link in self.book.models.links[self.book.link :])

    def _index_of(self, model: BaseChatModel) -> int:
        return next(n for n, link in enumerate(self.book.models.links) if link.knows(model))

    def _permit(self, link: Link, *, account: Account, tokens: int, outside: bool) -> str:
        if link.local:
            return UNDER_WAY if self.book.said and not self.book.models.links[0].local else ""
        if link.external and not outside:
            return EXTERNAL_MODEL
        usd = link.usd(prompt=tokens, completion=link.max_tokens)
        return over(self.caps, account, tokens=tokens + link.max_tokens, usd=usd) or ""

    async def _may_leave(self) -> bool:
        """Return whether this caller's words may leave the company now; no question where nobody outside is asked."""
        abroad = any(link.external and not link.local for link in self.book.models.links[self.book.link :])
        return abroad and await self.gate.allows(self.book.caller, EXTERNAL_MODEL)

    async def _account(self) -> Account:
        if not self._has_remote():
            return Account()
        conversation, day = await self.purse.spent(self.book.caller.conversation, day=self.book.day)
        return Account(turn=self.book.spent, conversation=conversation, day=day)

    async def _note(self, charges: Sequence[Charge]) -> None:
        if charges:
            caller = self.book.caller
            await self.purse.note(
                *charges, conversation=caller.conversation, turn=caller.turn, day=self.book.day
            )

    def _accept(self, message: AIMessage) -> None:
        """Refuse a final answer in another language: it would not be the customer's, however right it is."""
        if message.tool_calls:
            return
        said = " ".join(sentence.text for sentence in read_answer(message.text))
        if sum(letter.isalpha() for letter in said) < CLEAR_LETTERS:
            return
        wanted = self.book.caller.language
        found = detect(said, languages=LANGUAGES, previous=wanted)
        if found != wanted:
            raise unavailable("wrong_language", f"{found}, not {wanted}", message=message)


def _opened(message: AIMessage, veil: Veil) -> AIMessage:
    """Return an answer with the customer's own values; what the model thought of its words is told of its words."""
    doubt = _doubt(message)
    kept = {**message.response_metadata, "logprobs": None, "doubted": asdict(doubt) if doubt else None}
    return veil.opened(message).model_copy(update={"response_metadata": kept})


def _doubt(message: AIMessage) -> Doubt | None:
    """Return the model's own doubt of a final answer; a call says nothing to the customer."""
    if message.tool_calls:
        return None
    if (known := message.response_metadata.get("doubted")) is not None:
        return Doubt(**known)
    return doubt_of(message.response_metadata.get("logprobs"), read_answer(message.text))


def _as_data(message: AnyMessage) -> AnyMessage:
    """Return what a customer said before as a JSON object: words to be understood, not a turn of the instructions."""
    return HumanMessage(earlier_message(message.text)) if isinstance(message, HumanMessage) else message


def _length(request: Any, tools: Sequence[BaseTool]) -> int:
    """Return the prompt's tokens, near enough to reserve money for it."""
    messages: Sequence[AnyMessage] = request.messages
    written = [request.system_prompt or "", *(str(message.content) for message in messages)]
    return sum(map(count, written)) + sum(map(_tokens, tools)) + 8 * (len(messages) + len(tools))


_KNOWN: dict[int, tuple[BaseTool, int]] = {}
"""Tokens of tools by their identity. A tool's arguments are a model that is built anew each time they are asked for."""


def _tokens(tool: BaseTool) -> int:
    if (known := _KNOWN.get(id(tool))) is not None:
        return known[1]
    if len(_KNOWN) >= MOST_TOOLS:
        _KNOWN.clear()
    tokens = count(f"{tool.name} {tool.description} {tool.args}")
    _KNOWN[id(tool)] = tool, tokens
    return tokens
