"""What is said about the talk itself: the last answer once more, in another language, or another one instead."""

from dataclasses import replace

from agent import dialogue
from agent import language as words
from agent.closing import Closing
from agent.domain import Draft, Escalated, Message, Reply, TurnRecord
from agent.errors import WriterFailed
from agent.itemising import receipt_of
from agent.pack import Pack
from agent.ports import Records
from agent.receipt import Receipt
from agent.receipt_words import Reciting
from agent.replying import Replying
from agent.scene import Scene
from agent.speaking import Speaking
from tools.proposal import Proposal

LOOKED_BACK = 6
"""Turns among which the last answer that rests on something is looked for: thanks and greetings rest on nothing."""


class Retelling:
    """Answers messages about an answer. Stateless."""

    def __init__(
        self, *, records: Records, pack: Pack, closing: Closing, speaking: Speaking, replying: Replying
    ) -> None:
        self.records = records
        self.pack = pack
        self.closing = closing
        self.speaking = speaking
        self.replying = replying

    async def again(self, scene: Scene, *, short: bool) -> TurnRecord:
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
            text = self.replying.confirmation(scene, situation.proposal)
            return self.closing.proposed_again(scene, situation.proposal, text=text)
        asked = dialogue.questions(situation.history)
        before = await self.records.sent(last.turn) if last is not None and last.turn else ()
        sentences = await self.speaking.still_live(before)
        if last is None or (len(sentences) < len(before) and asked):
            return await self.replying.answer(scene, asked[-1])
        if self._foreign(scene, last) and asked:
            return await self._translated(scene, asked[-1])
        if not sentences:
            return self.closing.again(scene, last, short=short)
        kept = sentences[: max(1, len(sentences) // 3)] if short else sentences
        if short and kept == sentences:
            return self.closing.fixed(scene, "talk.shortest")
        return await self.speaking.stream(scene, kept)

    async def _translated(self, scene: Scene, question: str) -> TurnRecord:
        """Answer a question put in another language; where nobody here translates, ask for it in this one."""
        record = await self.replying.answer(scene, question)
        ended = record.outcome
        if isinstance(ended, Escalated) and not ended.partial and ended.reason in ("not_sure", "ungrounded"):
            return self.closing.fixed(scene, "talk.other_language")
        return record

    def unconditionally(self, scene: Scene) -> TurnRecord:
        """The customer agreed on a condition: say that it takes a plain yes, and put the same proposal again."""
        proposal = scene.situation.proposal
        if proposal is None:
            return self.closing.fixed(scene, "confirm.none")
        say = self.closing.phrases.say
        offered = Proposal.from_dict(proposal)
        if scene.caller.now >= offered.expires:
            gone = say("confirm.expired", scene.language)
            return self.closing.settled(scene, gone, closed=(offered.id, "expired"))
        text = self.replying.confirmation(scene, proposal)
        record = self.closing.proposed_again(scene, proposal, text=text)
        # A message of its own: the words a yes may echo are those of the proposal alone.
        why = Reply(text=say("confirm.plainly", scene.language))
        return replace(record, replies=(why, *record.replies))

    def _foreign(self, scene: Scene, message: Message) -> bool:
        return scene.language != words.detect(
            message.text, languages=self.pack.languages, previous=scene.language
        )

    async def explained(self, scene: Scene) -> TurnRecord:
        """Say what the last answer was made of, from its receipt alone."""
        receipt = await self._last_receipt(scene)
        phrases, language = self.closing.phrases, scene.language
        if receipt is None:
            return self.closing.explained(scene, phrases.say("receipt.nothing_yet", language))
        return self.closing.explained(scene, Reciting(receipt, phrases=phrases, language=language).answer())

    async def _last_receipt(self, scene: Scene) -> Receipt | None:
        """Return the receipt of the last answer that rests on something; of the last one at all where none does."""
        turns = [m.turn for m in reversed(scene.situation.history) if m.author == "ai" and m.turn is not None]
        first: Receipt | None = None
        for turn in [*dict.fromkeys(turns)][:LOOKED_BACK]:
            record = await self.records.receipt(scene.caller.conversation, turn)
            if record is None or record.path == "receipt":
                continue
            receipt = receipt_of(record)
            if not receipt.empty:
                return receipt
            first = first or receipt
        return first

    async def otherwise(self, scene: Scene, *, again: bool) -> TurnRecord:
        """The answer was of no use: say what else there is to it, else offer a person; the second time, call one."""
        asked = dialogue.questions(scene.situation.history)[-1]
        if again:
            return self.closing.escalated(scene, reason="no_help", question=asked)
        told = dialogue.answers(scene.situation.history)
        used = {citation.passage for message in told for citation in message.citations}
        said = " ".join(message.text for message in told)
        await self.replying.status(scene, "status.searching")
        retrieval = await self.replying.retrieve(scene, asked, without=used)
        try:
            draft = await self.replying.draft(scene, asked, retrieval)
        except WriterFailed as failure:
            return self.closing.escalated(scene, reason="model_failed", question=asked, rejected=str(failure))
        fresh = tuple(sentence for sentence in draft.sentences if sentence.text not in said)
        draft = replace(draft, sentences=fresh)
        missed = self.replying.missed(scene, draft)
        if missed and draft.kind == "answer" and draft.proposal is None:
            return await self.replying.partly(scene, asked, retrieval, draft, missed)
        if draft.kind != "answer" or draft.proposal is not None or not fresh:
            return self.closing.fixed(scene, "talk.no_other")
        judged = self.replying.judged(scene, asked, retrieval, draft)
        if judged.gate != "send":
            return self.closing.fixed(scene, "talk.no_other")
        return await self.speaking.send(scene, draft, judged, question=asked)
