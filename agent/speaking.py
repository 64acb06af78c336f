"""Verified sentences leave one by one, each appended before it is shown, after what an earlier attempt had sent."""

from collections.abc import Sequence
from dataclasses import replace

from agent.answering import Judged
from agent.closing import Closing
from agent.domain import Draft, TurnRecord, Verified
from agent.ports import Facts, Records
from agent.scene import Scene
from agent.unreached import Unreached


class Speaking:
    """Sends what was checked. Stateless."""

    def __init__(self, *, records: Records, facts: Facts, closing: Closing) -> None:
        self.records = records
        self.facts = facts
        self.closing = closing

    async def send(self, scene: Scene, draft: Draft, judged: Judged, *, question: str) -> TurnRecord:
        """Stream the verified sentences after the fixed prefix an earlier attempt may have left."""
        sendable = await self.still_live(judged.sentences)
        if not sendable:
            return self.closing.unsure(scene, draft, judged, question=question)
        return await self.stream(scene, sendable, draft, judged)

    async def stream(
        self,
        scene: Scene,
        sendable: Sequence[Verified],
        draft: Draft | None = None,
        judged: Judged | None = None,
    ) -> TurnRecord:
        said = [*await self.records.sent(scene.turn)]
        first_ms = await self._append(scene, said, sendable)
        if first_ms is None:
            return self.closing.taken_over(scene, draft, judged)
        return self.closing.answered(scene, draft, judged, said=said, first_ms=first_ms)

    async def partly(
        self, scene: Scene, draft: Draft, judged: Judged, *, missed: Unreached, question: str
    ) -> TurnRecord:
        """Stream what is known of an answer that lacks something, then say what it lacks."""
        known = await self.still_live(judged.sentences) if judged.gate == "send" else ()
        said = [*await self.records.sent(scene.turn)]
        if await self._append(scene, said, known) is None:
            return self.closing.taken_over(scene, draft, judged)
        cut = replace(scene, left=tuple(said))
        return self.closing.unreached(cut, draft, judged, missed=missed, question=question)

    async def _append(self, scene: Scene, said: list[Verified], sendable: Sequence[Verified]) -> float | None:
        """Send what is not `said` yet and note it there; return when the first left, None where a person took over."""
        first_ms: float | None = None
        first, attempt = self.closing.first(scene), scene.steps.attempt
        for sentence in sendable:
            if sentence.text in [before.text for before in said]:
                continue
            if not await self.records.append(scene.turn, len(said), sentence, attempt=attempt, first=first):
                return None
            said.append(sentence)
            first_ms = first_ms or scene.ms
        scene.watch.end("send")
        return first_ms or scene.ms

    async def still_live(self, sentences: tuple[Verified, ...]) -> tuple[Verified, ...]:
        """Drop sentences whose passage was retired or replaced since it was found."""
        cited = sorted({c.passage for s in sentences for c in s.citations})
        if not cited:
            return sentences
        live = await self.facts.live(cited)
        return tuple(s for s in sentences if all(c.passage in live for c in s.citations))
