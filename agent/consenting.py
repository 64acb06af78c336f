"""What the customer says of their consent: given, refused, taken back; and buttons that no longer mean anything.

```
Grant ─┬─ the words shown are the pack's, nothing was chosen since ─► a row ─► the waiting question is taken up
       └─ a stale button ──────────────────────────────────────────► the same question in today's words
Refuse ──────────────────────────────────────────────────────────► a row ─► on without it
Withdraw ────────────────────────────────────────────────────────► rows, at once, whoever holds the conversation
Late ────────────────────────────────────────────────────────────► a person has it: the button does nothing
```
"""

from collections.abc import Sequence
from dataclasses import replace

from agent.closing import Closing
from agent.domain import Answered, ConsentChange, Draft, Held, Message, Reply, TurnRecord
from agent.moves import Withdraw
from agent.outgoing import outgoing
from agent.pack import Pack
from agent.policy import consent as consents
from agent.ports import Actions, Records
from agent.remembering import Remembering
from agent.replying import Replying
from agent.scene import Scene
from agent.terms import Purpose
from agent.withdrawal import meant
from tools.context import Language


class Consenting:
    """Settles consents without a model. Stateless."""

    def __init__(
        self,
        *,
        records: Records,
        pack: Pack,
        actions: Actions,
        closing: Closing,
        replying: Replying,
        remembering: Remembering,
    ) -> None:
        self.records = records
        self.pack = pack
        self.actions = actions
        self.closing = closing
        self.replying = replying
        self.remembering = remembering

    async def granted(self, scene: Scene, name: str) -> TurnRecord:
        """Write down a yes to the words that were shown, and take up the question that waits for it."""
        purpose, at = self.pack.purposes.get(name), scene.situation
        if purpose is None:
            return self.closing.fixed(scene, "confirm.none")
        if name not in at.purposes:
            language = self._shown(scene, purpose)
            if language is None:
                return self._anew(scene, purpose)
            await self._write(scene, consents.change(purpose, granted=True, language=language))
            scene.tally.allow(await self.records.granted(scene.turn))
        if not at.question or at.awaiting != name:
            return self.closing.fixed(scene, "consent.granted")
        allowed = replace(scene, caller=replace(scene.caller, purposes=scene.caller.purposes | {name}))
        waited = self.remembering.taken_up(allowed, name)
        return waited if waited is not None else await self.replying.answer(allowed, at.question)

    async def refused(self, scene: Scene, name: str) -> TurnRecord:
        """Write down a no; it is never too late for one."""
        purpose, at = self.pack.purposes.get(name), scene.situation
        if purpose is not None:
            language = self._shown(scene, purpose) or scene.language
            await self._write(scene, consents.change(purpose, granted=False, language=language))
        if name == consents.EXTERNAL_MODEL and at.awaiting == name and at.question:
            # The customer refused a way of answering, not the answer: the house does what it can by itself.
            without = replace(scene, situation=replace(at, refused=at.refused | {name}))
            return await self.replying.answer(without, at.question)
        return self.closing.refused(scene)

    async def withdrawn(self, scene: Scene, move: Withdraw) -> TurnRecord:
        """Stop what is named, or everything, and say so in a sentence."""
        at, purposes = scene.situation, self.pack.purposes
        names = meant(move.matters, purposes, live=at.purposes)
        changes = [consents.change(purposes[name], granted=False, language=scene.language) for name in names]
        if changes:
            await self._write(scene, *changes)
        held = at.conversation.holder in ("queued", "person")
        record = self.closing.told(
            scene, Held() if held else Answered(), Reply(text=self._stopped(scene, names))
        )
        proposal = at.proposal
        if proposal is not None and self.actions.scope(str(proposal["tool"])) in names:
            return replace(record, closed_proposal=(str(proposal["id"]), "refused"))
        return record

    def late(self, scene: Scene) -> TurnRecord:
        """A button of the assistant's, pressed while a person has the conversation."""
        return self.closing.told(
            scene, Held(), Reply(text=self.closing.phrases.say("consent.late", scene.language))
        )

    def _stopped(self, scene: Scene, names: Sequence[str]) -> str:
        say, language = self.closing.phrases.say, scene.language
        if not names:
            return say("consent.nothing", language)
        # What was not allowed anyway is written down too; told is what the customer will notice.
        live = [name for name in names if name in scene.situation.purposes]
        stops = [self.pack.purposes[name].stops.get(language, "") for name in live or names]
        told = dict.fromkeys(words or say("consent.stops", language) for words in stops)
        return say("consent.withdrawn", language, stopped=", ".join(told))

    def _anew(self, scene: Scene, purpose: Purpose) -> TurnRecord:
        at = scene.situation
        waits = at.question if at.awaiting == purpose.name else ""
        record = self.closing.needed(scene, Draft(kind="need", need=purpose.name), question=waits)
        *before, card = record.replies
        stale = Reply(text=self.closing.phrases.say("consent.stale", scene.language))
        return replace(record, replies=(*before, stale, card))

    def _shown(self, scene: Scene, purpose: Purpose) -> Language | None:
        """Return the language of the words the answer is to, None where they are no longer the pack's or are over."""
        card = _card(scene.situation.history, purpose.name)
        last = scene.situation.chosen.get(purpose.name)
        if card is None:
            # Whoever opens a conversation by the API is given the texts of the moment, and shows them by themselves.
            return scene.language if purpose.name not in scene.situation.asked else None
        if last is not None and card.at < last:
            return None
        shown = {
            outgoing(Reply(text=words), hosts=self.pack.hosts).text: language
            for language, words in purpose.text.items()
        }
        return shown.get(card.text)

    async def _write(self, scene: Scene, *changes: ConsentChange) -> None:
        async def write() -> bool:
            await self.records.consent(scene.turn, *changes)
            return True

        await scene.steps.run("consent", write, of=bool)


def _card(history: Sequence[Message], purpose: str) -> Message | None:
    """Return the last message that asked for the purpose."""
    asked = (
        message
        for message in reversed(history)
        for button in message.buttons
        if button.action.kind == "consent" and button.action.target == purpose
    )
    return next(asked, None)
