"""One message from arrival to outcome. Read this first: everything else serves these few steps.

```
situation ─► receive ─┬─ settled without a model ──────────────────────────────► commit
                      └─ Ask ─► retrieve ─► write (model and tools) ─┬─ need ──► Waiting(consent)
                                                                     ├─ proposal ► Waiting(confirmation)
                                                                     ├─ one question back ─► Clarify
                                                                     └─ check ─► gate ─┬─ send ► Answered
                                                                                       ├─ decline
                                                                                       └─ escalate
```
Everything with an effect goes through `steps`, so that after a crash a finished effect is not repeated
and the same sentences leave in the same order. Unknown errors are the worker's: it stops the turn and
calls a person (`agent.trouble.in_trouble`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent import dialogue
from agent import language as words
from agent.answering import Judged, check, evidence_of
from agent.closing import Closing
from agent.confidence import Calibration
from agent.domain import Draft, Escalated, Message, TurnRecord, Verified
from agent.errors import WriterFailed
from agent.gist import EARLIER, as_meant, gist
from agent.hygiene import plainly
from agent.pack import Pack
from agent.policy import consent as consents
from agent.policy.voice import fitting
from agent.ports import Actions, Brief, Facts, Notices, Records, Similarity, Situation, Steps, Writer
from agent.recall import remembered
from agent.reception import (
    Again,
    Already,
    Ask,
    CallPerson,
    Confirm,
    Danger,
    Drop,
    Fixed,
    Grant,
    Many,
    Rated,
    Refuse,
    Resume,
    Settled,
    Silent,
    Unhelpful,
    receive,
)
from agent.scene import Scene, said
from agent.settling import settle
from agent.stages import Watch
from agent.topics import topics_of
from knowledge.types import Query, Retrieval
from tools.context import Caller, TurnId
from tools.phrases import Phrases
from tools.proposal import Proposal

PASSAGES = 6
"""Passages shown to a writer; more dilutes a small model and costs a large one."""
CONTEXT_MESSAGES = 3
"""Earlier customer messages a search may lean on for a follow-up question."""


class Turn:
    """Decides one batch of customer messages. Stateless: one object serves all conversations."""

    def __init__(
        self,
        *,
        records: Records,
        facts: Facts,
        writer: Writer,
        actions: Actions,
        phrases: Phrases,
        pack: Pack,
        notices: Notices,
        calibration: Calibration,
        similarity: Similarity | None = None,
    ) -> None:
        self.records = records
        self.facts = facts
        self.writer = writer
        self.actions = actions
        self.pack = pack
        self.notices = notices
        self.calibration = calibration
        self.similarity = similarity
        self.phrases = phrases
        self.closing = Closing(phrases=phrases, pack=pack, scope=actions.scope)

    async def run(self, turn: TurnId, *, steps: Steps, waited: float = 0.0) -> TurnRecord:
        """Decide the turn, send what may be sent, commit its record, return it. `waited`: ms before it began."""
        scene = await self._scene(turn, steps, Watch(waited=waited))
        record = await self._decide(scene)
        kept = remembered(scene.situation.recall, scene.situation.batch, history=scene.situation.history)
        failed = isinstance(record.outcome, Escalated) and record.outcome.reason == "model_failed"
        scene.watch.end("model" if failed else "close")
        record = replace(record, recall=kept, ms={**record.ms, **scene.watch.ms()})
        # No step: it is one transaction that happens once by itself, and a step would cost another.
        await self.records.commit(record, attempt=steps.attempt)
        return record

    async def ahead(self, said: Sequence[str]) -> None:
        """Prepare the search for messages that wait for their turn, while more may come."""
        await self.facts.expect(gist("\n".join(said)))

    async def _scene(self, turn: TurnId, steps: Steps, watch: Watch) -> Scene:
        situation = await steps.run("situation", lambda: self.records.situation(turn), of=Situation)
        watch.end("situation")
        situation = replace(
            situation, batch=tuple(replace(each, text=plainly(each.text)) for each in situation.batch)
        )
        conversation, batch = situation.conversation, situation.batch
        language = conversation.language
        for incoming in batch:
            language = words.detect(incoming.text, languages=self.pack.languages, previous=language)
        caller = Caller(
            conversation=conversation.id,
            turn=turn,
            language=language,
            channel=conversation.channel,
            customer_id=conversation.customer_id,
            assurance=conversation.assurance,
            purposes=consents.live_purposes(self.pack.purposes, situation.purposes),
            now=batch[-1].at,
        )
        return Scene(
            turn=turn, situation=situation, language=language, caller=caller, steps=steps, watch=watch
        )

    async def _decide(self, scene: Scene) -> TurnRecord:
        text = "\n".join(said(incoming) for incoming in scene.situation.batch).strip()
        move = receive(scene.situation, text)
        match move:
            case Danger(kind=kind):
                return self.closing.in_danger(scene, kind, question=text)
            case CallPerson():
                return self.closing.escalated(scene, reason="customer_asked", question=text)
            case Grant(purpose=purpose):
                return await self._granted(scene, purpose)
            case Refuse(purpose=purpose):
                return await self._refused(scene, purpose)
            case Confirm() | Drop():
                return await settle(
                    scene, move, actions=self.actions, closing=self.closing, notices=self.notices
                )
            case Again(short=short):
                return await self._again(scene, short=short)
            case Unhelpful(again=again):
                return await self._otherwise(scene, again=again)
            case Ask():
                return await self._asked(scene, move)
            case _:
                return self._at_once(scene, move)

    def _at_once(self, scene: Scene, move: Settled) -> TurnRecord:
        match move:
            case Silent():
                return self.closing.held(scene)
            case Already():
                return self.closing.already(scene)
            case Resume():
                return self.closing.resumed(scene)
            case Rated():
                return self.closing.fixed(scene, "talk.rated")
            case Fixed(key=key):
                return self.closing.fixed(scene, key)
            case Many(first=first):
                return self.closing.too_many(scene, first)

    async def _asked(self, scene: Scene, ask: Ask) -> TurnRecord:
        """Answer a question; one that puts an open proposal right drops it, whatever comes of the question."""
        question = ask.question if ask.whole else self._whole(scene, ask.question)
        record = await self._answer(scene, question)
        if ask.drops and record.closed_proposal is None:
            return replace(record, closed_proposal=(ask.drops, "refused"))
        return record

    def _whole(self, scene: Scene, question: str) -> str:
        """Join the answer to our own question back with the question it belongs to; another question stands alone."""
        waiting = scene.situation.question
        if not waiting or not scene.situation.clarified or dialogue.digresses(question):
            return question
        return f"{waiting}\n{question}"

    async def _granted(self, scene: Scene, purpose: str) -> TurnRecord:
        known = self.pack.purposes.get(purpose)
        if known is None:
            return self.closing.fixed(scene, "confirm.none")
        await self._ledger(scene, purpose, granted=True)
        if not scene.situation.question or scene.situation.awaiting != purpose:
            return self.closing.fixed(scene, "consent.granted")
        purposes = consents.live_purposes(self.pack.purposes, scene.situation.purposes | {purpose})
        allowed = replace(scene, caller=replace(scene.caller, purposes=purposes))
        return await self._answer(allowed, scene.situation.question)

    async def _refused(self, scene: Scene, purpose: str) -> TurnRecord:
        if purpose in self.pack.purposes:
            await self._ledger(scene, purpose, granted=False)
        at = scene.situation
        if purpose == consents.EXTERNAL_MODEL and at.awaiting == purpose and at.question:
            # The customer refused a way of answering, not the answer: the house does what it can by itself.
            without = replace(scene, situation=replace(at, refused=at.refused | {purpose}))
            return await self._answer(without, at.question)
        return self.closing.refused(scene)

    async def _ledger(self, scene: Scene, purpose: str, *, granted: bool) -> None:
        row = consents.change(self.pack.purposes[purpose], granted=granted, language=scene.language)

        async def write() -> bool:
            await self.records.consent(scene.turn, row)
            return True

        await scene.steps.run("consent", write, of=bool)

    async def _again(self, scene: Scene, *, short: bool) -> TurnRecord:
        """Say the last answer once more, as it was checked; where that cannot be, ask its question anew."""
        situation = scene.situation
        last = dialogue.last_answer(situation.history)
        if situation.awaiting:
            need = Draft(kind="need", need=situation.awaiting)
            return self.closing.needed(scene, need, question=situation.question)
        if (
            situation.proposal is not None
            and last is not None
            and dialogue.confirms(last, situation.proposal)
        ):
            text = self._confirmation(scene, situation.proposal)
            return self.closing.proposed_again(scene, situation.proposal, text=text)
        asked = dialogue.questions(situation.history)
        before = await self.records.sent(last.turn) if last is not None and last.turn else ()
        sentences = await self._still_live(before)
        if last is None or (len(sentences) < len(before) and asked):
            return await self._answer(scene, asked[-1])
        if self._foreign(scene, last) and asked:
            return await self._translated(scene, asked[-1])
        if not sentences:
            return self.closing.again(scene, last, short=short)
        kept = sentences[: max(1, len(sentences) // 3)] if short else sentences
        if short and kept == sentences:
            return self.closing.fixed(scene, "talk.shortest")
        return await self._stream(scene, kept)

    async def _translated(self, scene: Scene, question: str) -> TurnRecord:
        """Answer a question put in another language; where nobody here translates, ask for it in this one."""
        record = await self._answer(scene, question)
        if isinstance(record.outcome, Escalated) and record.outcome.reason in ("not_sure", "ungrounded"):
            return self.closing.fixed(scene, "talk.other_language")
        return record

    def _foreign(self, scene: Scene, message: Message) -> bool:
        return scene.language != words.detect(
            message.text, languages=self.pack.languages, previous=scene.language
        )

    async def _otherwise(self, scene: Scene, *, again: bool) -> TurnRecord:
        """The answer was of no use: say what else there is to it, else offer a person; the second time, call one."""
        asked = dialogue.questions(scene.situation.history)[-1]
        if again:
            return self.closing.escalated(scene, reason="no_help", question=asked)
        told = dialogue.answers(scene.situation.history)
        used = {citation.passage for message in told for citation in message.citations}
        said = " ".join(message.text for message in told)
        await self._status(scene, "status.searching")
        retrieval = await self._retrieve(scene, asked, without=used)
        try:
            draft = await self._draft(scene, asked, retrieval)
        except WriterFailed as failure:
            return self.closing.escalated(scene, reason="model_failed", question=asked, rejected=str(failure))
        fresh = tuple(sentence for sentence in draft.sentences if sentence.text not in said)
        draft = replace(draft, sentences=fresh)
        if draft.kind != "answer" or draft.proposal is not None or not fresh:
            return self.closing.fixed(scene, "talk.no_other")
        judged = self._judged(scene, asked, retrieval, draft)
        if judged.gate != "send":
            return self.closing.fixed(scene, "talk.no_other")
        return await self._send(scene, draft, judged, question=asked)

    async def _answer(self, scene: Scene, question: str) -> TurnRecord:
        await self._status(scene, "status.searching")
        retrieval = await self._retrieve(scene, question)
        try:
            draft = await self._draft(scene, question, retrieval)
        except WriterFailed as failure:
            return self.closing.escalated(
                scene, reason="model_failed", question=question, rejected=str(failure)
            )
        record = await self._conclude(scene, question, retrieval, draft)
        return replace(record, evidence=tuple(h.passage.id for h in retrieval.hits))

    async def _retrieve(self, scene: Scene, question: str, *, without: Collection[str] = ()) -> Retrieval:
        said = [m.text for m in scene.situation.history if m.author == "customer"]
        earlier = tuple(gist(text, longest=EARLIER) for text in said[-CONTEXT_MESSAGES:])
        scene.watch.end("decide")
        query = Query(gist(question), language=scene.language, k=PASSAGES + len(without), context=earlier)
        found = await scene.steps.run("retrieve", lambda: self.facts.search(query), of=Retrieval)
        scene.watch.end("retrieval")
        if not without:
            return found
        return replace(found, hits=tuple(hit for hit in found.hits if hit.passage.id not in without))

    async def _draft(self, scene: Scene, question: str, retrieval: Retrieval) -> Draft:
        brief = Brief(
            question=as_meant(question, retrieval.understood),
            language=scene.language,
            history=scene.situation.history,
            evidence=evidence_of(retrieval),
            caller=scene.caller,
            refused=scene.situation.refused,
            today=scene.caller.now.date().isoformat(),
            recall=scene.situation.recall,
        )

        async def status(text: str) -> None:
            await self.notices.status(scene.caller.conversation, scene.turn, text)

        draft = await self.writer.write(brief, steps=scene.steps, status=status)
        scene.watch.end("writer", model=draft.model_ms, tools=sum(use.ms for use in draft.tools))
        return draft

    async def _conclude(self, scene: Scene, question: str, retrieval: Retrieval, draft: Draft) -> TurnRecord:
        if draft.kind == "need":
            return self.closing.needed(scene, draft, question=question)
        if draft.proposal is not None:
            return self.closing.proposed(scene, draft, text=self._confirmation(scene, draft.proposal))
        if draft.kind == "clarify" and not scene.situation.clarified:
            spoken = fitting(draft, voice=self.pack.company.voice, language=scene.language).draft
            return self.closing.clarified(scene, spoken, question=question)
        judged = self._judged(scene, question, retrieval, draft)
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
        return await self._send(scene, draft, judged, question=question)

    def _judged(self, scene: Scene, question: str, retrieval: Retrieval, draft: Draft) -> Judged:
        spoken = fitting(draft, voice=self.pack.company.voice, language=scene.language)
        judged = check(
            spoken.draft,
            question=question,
            retrieval=retrieval,
            language=scene.language,
            calibration=self.calibration,
            promise=self.pack.promise,
            similarity=self.similarity,
            earlier=[m.text for m in scene.situation.history if m.author == "customer"],
        )
        scene.watch.end("check")
        return replace(judged, dropped=(*judged.dropped, *spoken.dropped))

    def _confirmation(self, scene: Scene, proposal: Mapping[str, Any]) -> str:
        return self.actions.confirmation(Proposal.from_dict(proposal), scene.language)

    async def _send(self, scene: Scene, draft: Draft, judged: Judged, *, question: str) -> TurnRecord:
        """Stream the verified sentences after the fixed prefix an earlier attempt may have left."""
        sendable = await self._still_live(judged.sentences)
        if not sendable:
            return self.closing.unsure(scene, draft, judged, question=question)
        return await self._stream(scene, sendable, draft, judged)

    async def _stream(
        self,
        scene: Scene,
        sendable: Sequence[Verified],
        draft: Draft | None = None,
        judged: Judged | None = None,
    ) -> TurnRecord:
        left = await self.records.sent(scene.turn)
        for n, sentence in enumerate(sendable):
            if n < len(left):
                continue
            if not await self.records.append(scene.turn, n, sentence, attempt=scene.steps.attempt):
                return self.closing.taken_over(scene, draft, judged)
        scene.watch.end("send")
        said = (*left, *sendable[len(left) :])
        return self.closing.answered(scene, draft, judged, said=said, first_ms=scene.watch.so_far)

    async def _still_live(self, sentences: tuple[Verified, ...]) -> tuple[Verified, ...]:
        """Drop sentences whose passage was retired or replaced since it was found."""
        cited = sorted({c.passage for s in sentences for c in s.citations})
        if not cited:
            return sentences
        live = await self.facts.live(cited)
        return tuple(s for s in sentences if all(c.passage in live for c in s.citations))

    async def _status(self, scene: Scene, key: str) -> None:
        text = self.phrases.say(key, scene.language)
        await self.notices.status(scene.caller.conversation, scene.turn, text)
