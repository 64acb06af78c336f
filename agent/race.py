"""Which model of the chain answers: one after another, or the next one beside a slow one; the first usable wins.

```
first ─────────────── slow ───────────────────► cancelled, its cost counted
         └─ hedge ─► second ────► answers ────► wins
```
Only remote models are raced: the local one needs no time, and would win against every better answer. Once words of one
have reached the customer the race is over: the others are cancelled, and none begins anew should it fail.
"""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.errors import ModelUnavailable, WriterFailed
from agent.link import Asking, Reply
from agent.spending import Charge
from knowledge.text.tokens import count
from tools.errors import NoBasis

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage

    from agent.models import ModelChain


class Race:
    """One question's way through the chain. Used once."""

    def __init__(self, chain: "ModelChain", asking: Asking) -> None:
        self.chain = chain
        self.asking = asking
        self.deadline = chain.clock() + asking.seconds
        self.waiting: list[int] = []
        self.withheld: list[str] = []
        self.running: dict[asyncio.Task[AIMessage], int] = {}
        self.began: dict[int, float] = {}
        self.tried: list[str] = []
        self.charges: list[Charge] = []
        self.silenced: list[asyncio.Task[AIMessage]] = []

    async def run(self) -> Reply:
        """Return the first usable answer. Raises `WriterFailed`; an unknown error of a call is raised as it is."""
        self._line_up()
        try:
            while self._goes_on():
                if not self.running or self._may_hedge():
                    self._start()
                patience = self.chain.hedge if self._may_hedge() else None
                done, _ = await asyncio.wait(
                    self.running, timeout=patience, return_when=asyncio.FIRST_COMPLETED
                )
                # Two that finish at once: the better model is asked for its answer first.
                for task in sorted(done, key=lambda task: self.running[task]):
                    reply = self._finished(task) if self._may_win(task) else None
                    if reply is not None:
                        return await self._won(reply)
        finally:
            await self._stop()
        raise WriterFailed(
            "; ".join((*self.tried, *self.withheld)),
            remedy="Add a fallback model; see `mayak doctor`.",
            charges=tuple(self.charges),
        )

    def _goes_on(self) -> bool:
        if self.asking.speaker() is not None:
            self.waiting.clear()
            for task in [task for task in self.running if not self._may_win(task)]:
                task.cancel()
                self.silenced.append(task)
                self._lost(self.running.pop(task), written=0)
        return bool(self.waiting or self.running)

    def _may_win(self, task: "asyncio.Task[AIMessage]") -> bool:
        return self.asking.speaker() in (None, self.running[task])

    def _lost(self, index: int, *, written: int) -> None:
        link = self.chain.links[index]
        self.charges.append(link.charge(prompt=self.asking.tokens, completion=written, estimated=True))
        self.tried.append(f"{link.name}: slower")

    def _line_up(self) -> None:
        for index in range(self.asking.start, len(self.chain.links)):
            reason = self.asking.permit(self.chain.links[index])
            if reason:
                self.withheld.append(reason)
            else:
                self.waiting.append(index)

    def _may_hedge(self) -> bool:
        """Whether the next model could be asked beside the ones that are being asked."""
        return self.chain.hedge > 0 and bool(self.waiting) and not self.chain.links[self.waiting[0]].local

    def _start(self) -> None:
        index = self.waiting.pop(0)
        others = [self.chain.links[i] for i in (*self.waiting, *self.running.values())]
        alone = all(link.local or link.fault is not None for link in others)
        self.began[index] = now = self.chain.clock()
        call = self.chain.one(self.chain.links[index], self.asking, left=self.deadline - now, alone=alone)
        self.running[asyncio.create_task(call)] = index

    def _finished(self, task: "asyncio.Task[AIMessage]") -> Reply | None:
        index = self.running.pop(task)
        link = self.chain.links[index]
        try:
            message = task.result()
        except NoBasis as refused:
            # It was taken back after the race had begun: like a model that was never in it.
            self.withheld.append(refused.purpose)
            return None
        except ModelUnavailable as failure:
            self.tried.append(f"{link.name}: {failure}")
            if failure.tokens is not None:
                self.charges.append(link.charge(prompt=failure.tokens[0], completion=failure.tokens[1]))
            elif failure.billed:
                self.charges.append(link.charge(prompt=self.asking.tokens, completion=0, estimated=True))
            return None
        ms = 1000 * (self.chain.clock() - self.began[index])
        if not link.local or message.usage_metadata is not None:
            self.charges.append(self._paid(index, message))
        return Reply(message=message, link=index, ms=ms, tried=tuple(self.tried))

    def _paid(self, index: int, message: "AIMessage") -> Charge:
        link, usage = self.chain.links[index], message.usage_metadata
        if usage is not None:
            return link.charge(prompt=usage["input_tokens"], completion=usage["output_tokens"])
        return link.charge(prompt=self.asking.tokens, completion=count(message.text), estimated=True)

    async def _won(self, reply: Reply) -> Reply:
        # How far a loser came is not known: it is charged as if it had written as much as the winner.
        written = self.charges[-1].completion if self.charges else 0
        for index in self.running.values():
            self._lost(index, written=written)
        return replace(
            reply,
            tried=tuple(self.tried),
            charges=tuple(self.charges),
            withheld=tuple(dict.fromkeys(self.withheld)),
        )

    async def _stop(self) -> None:
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, *self.silenced, return_exceptions=True)
