"""Identity by one-time code, or by name and postcode, inside the conversation: these turns run without a model.

```
"send me a code" ─┬─ known already, nothing waits ─► "you are known"
                  ├─ the conversation is somebody's ─► code to the contact on file
                  ├─ a contact stands beside it ─────► code, if the contact is anybody's
                  └─ neither ────────────────────────► Waiting(contact)
a contact ───────────────────────────────────────────► Waiting(code), the same words for known and unknown
six digits ─► verify ─┬─ Verified ─► the conversation is theirs ─► the request that waited
                      └─ Refused ──► Waiting(code)
name, postcode ──────────► verify ─┬─ Verified ─► as above, as sure as the company says
                                   └─ Refused ──► Waiting(name), the same words for every wrong one
```
The contact, the name and the code stay in this file: what goes on from here has them hidden (`agent.policy.proof`).
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from agent.closing import Closing
from agent.domain import Action, Answered, Button, Clarify, Outcome, Proving, Reply, TurnRecord, Waiting
from agent.moves import Code, Named, Proof, SendCode
from agent.pack import Pack
from agent.policy.proof import discreet
from agent.policy.standing import SURE, after_code
from agent.ports import Records, Situation
from agent.replying import Replying
from agent.scene import Scene, caller_of
from tools.codes.port import Knowing, Proofs
from tools.contacts import Contact
from tools.context import Assurance
from tools.errors import Unavailable
from tools.identity import ByName, Refused, RefusedFor, Verified

NAMED: Mapping[RefusedFor, str] = {
    "wrong": "no_match",
    "locked": "name_locked",
    "too_many": "name_locked",
    "off": "name_off",
}
"""Which words a refused claim by name gets, where they are not those of a code."""


class Identifying:
    """Finds out who the customer is, by what this company counts. Stateless."""

    def __init__(
        self,
        *,
        records: Records,
        proofs: Proofs | None,
        knowing: Knowing | None,
        pack: Pack,
        closing: Closing,
        replying: Replying,
    ) -> None:
        self.records = records
        self.proofs = proofs
        self.knowing = knowing
        self.pack = pack
        self.closing = closing
        self.replying = replying

    def hears(self, move: Proof) -> bool:
        """Tell whether a proof of this kind counts here."""
        return (self.knowing if isinstance(move, Named) else self.proofs) is not None

    async def take(self, scene: Scene, move: Proof) -> TurnRecord:
        """Go one step on the way to knowing who the customer is."""
        match move:
            case SendCode() if self.proofs is not None:
                return await self.asked(scene, move, self.proofs)
            case Code() if self.proofs is not None:
                return await self.told(scene, move, self.proofs)
            case Named() if self.knowing is not None:
                return await self.named(scene, move, self.knowing)
            case _:
                raise TypeError("Nothing of the kind counts here; `hears` tells.")

    async def named(self, scene: Scene, move: Named, knowing: Knowing) -> TurnRecord:
        """Hear a claim by name and postcode; the customer it is true of is bound as for a code, and less surely."""
        if scene.caller.customer_id is not None:
            return self.closing.fixed(scene, "identity.known")
        if not move.name:
            return self._ended(scene, "identity.name_again", Waiting(what="name"), proving="name")

        async def check() -> dict[str, Any]:
            try:
                answer = await knowing.claim(ByName(name=move.name, postcode=move.postcode), scene.caller)
            except Unavailable:
                answer = Refused(reason="unavailable")
            return _told(answer)

        found: dict[str, Any] = await scene.steps.run("claim", check, of=dict[str, Any])
        scene.tally.proved("name", "postcode")
        if "reason" in found:
            again = found["reason"] == "wrong"
            outcome: Outcome = Waiting(what="name") if again else Clarify()
            minutes = _minutes(found["until"], scene.caller.now)
            key = f"identity.{NAMED.get(found['reason'], found['reason'])}"
            return self._ended(scene, key, outcome, proving="name" if again else "", minutes=minutes)
        level = self.pack.policy.assurance.knowledge.level
        known = await self._known(scene, Verified(**found), assurance=level)
        return await self._welcomed(known, scene.situation.parked, proving="")

    async def asked(self, scene: Scene, move: SendCode, proofs: Proofs) -> TurnRecord:
        """Send a code, or ask where the customer can be found in the register."""
        caller, situation = scene.caller, scene.situation
        if caller.assurance in SURE and not situation.parked:
            return self.closing.fixed(scene, "identity.known")
        if caller.customer_id is None and move.contact is None:
            key = "identity.ask_again" if move.again else "identity.ask"
            return self._ended(scene, key, Waiting(what="contact"), proving="contact")
        return await self._send(scene, None if caller.customer_id is not None else move.contact, proofs)

    async def _send(self, scene: Scene, contact: Contact | None, proofs: Proofs) -> TurnRecord:
        async def send() -> dict[str, Any]:
            try:
                answer = await proofs.send(contact, scene.caller)
            except Unavailable:
                answer = Refused(reason="unavailable")
            return _told(answer)

        sent: dict[str, Any] = await scene.steps.run("code", send, of=dict[str, Any])
        scene.tally.proved("contact")
        if "reason" in sent:
            return self._refused(scene, sent)
        key = "identity.sent_home" if contact is None else "identity.sent"
        return self._ended(
            scene, key, Waiting(what="code"), proving="code", again=True, minutes=sent["minutes"]
        )

    async def told(self, scene: Scene, move: Code, proofs: Proofs) -> TurnRecord:
        """Take the code; the customer it proves is bound to the conversation before anything else happens."""

        async def check() -> dict[str, Any]:
            try:
                answer = await proofs.check(move.digits, scene.caller)
            except Unavailable:
                answer = Refused(reason="unavailable")
            return _told(answer)

        found: dict[str, Any] = await scene.steps.run("verify", check, of=dict[str, Any])
        if "reason" in found:
            return self._refused(scene, found)
        known = await self._known(scene, Verified(**found), assurance=after_code(scene.caller.assurance))
        return await self._welcomed(known, scene.situation.parked or move.rest, proving="proved")

    async def _welcomed(self, known: Scene, question: str, *, proving: Proving) -> TurnRecord:
        """Go on with the request that waited, as the customer."""
        if not question:
            return self._ended(known, "identity.done_alone", Answered(), proving=proving, parked="")
        record = await self.replying.answer(known, question)
        done = Reply(text=self.closing.phrases.say("identity.done", known.language))
        return replace(record, replies=(done, *record.replies), proving=proving, parked=record.parked)

    async def _known(self, scene: Scene, verified: Verified, *, assurance: Assurance) -> Scene:
        """Bind the conversation, and see it as the customer's own: with what they allowed before."""

        async def bind() -> bool:
            await self.records.identify(scene.turn, verified.customer, assurance)
            return True

        await scene.steps.run("identify", bind, of=bool)
        read = await scene.steps.run(
            "situation:known", lambda: self.records.situation(scene.turn), of=Situation
        )
        at = hidden(read)
        scene.tally.allow(at.granted)
        caller = caller_of(at, turn=scene.turn, language=scene.language, pack=self.pack)
        return replace(scene, situation=at, caller=caller)

    def _refused(self, scene: Scene, refused: dict[str, Any]) -> TurnRecord:
        """Say why not; an open code stays open, and the request goes on waiting."""
        waits = scene.situation.proving == "code"
        outcome: Outcome = Waiting(what="code") if waits else Clarify()
        return self._ended(
            scene,
            f"identity.{refused['reason']}",
            outcome,
            proving="code" if waits else "",
            again=refused["reason"] in ("wrong", "expired"),
            minutes=_minutes(refused["until"], scene.caller.now),
        )

    def _ended(
        self,
        scene: Scene,
        key: str,
        outcome: Outcome,
        *,
        proving: Proving,
        again: bool = False,
        parked: str | None = None,
        **facts: object,
    ) -> TurnRecord:
        buttons: tuple[Button, ...] = ()
        if not isinstance(outcome, Answered):
            label = self.closing.phrases.say("button.code_again", scene.language)
            code = (Button(label=label, action=Action(kind="code")),) if again else ()
            buttons = (*code, self.closing.person_button(scene.language))
        reply = Reply(text=self.closing.phrases.say(key, scene.language, **facts), buttons=buttons)
        waiting = scene.situation.parked if parked is None else parked
        return self.closing.identity(scene, outcome, reply, proving=proving, parked=waiting)


def hidden(situation: Situation) -> Situation:
    """Return the situation with what only this file may read hidden in its messages."""
    batch = tuple(replace(i, text=discreet(i.text, situation.proving)) for i in situation.batch)
    return replace(situation, batch=batch)


def _told(answer: Any) -> dict[str, Any]:
    told = asdict(answer)
    if told.get("until") is not None:
        told["until"] = told["until"].isoformat()
    return told


def _minutes(until: str | None, now: datetime) -> int:
    if until is None:
        return 1
    # The message that asks is a moment older than the clock that answered.
    left = datetime.fromisoformat(until) - now - timedelta(seconds=5)
    return max(1, -(-left // timedelta(minutes=1)))
