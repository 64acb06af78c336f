"""One question from retrieval to outcome: search, draft, check, and what the check lets happen.

```
retrieve ─┬─ an approved answer to this very question ─► Answered
          └─► draft ─┬─ need ──────────────► Waiting(consent)
                     ├─ proposal ──────────► Waiting(confirmation)
                     ├─ one question back ─► Clarify
                     ├─ a system did not answer ─► what is known, what is not ─► Escalated
                     └─ check ─► gate ─┬─ send ► Answered
                                       ├─ decline
                                       └─ escalate
```
A model that streams is heard while it writes (`agent.streaming`): what has left by the time the draft is whole stays,
and the draft only says how the answer goes on.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from agent.answering import Judged, evidence_of
from agent.approved import as_approved
from agent.closing import Closing
from agent.confidence import Calibration
from agent.domain import DataUse, Draft, Reason, TurnRecord
from agent.errors import WriterFailed
from agent.gist import EARLIER, as_meant, gist
from agent.judging import bound, judge, question_back
from agent.notes import PERSONALISATION
from agent.pack import Pack
from agent.policy import consent as consents
from agent.policy.budget import spent
from agent.ports import Actions, Bases, Brief, Facts, Listener, Notices, Similarity, Writer
from agent.scene import Scene
from agent.speaking import Speaking
from agent.streaming import Stream, gate_of
from agent.topics import topics_of
from agent.unasked import remembered_evidence
from agent.unreached import Unreached, unreached, without_faults
from knowledge.types import Query, Retrieval
from tools.phrases import Phrases
from tools.proposal import Proposal

PASSAGES = 6
"""Passages shown to a writer; more dilutes a small model and costs a large one."""
CONTEXT_MESSAGES = 3
"""Earlier customer messages a search may lean on for a follow-up question."""


class Replying:
    """Answers questions from documents and tools. Stateless."""

    def __init__(
        self,
        *,
        facts: Facts,
        gate: Bases,
        outside: bool,
        writer: Writer,
        actions: Actions,
        phrases: Phrases,
        pack: Pack,
        notices: Notices,
        calibration: Calibration,
        similarity: Similarity | None,
        closing: Closing,
        speaking: Speaking,
    ) -> None:
        self.facts = facts
        self.gate = gate
        self.outside = outside
        self.writer = writer
        self.actions = actions
        self.phrases = phrases
        self.pack = pack
        self.notices = notices
        self.calibration = calibration
        self.similarity = similarity
        self.closing = closing
        self.speaking = speaking

    async def answer(self, scene: Scene, question: str) -> TurnRecord:
        await self.status(scene, "status.searching")
        retrieval = await self.retrieve(scene, question)
        known = as_approved(
            retrieval,
            question=question,
            language=scene.language,
            calibration=self.calibration,
            promise=self.pack.promise,
            hosts=self.pack.hosts,
        )
        if known is not None:
            record = await self.speaking.send(scene, *known, question=question)
            cited = tuple(dict.fromkeys(c.passage for reply in record.replies for c in reply.citations))
            # What a confidence is fitted to are drafts; nothing was drafted here.
            return replace(record, path="approved", signals={}, evidence=cited)
        scene = self._remembering(scene, question)
        stream = await self._stream(scene, question, retrieval)
        try:
            draft = await self.draft(scene, question, retrieval, stream)
        except WriterFailed as failure:
            cut = replace(scene, left=tuple(stream.left))
            reason: Reason = "budget_spent" if spent(str(failure).split("; ")) else "model_failed"
            record = self.closing.escalated(
                cut, reason=reason, question=question, rejected=str(failure), tools=failure.tools
            )
        else:
            record = await self._conclude(scene, question, retrieval, draft, stream)
        if scene.notes:
            record = replace(record, data_used=(DataUse(what="notes", purpose=PERSONALISATION),))
        return replace(
            record, ms={**record.ms, **stream.ms}, evidence=tuple(hit.passage.id for hit in retrieval.hits)
        )

    def _remembering(self, scene: Scene, question: str) -> Scene:
        say = {str(kind): purpose for kind, purpose in self.pack.policy.measure.say.items()}
        notes = remembered_evidence(scene, question, say=say, phrases=self.phrases)
        return replace(scene, notes=notes)

    async def _stream(self, scene: Scene, question: str, retrieval: Retrieval) -> Stream:
        gate = gate_of(question, retrieval, scene, calibration=self.calibration, pack=self.pack)
        return Stream(
            scene=scene,
            records=self.speaking.records,
            facts=self.facts,
            retrieval=retrieval,
            pack=self.pack,
            similarity=self.similarity,
            gate=gate,
            left=[*await self.speaking.records.sent(scene.turn)],
            first=self.closing.first(scene),
        )

    async def retrieve(self, scene: Scene, question: str, *, without: Collection[str] = ()) -> Retrieval:
        said = [m.text for m in scene.situation.history if m.author == "customer"]
        earlier = tuple(gist(text, longest=EARLIER) for text in said[-CONTEXT_MESSAGES:])
        scene.watch.end("decide")
        query = Query(gist(question), language=scene.language, k=PASSAGES + len(without), context=earlier)

        async def search() -> Retrieval:
            # Where every encoder is the company's own there is nothing to ask the ledger for.
            leaves = self.outside and await self.gate.allows(scene.caller, consents.EXTERNAL_MODEL)
            return await self.facts.search(replace(query, may_leave=leaves))

        found = await scene.steps.run("retrieve", search, of=Retrieval)
        scene.watch.end("retrieval")
        scene.tally.encoded(found.outside, history=bool(earlier))
        if not without:
            return found
        return replace(found, hits=tuple(hit for hit in found.hits if hit.passage.id not in without))

    async def draft(
        self, scene: Scene, question: str, retrieval: Retrieval, listener: Listener | None = None
    ) -> Draft:
        brief = Brief(
            question=as_meant(question, retrieval.understood),
            language=scene.language,
            history=scene.situation.history,
            evidence=(*evidence_of(retrieval), *scene.notes),
            caller=scene.caller,
            refused=scene.situation.refused,
            today=self._today(scene),
            recall=scene.situation.recall,
            listener=listener,
        )

        async def status(text: str) -> None:
            await self.notices.status(scene.caller.conversation, scene.turn, text)

        scene.tally.show(retrieval.hits)
        try:
            draft = await self.writer.write(brief, steps=scene.steps, status=status)
        except WriterFailed as failure:
            scene.tally.failed(failure)
            raise
        scene.tally.drafted(draft)
        scene.watch.end("writer", model=draft.model_ms, tools=sum(use.ms for use in draft.tools))
        return draft

    async def _conclude(
        self, scene: Scene, question: str, retrieval: Retrieval, draft: Draft, stream: Stream
    ) -> TurnRecord:
        scene = replace(scene, left=tuple(stream.left))
        missed = self.missed(scene, draft)
        asked = self._asked(scene, question, retrieval, draft)
        if asked is not None:
            return self.closing.beside(scene, asked, missed)
        if missed:
            return await self.partly(scene, question, retrieval, draft, missed)
        judged = self.judged(scene, question, retrieval, draft)
        if draft.streamed and scene.left:
            return await self._gone_on(scene, draft, judged, stream, question=question)
        if judged.gate == "decline":
            return self.closing.declined(scene, draft, judged)
        if judged.gate == "escalate":
            topics = topics_of(scene, question, retrieval, draft)
            if topics:
                return self.closing.which(scene, draft, topics, question=question)
            purpose = consents.worth_asking(scene.situation, draft)
            if purpose:
                return self.closing.needed(scene, replace(draft, need=purpose), question=question)
            return self.closing.unsure(scene, draft, judged, question=question)
        return await self.speaking.send(scene, draft, judged, question=question)

    def _asked(self, scene: Scene, question: str, retrieval: Retrieval, draft: Draft) -> TurnRecord | None:
        """Return the record of a draft that asks the customer something, None for one that answers."""
        if draft.kind == "need":
            return self.closing.needed(scene, draft, question=question)
        if draft.proposal is not None:
            recipients = self.actions.recipients(str(draft.proposal["tool"]))
            if not bound(draft.proposal, recipients, scene=scene, pack=self.pack):
                return self.closing.whereto(scene, draft, question=question)
            return self.closing.proposed(scene, draft, text=self.confirmation(scene, draft.proposal))
        if draft.kind == "clarify" and not scene.situation.clarified:
            asked = question_back(draft, scene=scene, retrieval=retrieval, pack=self.pack)
            return self.closing.clarified(scene, asked, question=question)
        return None

    def missed(self, scene: Scene, draft: Draft) -> Unreached:
        """Return what the draft's tools could not reach."""
        return unreached(draft.tools, actions=self.actions, language=scene.language)

    async def partly(
        self, scene: Scene, question: str, retrieval: Retrieval, draft: Draft, missed: Unreached
    ) -> TurnRecord:
        """Say what is known, name what no system answered, call a person: whatever the writer makes of it."""
        judged = self.judged(scene, question, retrieval, without_faults(draft))
        return await self.speaking.partly(scene, draft, judged, missed=missed, question=question)

    async def _gone_on(
        self, scene: Scene, draft: Draft, judged: Judged, stream: Stream, *, question: str
    ) -> TurnRecord:
        """End an answer whose first sentences have left: say the rest of it, or stop and call a person."""
        stream.began_after(draft.after)
        waiting = list(draft.sentences)
        while waiting and await stream.goes_on(waiting[0], draft.tools, sure=judged.gate == "send"):
            waiting.pop(0)
        if stream.taken:
            return self.closing.taken_over(scene, draft, judged)
        if draft.sentences and not waiting:
            return self.closing.answered(
                scene, draft, judged, said=stream.left, first_ms=stream.first_ms or scene.ms
            )
        kept_back = [stream.failed, *(sentence.text for sentence in waiting[bool(stream.failed) :])]
        return self.closing.escalated(
            replace(scene, left=tuple(stream.left)),
            reason="promise" if judged.promised else "ungrounded" if stream.failed else "not_sure",
            question=question,
            rejected="\n".join(filter(None, kept_back)),
            draft=draft,
            judged=judged,
        )

    def judged(self, scene: Scene, question: str, retrieval: Retrieval, draft: Draft) -> Judged:
        judged = judge(
            draft,
            scene=scene,
            question=question,
            retrieval=retrieval,
            pack=self.pack,
            calibration=self.calibration,
            similarity=self.similarity,
        )
        scene.watch.end("check")
        return judged

    def confirmation(self, scene: Scene, proposal: Mapping[str, Any]) -> str:
        return self.actions.confirmation(Proposal.from_dict(proposal), scene.language)

    def _today(self, scene: Scene) -> str:
        """Return the company's day: late in the evening UTC it is tomorrow in Moscow."""
        return scene.caller.now.astimezone(ZoneInfo(self.pack.timezone)).date().isoformat()

    async def status(self, scene: Scene, key: str) -> None:
        text = self.phrases.say(key, scene.language)
        await self.notices.status(scene.caller.conversation, scene.turn, text)
