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
calls a person (`agent.closing.in_trouble`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from agent import language as words
from agent.answering import Judged, check, evidence_of
from agent.closing import Closing
from agent.confidence import Calibration
from agent.domain import Draft, TurnRecord, Verified
from agent.errors import WriterFailed
from agent.gist import EARLIER, gist
from agent.pack import Pack
from agent.policy import consent as consents
from agent.ports import Actions, Brief, Facts, Notices, Records, Similarity, Situation, Steps, Writer
from agent.reception import (
    Already,
    Ask,
    CallPerson,
    Confirm,
    Drop,
    Fixed,
    Grant,
    Rated,
    Refuse,
    Resume,
    Silent,
    receive,
)
from agent.scene import Scene
from agent.settling import settle
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

    async def run(self, turn: TurnId, *, steps: Steps) -> TurnRecord:
        """Decide the turn, send what may be sent, and commit its record. Returns the record."""
        scene = await self._scene(turn, steps)
        record = await self._decide(scene)
        record = replace(record, ms={**record.ms, "total": _ms(scene.began)})
        await steps.run("commit", lambda: self.records.commit(record, attempt=steps.attempt), of=bool)
        return record

    async def ahead(self, said: Sequence[str]) -> None:
        """Prepare the search for messages that wait for their turn, while more may come."""
        await self.facts.expect(gist("\n".join(said)))

    async def _scene(self, turn: TurnId, steps: Steps) -> Scene:
        began = perf_counter()
        situation = await steps.run("situation", lambda: self.records.situation(turn), of=Situation)
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
            turn=turn, situation=situation, language=language, caller=caller, steps=steps, began=began
        )

    async def _decide(self, scene: Scene) -> TurnRecord:
        text = "\n".join(_said(incoming.text, incoming.action) for incoming in scene.situation.batch).strip()
        move = receive(scene.situation, text)
        match move:
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
            case Ask(question=question):
                return await self._answer(scene, self._whole(scene, question))
            case _:
                return self._at_once(scene, move)

    def _at_once(self, scene: Scene, move: Silent | Already | Resume | Rated | Fixed) -> TurnRecord:
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

    def _whole(self, scene: Scene, question: str) -> str:
        """Join the answer to our own question back with the question it belongs to."""
        waiting = scene.situation.question
        return f"{waiting}\n{question}" if waiting and scene.situation.clarified else question

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

    async def _answer(self, scene: Scene, question: str) -> TurnRecord:
        await self._status(scene, "status.searching")
        retrieval = await self._retrieve(scene, question)
        searched = _ms(scene.began)
        try:
            draft = await self._draft(scene, question, retrieval)
        except WriterFailed as failure:
            return self.closing.escalated(
                scene, reason="model_failed", question=question, rejected=str(failure)
            )
        record = await self._conclude(scene, question, retrieval, draft)
        ms = {"retrieval": searched, "model": draft.ms}
        return replace(record, ms={**ms, **record.ms}, evidence=tuple(h.passage.id for h in retrieval.hits))

    async def _retrieve(self, scene: Scene, question: str) -> Retrieval:
        said = [m.text for m in scene.situation.history if m.author == "customer"]
        earlier = tuple(gist(text, longest=EARLIER) for text in said[-CONTEXT_MESSAGES:])
        query = Query(gist(question), language=scene.language, k=PASSAGES, context=earlier)
        return await scene.steps.run("retrieve", lambda: self.facts.search(query), of=Retrieval)

    async def _draft(self, scene: Scene, question: str, retrieval: Retrieval) -> Draft:
        brief = Brief(
            question=_as_meant(question, retrieval.understood),
            language=scene.language,
            history=scene.situation.history,
            evidence=evidence_of(retrieval),
            caller=scene.caller,
            refused=scene.situation.refused,
            today=scene.caller.now.date().isoformat(),
        )

        async def status(text: str) -> None:
            await self.notices.status(scene.caller.conversation, scene.turn, text)

        return await self.writer.write(brief, steps=scene.steps, status=status)

    async def _conclude(self, scene: Scene, question: str, retrieval: Retrieval, draft: Draft) -> TurnRecord:
        if draft.kind == "need":
            return self.closing.needed(scene, draft, question=question)
        if draft.proposal is not None:
            return self.closing.proposed(scene, draft, text=self._confirmation(scene, draft.proposal))
        if draft.kind == "clarify" and not scene.situation.clarified:
            return self.closing.clarified(scene, draft, question=question)
        judged = check(
            draft,
            question=question,
            retrieval=retrieval,
            language=scene.language,
            calibration=self.calibration,
            promise=self.pack.promise,
            similarity=self.similarity,
            forbidden=self.pack.company.voice.forbidden,
            earlier=[m.text for m in scene.situation.history if m.author == "customer"],
        )
        if judged.gate == "decline":
            return self.closing.declined(scene, draft, judged)
        if judged.gate == "escalate":
            purpose = consents.worth_asking(scene.situation, draft)
            if purpose:
                return self.closing.needed(scene, replace(draft, need=purpose), question=question)
            return self.closing.unsure(scene, draft, judged, question=question)
        return await self._send(scene, draft, judged, question=question)

    def _confirmation(self, scene: Scene, proposal: Mapping[str, Any]) -> str:
        return self.actions.confirmation(Proposal.from_dict(proposal), scene.language)

    async def _send(self, scene: Scene, draft: Draft, judged: Judged, *, question: str) -> TurnRecord:
        """Stream the verified sentences after the fixed prefix an earlier attempt may have left."""
        sendable = await self._still_live(judged.sentences)
        if not sendable:
            return self.closing.unsure(scene, draft, judged, question=question)
        left = await self.records.sent(scene.turn)
        for n, sentence in enumerate(sendable):
            if n < len(left):
                continue
            if not await self.records.append(scene.turn, n, sentence, attempt=scene.steps.attempt):
                return self.closing.taken_over(scene, draft, judged)
        said = (*left, *sendable[len(left) :])
        return self.closing.answered(scene, draft, judged, said=said, first_ms=_ms(scene.began))

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


def _as_meant(question: str, understood: str) -> str:
    """Return the question in readable letters: a wrong keyboard layout or transliteration repaired by the search."""
    as_typed = " ".join(gist(question).split())
    repaired = len(understood) >= len(as_typed) // 2 and not set(understood.split()) <= set(as_typed.split())
    return understood if repaired else question


def _said(text: str, action: Any) -> str:
    return action.target if action is not None and action.kind == "say" and not text else text


def _ms(since: float) -> float:
    return round((perf_counter() - since) * 1000, 2)
