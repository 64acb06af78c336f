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
from agent.consenting import Consenting
from agent.domain import Escalated, TurnRecord
from agent.forgetting import Forgetting
from agent.gate import Gate
from agent.gist import gist
from agent.hygiene import plainly
from agent.itemising import itemised, uses
from agent.memory import Correct, Forget, ForgetAll, Keep, Show
from agent.moves import (
    Again,
    Already,
    Ask,
    CallPerson,
    Code,
    Conditional,
    Confirm,
    Danger,
    Drop,
    Erase,
    Explain,
    Fixed,
    Grant,
    Late,
    Many,
    Move,
    Named,
    Proof,
    Rated,
    Reach,
    Refuse,
    Resume,
    SendCode,
    Settled,
    Silent,
    Unhelpful,
    Withdraw,
)
from agent.pack import Pack
from agent.policy.proof import discreet
from agent.ports import Actions, Facts, Notices, Records, Similarity, Situation, Steps, Writer
from agent.proving import Identifying, hidden
from agent.recall import remembered
from agent.reception import hear, receive
from agent.remembering import Remembering
from agent.replying import Replying
from agent.retelling import Retelling
from agent.scene import Scene, caller_of, said
from agent.settling import settle
from agent.speaking import Speaking
from agent.stages import Watch
from tools.codes.port import Knowing, Proofs
from tools.contacts import without_contacts
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
        knowing: Knowing | None = None,
        outside: bool = True,
    ) -> None:
        """`outside`: whether a search may give words to an encoder outside the company, so that leave must be asked."""
        self.records = records
        self.facts = facts
        self.writer = writer
        self.actions = actions
        self.pack = pack
        self.notices = notices
        self.closing = Closing(phrases=phrases, pack=pack)
        speaking = Speaking(records=records, facts=facts, closing=self.closing)
        self.replying = Replying(
            facts=facts,
            gate=Gate(records, pack.purposes),
            outside=outside,
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
        self.remembering = Remembering(closing=self.closing, pack=pack)
        self.consenting = Consenting(
            records=records,
            pack=pack,
            actions=actions,
            closing=self.closing,
            replying=self.replying,
            remembering=self.remembering,
        )
        self.forgetting = Forgetting(records=records, closing=self.closing)
        self.identifying = Identifying(
            records=records,
            proofs=proofs,
            knowing=knowing,
            pack=pack,
            closing=self.closing,
            replying=self.replying,
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
        record = self.remembering.beside(scene, await self._decide(scene, text))
        at = scene.situation
        kept = at.recall if at.restricted else remembered(at.recall, at.batch, history=at.history)
        failed = isinstance(record.outcome, Escalated) and record.outcome.reason == "model_failed"
        scene.watch.end("model" if failed else "close")
        record = replace(record, recall=kept, ms={**record.ms, **scene.watch.ms()})
        record = self._with_receipt(scene, record)
        # No step: it is one transaction that happens once by itself, and a step would cost another.
        await self.records.commit(record, attempt=steps.attempt)
        return record

    def _with_receipt(self, scene: Scene, record: TurnRecord) -> TurnRecord:
        receipt = itemised(
            record,
            scene.tally,
            purposes=self.pack.purposes,
            scope=self.actions.scope,
            before=scene.situation.recall,
            at=scene.caller.now,
        )
        return replace(record, receipt=receipt, data_used=uses(receipt, purposes=self.pack.purposes))

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
            bare = not any(map(str.isalpha, without_contacts(incoming.text)))
            if bare or (situation.proving and len(incoming.text.split()) < 2):
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
        scene.tally.allow(situation.granted)
        return scene, text

    async def _decide(self, scene: Scene, text: str) -> TurnRecord:
        if scene.situation.restricted:
            return self._in_rest(scene)
        heard = hear(scene.situation, text)
        if heard.asks and not heard.rest:
            return self.closing.fixed(scene, f"disclosure.alone.{heard.named}")
        scene = replace(scene, frank=heard.named if heard.asks else None)
        move = receive(scene.situation, heard.rest)
        if isinstance(move, Proof) and self.identifying.hears(move):
            return await self.identifying.take(scene, move)
        plain = _text(scene.situation)
        if plain != text and not isinstance(move, Fixed):
            # From here on nobody sees what was hidden, whatever the message is about.
            move = receive(scene.situation, hear(scene.situation, plain).rest)
        if isinstance(move, Proof):
            # Nothing of the kind counts in this company.
            move = Ask(question=plain) if plain else Fixed(key="talk.empty")
        return await self._settled(scene, move, plain)

    def _in_rest(self, scene: Scene) -> TurnRecord:
        """Nothing of what was written is read: a person gets it, and the customer is told that once."""
        if scene.situation.conversation.holder in ("queued", "person"):
            return self.closing.held(scene)
        return self.closing.escalated(scene, reason="restricted", question=_text(scene.situation))

    async def _settled(self, scene: Scene, move: Move, text: str) -> TurnRecord:
        match move:
            case Danger(kind=kind):
                return self.closing.in_danger(scene, kind, question=text)
            case CallPerson(reason=reason):
                return self.closing.escalated(scene, reason=reason, question=text)
            case Grant() | Refuse() | Withdraw() | Late():
                return await self._consented(scene, move)
            case Confirm() | Drop():
                return await settle(
                    scene,
                    move,
                    actions=self.actions,
                    closing=self.closing,
                    notices=self.notices,
                    records=self.records,
                )
            case Erase():
                return await self.forgetting.take(scene, move, text=text)
            case Again() | Unhelpful() | Conditional() | Explain():
                return await self._told_anew(scene, move)
            case Show() | Forget() | ForgetAll() | Keep() | Correct():
                return self.remembering.take(scene, move)
            case Ask():
                return await self._asked(scene, move)
            case SendCode() | Code() | Named():
                raise TypeError("A proof is settled before.")
            case _:
                return self._at_once(scene, move)

    async def _consented(self, scene: Scene, move: Grant | Refuse | Withdraw | Late) -> TurnRecord:
        match move:
            case Grant(purpose=purpose):
                return await self.consenting.granted(scene, purpose)
            case Refuse(purpose=purpose):
                return await self.consenting.refused(scene, purpose)
            case Withdraw():
                return await self.consenting.withdrawn(scene, move)
            case Late():
                return self.consenting.late(scene)

    async def _told_anew(self, scene: Scene, move: Again | Unhelpful | Conditional | Explain) -> TurnRecord:
        match move:
            case Explain():
                return await self.retelling.explained(scene)
            case Again(short=short):
                return await self.retelling.again(scene, short=short)
            case Unhelpful(again=again):
                return await self.retelling.otherwise(scene, again=again)
            case Conditional():
                return self.retelling.unconditionally(scene)

    def _at_once(self, scene: Scene, move: Settled) -> TurnRecord:
        match move:
            case Silent():
                return self.closing.held(scene)
            case Already():
                return self.closing.already(scene)
            case Resume():
                return self.closing.resumed(scene)
            case Reach(contact=contact):
                return self.closing.reached(scene, contact)
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


def _text(situation: Situation) -> str:
    return "\n".join(said(incoming) for incoming in situation.batch).strip()
