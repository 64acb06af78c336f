"""What a turn does with the memory of its customer: shows it, forgets, puts right, keeps. No model, no effect.

```
Show ──────────────────► the notes, each with a button that forgets it
Forget · ForgetAll ────► gone, whatever the consent: nobody needs a permission to be forgotten
Keep ─┬─ nobody we know ───────► who is not known is not remembered
      ├─ special category ─────► refused, and why
      ├─ no fact of a kind ────► refused, and what can be
      ├─ no live consent ──────► Waiting(consent), the request is taken up after the yes
      └─ else ─────────────────► kept
a statement in passing ► kept beside the turn's own answer, where the consent lives
```
The commit keeps nothing where the ledger does not allow it at that moment (`agent.records.notes`).
"""

from collections.abc import Sequence
from dataclasses import replace

from agent.closing import Closing
from agent.domain import Action, Answered, Button, DataUse, Draft, Held, Reply, TurnRecord
from agent.memory import (
    Correct,
    Forget,
    ForgetAll,
    Keep,
    Request,
    Show,
    asked,
    changes,
    may_keep,
    of_ids,
    stated,
)
from agent.notes import PURPOSE, Note, NoteChanges, Stated
from agent.pack import Pack
from agent.policy.frank import heard
from agent.policy.measure import may_offer, mood_of
from agent.privacy.special import special
from agent.scene import Scene, said

MOST_BUTTONS = 8
"""Notes with a button of their own; the others are forgotten by words."""
LONGEST_LABEL = 40


class Remembering:
    """Answers what customers ask of the memory of them, and keeps what they state. Stateless."""

    def __init__(self, *, closing: Closing, pack: Pack) -> None:
        self.closing = closing
        self.pack = pack

    def take(self, scene: Scene, request: Request) -> TurnRecord:
        """Return the record of a request about memory."""
        if PURPOSE not in self.pack.purposes:
            return self._told(scene, "off")
        if scene.caller.customer_id is None or scene.caller.assurance == "anonymous":
            return self._told(scene, "stranger")
        match request:
            case Show():
                return self._shown(scene)
            case Forget(notes=ids):
                return self._forgotten(scene, of_ids(ids, scene.situation.notes))
            case ForgetAll():
                return self._forgotten(scene, scene.situation.notes, all_of_them=True)
            case Correct():
                return self._corrected(scene, request)
            case Keep(what=what):
                return self._kept(scene, what)

    def taken_up(self, scene: Scene, purpose: str) -> TurnRecord | None:
        """Return the record of a request to remember that waited for this consent, None when another one did."""
        request = asked(scene.situation.question, scene.situation.notes) if purpose == PURPOSE else None
        return self.take(scene, request) if isinstance(request, Keep) else None

    def beside(self, scene: Scene, record: TurnRecord) -> TurnRecord:
        """Return the record with what the customer stated in passing.

        Nothing is kept of somebody in trouble, and nothing is read of somebody whose data no program may process.
        """
        silent = isinstance(record.outcome, Held) or scene.situation.restricted
        if record.notes or silent or not may_keep(scene.caller):
            return record
        if not may_offer(mood_of([*map(said, scene.situation.batch)])):
            return record
        facts = [
            (incoming.seq, fact)
            for incoming in scene.situation.batch
            if incoming.action is None
            for fact in stated(said(incoming), terms=self.pack.policy.memory)
        ]
        return self._noted(record, self._changes(scene, facts)) if facts else record

    def _shown(self, scene: Scene) -> TurnRecord:
        notes = scene.situation.notes
        if not notes:
            return self._told(scene, "nothing")
        lines = [self._say(scene, "line", text=note.text, day=note.at) for note in notes]
        reply = Reply(
            text="\n".join((self._say(scene, "shown"), *lines)), buttons=self._buttons(scene, notes)
        )
        return self._noted(self.closing.told(scene, Answered(), reply), NoteChanges())

    def _buttons(self, scene: Scene, notes: Sequence[Note]) -> tuple[Button, ...]:
        each = tuple(
            Button(
                label=self._say(scene, "button", text=_short(note.text)),
                action=Action(kind="forget", target=note.id),
            )
            for note in notes[-MOST_BUTTONS:]
        )
        return (*each, Button(label=self._say(scene, "button_all"), action=Action(kind="forget")))

    def _forgotten(self, scene: Scene, notes: Sequence[Note], *, all_of_them: bool = False) -> TurnRecord:
        if not notes:
            return self._told(scene, "nothing" if all_of_them else "gone")
        gone = NoteChanges(forget=tuple(note.id for note in notes))
        key = "forgotten_all" if all_of_them else "forgotten" if len(notes) == 1 else "forgotten_some"
        return self._noted(self._told(scene, key, text=notes[0].text, count=len(notes)), gone)

    def _corrected(self, scene: Scene, request: Correct) -> TurnRecord:
        (note,) = of_ids([request.note], scene.situation.notes)
        if special(request.text) is not None:
            return self._told(scene, "special")
        if not may_keep(scene.caller):
            return self._asked(scene)
        facts = stated(request.text, terms=self.pack.policy.memory)
        fact = next((one for one in facts if one.kind == note.kind), None)
        if fact is None:
            return self._told(scene, "unfit")
        put_right = self._changes(scene, [(self._seq(scene), fact)], instead=note)
        return self._noted(self._told(scene, "corrected", text=fact.text), put_right)

    def _kept(self, scene: Scene, what: str) -> TurnRecord:
        if special(what) is not None:
            return self._told(scene, "special")
        facts = stated(what, terms=self.pack.policy.memory)
        if not facts:
            return self._told(scene, "unfit")
        if not may_keep(scene.caller):
            return self._asked(scene)
        seq = self._seq(scene)
        done = self._told(scene, "kept", text=facts[0].text, count=len(facts))
        return self._noted(done, self._changes(scene, [(seq, fact) for fact in facts]))

    def _asked(self, scene: Scene) -> TurnRecord:
        words = "\n".join(filter(None, map(said, scene.situation.batch)))
        # What was asked of us beside it is answered above the card, and does not wait with the request.
        return self.closing.needed(scene, Draft(kind="need", need=PURPOSE), question=heard(words).rest)

    def _seq(self, scene: Scene) -> int:
        """Return the number of the message that states the fact: after a consent, the one that waited for it."""
        last = scene.situation.batch[-1]
        waited = scene.situation.question if last.action is not None else ""
        parts = waited.splitlines()
        earlier = (
            m.seq
            for m in reversed(scene.situation.history)
            if waited and (waited in m.text or m.text in parts)
        )
        return next(earlier, last.seq)

    def _changes(
        self, scene: Scene, facts: Sequence[tuple[int, Stated]], *, instead: Note | None = None
    ) -> NoteChanges:
        return changes(
            facts,
            scene.situation.notes,
            language=scene.language,
            now=scene.caller.now,
            terms=self.pack.policy.memory,
            instead=(instead.id,) if instead is not None else (),
        )

    def _noted(self, record: TurnRecord, noted: NoteChanges) -> TurnRecord:
        used = DataUse(what="notes", purpose=PURPOSE)
        return replace(record, notes=noted, data_used=(*record.data_used, used))

    def _told(self, scene: Scene, key: str, **facts: object) -> TurnRecord:
        return self.closing.told(scene, Answered(), Reply(text=self._say(scene, key, **facts)))

    def _say(self, scene: Scene, key: str, **facts: object) -> str:
        return self.closing.phrases.say(f"memory.{key}", scene.language, **facts)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"
