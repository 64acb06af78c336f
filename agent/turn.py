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
What follows `Ask` is `agent.replying`, what is said about the talk itself `agent.retelling`, how sentences leave
`agent.speaking`. Everything with an effect goes through `steps`, so that after a crash a finished effect is not repeated
and the same sentences leave in the same order. Unknown errors are the worker's: it stops the turn and
calls a person (`agent.trouble.in_trouble`).
"""

from collections.abc import Sequence
from dataclasses import replace

from agent import dialogue
from agent import language as words
from agent.closing import Closing
from agent.confidence import Calibration
from agent.domain import Escalated, TurnRecord
from agent.gist import gist
from agent.hygiene import plainly
from agent.pack import Pack
from agent.policy import consent as consents
from agent.policy.proof import discreet
from agent.ports import Actions, Facts, Notices, Records, Similarity, Situation, Steps, Writer
from agent.proving import Identifying, hidden
from agent.recall import remembered
from agent.reception import (
    Again,
    Already,
    Ask,
    CallPerson,
    Code,
    Confirm,
    Danger,
    Drop,
    Fixed,
    Grant,
    Many,
    Move,
    Rated,
    Refuse,
    Resume,
    SendCode,
    Settled,
    Silent,
    Unhelpful,
    receive,
)
from agent.replying import Replying
from agent.retelling import Retelling
from agent.scene import Scene, caller_of, said
from agent.settling import settle
from agent.speaking import Speaking
from agent.stages import Watch
from tools.codes.port import Proofs
from tools.context import TurnId
from tools.phrases import Phrases


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
        proofs: Proofs | None = None,
    ) -> None:
        self.records = records
        self.facts = facts
        self.writer = writer
        self.actions = actions
        self.pack = pack
        self.notices = notices
        self.similarity = similarity
        self.phrases = phrases
        self.closing = Closing(phrases=phrases, pack=pack, scope=actions.scope)
        speaking = Speaking(records=records, facts=facts, closing=self.closing)
        self.replying = Replying(
            facts=facts,
            writer=writer,
            actions=actions,
            phrases=phrases,
            pack=pack,
            notices=notices,
            calibration=calibration,
            similarity=similarity,
            closing=self.closing,
            speaking=speaking,
        )
        self.retelling = Retelling(
            records=records, pack=pack, closing=self.closing, speaking=speaking, replying=self.replying
        )
        self.identifying = (
            Identifying(
                records=records, proofs=proofs, pack=pack, closing=self.closing, replying=self.replying
            )
            if proofs is not None
            else None
        )

    @property
    def calibration(self) -> Calibration:
        """What answers are judged by; it may be exchanged between turns."""
        return self.replying.calibration

    @calibration.setter
    def calibration(self, calibration: Calibration) -> None:
        self.replying.calibration = calibration

    async def run(self, turn: TurnId, *, steps: Steps, waited: float = 0.0) -> TurnRecord:
        """Decide the turn, send what may be sent, commit its record, return it. `waited`: ms before it began."""
        scene, text = await self._scene(turn, steps, Watch(waited=waited))
        record = await self._decide(scene, text)
        kept = remembered(scene.situation.recall, scene.situation.batch, history=scene.situation.history)
        failed = isinstance(record.outcome, Escalated) and record.outcome.reason == "model_failed"
        scene.watch.end("model" if failed else "close")
        record = replace(record, recall=kept, ms={**record.ms, **scene.watch.ms()})
        # No step: it is one transaction that happens once by itself, and a step would cost another.
        await self.records.commit(record, attempt=steps.attempt)
        return record

    async def ahead(self, said: Sequence[str]) -> None:
        """Prepare the search for messages that wait for their turn, while more may come."""
        # A code or a contact is nothing to search for, and an encoder may be another company's.
        plain = [text for text in said if discreet(text, "code") == text]
        if plain:
            await self.facts.expect(gist("\n".join(plain)))

    async def _scene(self, turn: TurnId, steps: Steps, watch: Watch) -> tuple[Scene, str]:
        """Return the scene, and the customer's words as they were written: in the scene codes and contacts are hidden."""
        situation = await steps.run("situation", lambda: self.records.situation(turn), of=Situation)
        watch.end("situation")
        situation = replace(
            situation, batch=tuple(replace(each, text=plainly(each.text)) for each in situation.batch)
        )
        text = _text(situation)
        situation = hidden(situation)
        language = situation.conversation.language
        for incoming in situation.batch:
            if situation.proving and len(incoming.text.split()) < 2:
                # A contact or a code is in no language.
                continue
            language = words.detect(incoming.text, languages=self.pack.languages, previous=language)
        scene = Scene(
            turn=turn,
            situation=situation,
            language=language,
            caller=caller_of(situation, turn=turn, language=language, pack=self.pack),
            steps=steps,
            watch=watch,
        )
        return scene, text

    async def _decide(self, scene: Scene, text: str) -> TurnRecord:
        move = receive(scene.situation, text)
        if isinstance(move, SendCode | Code) and self.identifying is not None:
            return await self.identifying.take(scene, move)
        plain = _text(scene.situation)
        if plain != text and not isinstance(move, Fixed):
            # From here on nobody sees what was hidden, whatever the message is about.
            move = receive(scene.situation, plain)
        if isinstance(move, SendCode | Code):
            # This company sends no codes.
            move = Ask(question=plain) if plain else Fixed(key="talk.empty")
        return await self._settled(scene, move, plain)

    async def _settled(self, scene: Scene, move: Move, text: str) -> TurnRecord:
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
                    scene,
                    move,
                    actions=self.actions,
                    closing=self.closing,
                    notices=self.notices,
                    records=self.records,
                )
            case Again(short=short):
                return await self.retelling.again(scene, short=short)
            case Unhelpful(again=again):
                return await self.retelling.otherwise(scene, again=again)
            case Ask():
                return await self._asked(scene, move)
            case SendCode() | Code():
                raise TypeError("A code is settled before.")
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
        record = await self.replying.answer(scene, question)
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
        return await self.replying.answer(allowed, scene.situation.question)

    async def _refused(self, scene: Scene, purpose: str) -> TurnRecord:
        if purpose in self.pack.purposes:
            await self._ledger(scene, purpose, granted=False)
        at = scene.situation
        if purpose == consents.EXTERNAL_MODEL and at.awaiting == purpose and at.question:
            # The customer refused a way of answering, not the answer: the house does what it can by itself.
            without = replace(scene, situation=replace(at, refused=at.refused | {purpose}))
            return await self.replying.answer(without, at.question)
        return self.closing.refused(scene)

    async def _ledger(self, scene: Scene, purpose: str, *, granted: bool) -> None:
        row = consents.change(self.pack.purposes[purpose], granted=granted, language=scene.language)

        async def write() -> bool:
            await self.records.consent(scene.turn, row)
            return True

        await scene.steps.run("consent", write, of=bool)


def _text(situation: Situation) -> str:
    return "\n".join(said(incoming) for incoming in situation.batch).strip()
