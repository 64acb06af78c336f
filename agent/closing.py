"""How a turn ends: each method builds the record of one outcome, with the words the customer reads.

Pure but for the texts, which are read once. No sentence is written here: keys of `agent/texts` only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent import unreached
from agent.answering import Judged
from agent.calling import asked, handed, helplines
from agent.departments import department_for, journey_of
from agent.dialogue import Danger
from agent.domain import (
    Action,
    Answered,
    Button,
    Clarify,
    Cost,
    Declined,
    Draft,
    Escalated,
    Held,
    Message,
    Outcome,
    Proving,
    Reason,
    Reply,
    Ticket,
    ToolUse,
    TurnRecord,
    Verified,
    Waiting,
    one_message,
)
from agent.ending import choices, reasons_of, still_proving
from agent.language import sentences
from agent.outgoing import outgoing
from agent.pack import Pack
from agent.policy import disclosure
from agent.policy.budget import spent
from agent.policy.meeting import ways
from agent.scene import Scene
from agent.showing import Shelf, cards_of
from agent.told import ASKING, CUT, OFFERING, PASSING, TOLD
from agent.trouble import summary
from agent.unreached import Unreached
from tools.context import Language
from tools.phrases import Phrases


class Closing:
    """Builds turn records; what the turn used is added to them at its end (`agent.itemising`)."""

    def __init__(self, *, phrases: Phrases, pack: Pack) -> None:
        self.phrases = phrases
        self.pack = pack

    def held(self, scene: Scene) -> TurnRecord:
        """Nobody but a person may speak."""
        conversation = scene.situation.conversation
        return self._record(scene, Held(), holder=conversation.holder)

    def already(self, scene: Scene) -> TurnRecord:
        """The customer asked again for the person they wait for."""
        department = self.pack.department(scene.situation.conversation.department)
        reply = self._say(scene, "person.already", department_to=department.to[scene.language])
        return self._record(scene, Held(), replies=(reply,), holder="queued")

    def reached(self, scene: Scene, contact: str) -> TurnRecord:
        """The waiting customer said where to answer them."""
        reply = self._say(scene, "person.reached")
        return self._record(scene, Held(), replies=(reply,), holder="queued", contact=contact)

    def resumed(self, scene: Scene) -> TurnRecord:
        """The waiting customer goes on with the assistant."""
        return self._record(scene, Answered(), replies=(self._say(scene, "person.resumed"),), holder="ai")

    def fixed(self, scene: Scene, key: str) -> TurnRecord:
        """A fixed text answers: greeting, thanks, the honest yes to "are you a robot?"."""
        greets = key == "talk.greeting"
        buttons = choices(self.pack.quick_replies.get(scene.language, ())) if greets else ()
        if key in OFFERING:
            buttons = (self.person_button(scene.language),)
        reply = self._say(scene, key, buttons=buttons)
        outcome = Clarify() if key in ASKING else Answered()
        return self._record(scene, outcome, replies=(reply,), confidence=1.0)

    def told(self, scene: Scene, outcome: Outcome, reply: Reply) -> TurnRecord:
        """A reply that settles the matter, whoever holds the conversation."""
        return self._record(scene, outcome, replies=(reply,), confidence=1.0)

    def too_many(self, scene: Scene, first: Sequence[str]) -> TurnRecord:
        """More questions than one answer carries: one after another, beginning with any of these."""
        reply = self._say(scene, "talk.too_many", buttons=choices(first))
        return self._record(scene, Clarify(), replies=(reply,), confidence=1.0)

    def again(self, scene: Scene, last: Message, *, short: bool) -> TurnRecord:
        """Say a message once more that was no checked answer; it has no cards, and buttons that may be over are left."""
        text = sentences(last.text)[0] if short and last.text.strip() else last.text
        buttons = tuple(button for button in last.buttons if button.action.kind in PASSING)
        waiting = scene.situation.clarified
        reply = Reply(text=text, citations=last.citations, buttons=buttons)
        return self._record(
            scene,
            Clarify() if waiting else Answered(),
            replies=(reply,),
            question=scene.situation.question if waiting else "",
        )

    def explained(self, scene: Scene, text: str) -> TurnRecord:
        """What the last answer was made of; a question that waits for its answer goes on waiting."""
        record = self._record(
            scene,
            Clarify() if scene.situation.clarified else Answered(),
            replies=(Reply(text=text),),
            confidence=1.0,
            question=scene.situation.question,
        )
        return replace(record, path="receipt")

    def in_danger(self, scene: Scene, kind: Danger, *, question: str) -> TurnRecord:
        """Somebody may come to harm: numbers to call where the pack has them, and a person, if none is called yet."""
        told = "" if kind == "threat" else helplines(scene.language, phrases=self.phrases, pack=self.pack)
        if scene.situation.conversation.holder == "queued":
            replies = (Reply(text=told),) if told else ()
            return self._record(scene, Held(), replies=replies, holder="queued")
        record = self.escalated(scene, reason="distress", question=question)
        *before, last = record.replies
        text = " ".join(filter(None, (told, last.text)))
        return replace(record, replies=(*before, replace(last, text=text)))

    def refused(self, scene: Scene) -> TurnRecord:
        """Consent was not given."""
        reply = self._say(scene, "consent.refused", buttons=(self.person_button(scene.language),))
        return self._record(scene, Answered(), replies=(reply,), confidence=1.0)

    def needed(self, scene: Scene, draft: Draft, *, question: str) -> TurnRecord:
        """A fitting tool needs a consent, or a signed-in customer."""
        if draft.need == "sign_in":
            return self._stranger(scene, draft, question=question)
        purpose = self.pack.purposes[draft.need]
        yes, no = (
            self._button(scene, key, Action(kind="consent", target=purpose.name, yes=yes))
            for key, yes in (("button.allow", True), ("button.not_now", False))
        )
        reply = Reply(text=purpose.text[scene.language], buttons=(yes, no))
        waiting = Waiting(what="consent", target=purpose.name)
        return self._record(scene, waiting, draft=draft, replies=(reply,), question=question)

    def _stranger(self, scene: Scene, draft: Draft, *, question: str) -> TurnRecord:
        """Say how we come to know the customer; where a code or a name may tell, the request waits for it."""
        how = ways(scene.caller, self.pack.policy.assurance)
        code = (self._button(scene, "button.code", Action(kind="code")),) if how.code else ()
        reply = self._say(scene, how.key, buttons=(*code, self.person_button(scene.language)))
        outcome = Waiting(what="name") if how.name else Clarify()
        waits: dict[str, Any] = {"parked": question} if how.code or how.name else {}
        return self._record(
            scene, outcome, draft=draft, replies=(reply,), proving="name" if how.name else "", **waits
        )

    def identity(
        self, scene: Scene, outcome: Outcome, reply: Reply, *, proving: Proving, parked: str
    ) -> TurnRecord:
        """A step on the way to knowing who the customer is; `parked` waits for its end."""
        sure = None if isinstance(outcome, Waiting) else 1.0
        return self._record(scene, outcome, replies=(reply,), confidence=sure, proving=proving, parked=parked)

    def proposed(self, scene: Scene, draft: Draft, *, text: str) -> TurnRecord:
        """A write waits for the customer's own yes to exactly this."""
        proposal = dict(draft.proposal or {})
        yes, no = (
            self._button(scene, key, Action(kind="confirm", target=str(proposal["id"]), yes=yes))
            for key, yes in (("button.confirm_yes", True), ("button.confirm_no", False))
        )
        waiting = Waiting(what="confirmation", target=str(proposal["id"]))
        reply = Reply(text=text, buttons=(yes, no))
        return self._record(scene, waiting, draft=draft, replies=(reply,), proposal=proposal)

    def whereto(self, scene: Scene, draft: Draft, *, question: str) -> TurnRecord:
        """A change was prepared for an address the customer did not name: nothing is proposed, they are asked for it."""
        reply = self._say(scene, "confirm.whereto")
        return self._record(scene, Clarify(), draft=draft, replies=(reply,), question=question)

    def proposed_again(self, scene: Scene, proposal: Mapping[str, Any], *, text: str) -> TurnRecord:
        """The question of the open proposal once more; it stays the same proposal."""
        record = self.proposed(scene, Draft(kind="answer", proposal=proposal), text=text)
        return replace(record, proposal=None)

    def which(self, scene: Scene, draft: Draft, topics: Sequence[str], *, question: str) -> TurnRecord:
        """One question back: which of these the question is about."""
        reply = self._say(scene, "answer.ask_back", buttons=choices(topics))
        return self._record(scene, Clarify(), draft=draft, replies=(reply,), question=question)

    def clarified(self, scene: Scene, draft: Draft, *, question: str) -> TurnRecord:
        """One question back, with what there is to choose from."""
        said = " ".join(sentence.text for sentence in draft.sentences)
        if draft.options and not said:
            joint = self.phrases.say("answer.or", scene.language)
            said = self.phrases.say("answer.choose", scene.language, options=joint.join(draft.options))
        buttons = tuple(
            Button(label=option, action=Action(kind="say", target=option)) for option in draft.options
        )
        reply = Reply(text=said or self.phrases.say("answer.ask_back", scene.language), buttons=buttons)
        return self._record(scene, Clarify(), draft=draft, replies=(reply,), question=question)

    def declined(self, scene: Scene, draft: Draft, judged: Judged) -> TurnRecord:
        """Outside the company's business."""
        reply = self._say(scene, "answer.decline", buttons=(self.person_button(scene.language),))
        return self._record(scene, Declined(), draft=draft, judged=judged, replies=(reply,))

    def unsure(self, scene: Scene, draft: Draft, judged: Judged, *, question: str) -> TurnRecord:
        """The gate stayed closed: nothing of the draft leaves, a person is called."""
        reason: Reason = "not_sure" if judged.sentences or not draft.sentences else "ungrounded"
        if spent(draft.withheld):
            reason = "budget_spent"
        elif judged.promised:
            reason = "promise"
        kept_back = "\n".join((*(s.text for s in judged.sentences), *judged.dropped))
        return self.escalated(
            scene, reason=reason, question=question, rejected=kept_back, draft=draft, judged=judged
        )

    def unreached(
        self, scene: Scene, draft: Draft, judged: Judged, *, missed: Unreached, question: str
    ) -> TurnRecord:
        """What is known was said (`scene.left`); what no system answered is named, and a person is called for it."""
        said = {sentence.text for sentence in scene.left}
        kept_back = [one.text for one in judged.sentences if one.text not in said]
        return self.escalated(
            scene,
            reason="tool_failed",
            question=question,
            rejected="\n".join((*kept_back, *judged.dropped)),
            told=unreached.told(missed, phrases=self.phrases, language=scene.language),
            draft=draft,
            judged=judged,
        )

    def beside(self, scene: Scene, record: TurnRecord, missed: Unreached) -> TurnRecord:
        """A question to the customer, and before it what could not be reached meanwhile."""
        if not missed:
            return record
        *before, question = record.replies
        said = unreached.told(missed, phrases=self.phrases, language=scene.language)
        return replace(record, replies=(*before, Reply(text=said), question))

    def answered(
        self,
        scene: Scene,
        draft: Draft | None,
        judged: Judged | None,
        *,
        said: Sequence[Verified],
        first_ms: float,
    ) -> TurnRecord:
        """The verified sentences as one message, and the cards of what they speak of."""
        told = replace(scene, left=())
        # A repetition has no draft: its words are of then, and a card of then would pass for one of now.
        cards = cards_of(said, draft, shelf=self._shelf(scene)) if draft is not None else ()
        replies = (one_message(said, cards=cards), *self._instead(scene, judged))
        record = self._record(told, Answered(), draft=draft, judged=judged, replies=replies)
        return replace(record, ms={**record.ms, "first_sentence": first_ms, "first": first_ms})

    def _instead(self, scene: Scene, judged: Judged | None) -> tuple[Reply, ...]:
        """Offer a person where the draft promised what nobody would do."""
        offer = self._say(scene, "answer.no_promise", buttons=(self.person_button(scene.language),))
        return (offer,) if judged and judged.promised else ()

    def _shelf(self, scene: Scene) -> Shelf:
        return Shelf(
            phrases=self.phrases,
            language=scene.language,
            today=self.phrases.local(scene.caller.now).date(),
            tracking=self.pack.policy.tracking,
        )

    def taken_over(self, scene: Scene, draft: Draft | None, judged: Judged | None) -> TurnRecord:
        """A person claimed the conversation while the AI was about to speak."""
        return self._record(scene, Held(), draft=draft, judged=judged, holder="person")

    def escalated(
        self,
        scene: Scene,
        *,
        reason: Reason,
        question: str,
        rejected: str = "",
        told: str = "",
        draft: Draft | None = None,
        judged: Judged | None = None,
        tools: tuple[ToolUse, ...] = (),
        closed_proposal: tuple[str, str] | None = None,
    ) -> TurnRecord:
        """A person is called, the customer is told why (`told`, else by the reason), the question is kept."""
        topic = asked(scene.situation, question)
        stage = journey_of(draft.tools if draft else tools)
        department = department_for(topic, pack=self.pack, language=scene.language, stage=stage)
        key = CUT.get(reason, "answer.partial") if scene.left else TOLD.get(reason)
        why = told or (self.phrases.say(key, scene.language) if key else "")
        call = handed(scene, department, phrases=self.phrases, pack=self.pack)
        reply = Reply(text=" ".join(filter(None, (why, call.text))), buttons=call.buttons)
        ticket = Ticket(
            reason=reason,
            department=department.id,
            summary=summary(scene.situation, question),
            rejected=rejected,
        )
        return self._record(
            scene,
            Escalated(reason=reason, partial=bool(scene.left)),
            draft=draft,
            judged=judged,
            replies=(reply,),
            holder="queued",
            ticket=ticket,
            tools=tools,
            closed_proposal=closed_proposal,
            pledge=call.pledge,
        )

    def settled(
        self,
        scene: Scene,
        text: str,
        *,
        closed: tuple[str, str],
        tools: tuple[ToolUse, ...] = (),
    ) -> TurnRecord:
        """A proposal came to its end: done, refused, dropped or expired."""
        return self._record(
            scene,
            Answered(),
            replies=(Reply(text=text),),
            confidence=1.0,
            tools=tools,
            closed_proposal=closed,
        )

    def _record(
        self,
        scene: Scene,
        outcome: Any,
        *,
        replies: tuple[Reply, ...] = (),
        draft: Draft | None = None,
        judged: Judged | None = None,
        confidence: float | None = None,
        tools: tuple[ToolUse, ...] = (),
        **more: Any,
    ) -> TurnRecord:
        used = draft.tools if draft else tools
        if scene.left and not isinstance(outcome, Held):
            replies = (one_message(scene.left), *replies)
        more.setdefault("holder", scene.situation.conversation.holder)
        more = {**still_proving(scene.situation), **more}
        introduction = self._introduction(scene) if replies else ()
        opening = self.opening(scene) if replies else ()
        return TurnRecord(
            turn=scene.turn,
            conversation=scene.caller.conversation,
            outcome=outcome,
            language=scene.language,
            replies=tuple(outgoing(r, hosts=self.pack.hosts) for r in (*opening, *replies)),
            disclosed=bool(introduction),
            confidence=judged.confidence.value if judged else confidence,
            reasons=reasons_of(judged, draft),
            signals=judged.signals.known() if judged and not judged.signals.from_tools else {},
            tools=used,
            path="model" if draft and draft.model else "",
            model=draft.model if draft else "",
            cost=draft.cost if draft else Cost(),
            **more,
        )

    def opening(self, scene: Scene) -> tuple[Reply, ...]:
        """What the AI says of itself in this turn, before anything else of it leaves."""
        frank = (self._say(scene, f"disclosure.beside.{scene.frank}"),) if scene.frank else ()
        return (*self._introduction(scene), *frank)

    def first(self, scene: Scene) -> tuple[str, ...]:
        """The words of `opening`: they leave before the first sentence that does."""
        return tuple(reply.text for reply in self.opening(scene))

    def _introduction(self, scene: Scene) -> tuple[Reply, ...]:
        """What the AI must say of itself first: at the start, and after a person handed back."""
        due = disclosure.due(scene.situation.conversation, scene.situation.history)
        company = self.pack.name[scene.language]
        return disclosure.introduction(due, language=scene.language, company=company, phrases=self.phrases)

    def _say(self, scene: Scene, key: str, *, buttons: tuple[Button, ...] = (), **facts: object) -> Reply:
        return Reply(text=self.phrases.say(key, scene.language, **facts), buttons=buttons)

    def _button(self, scene: Scene, key: str, action: Action) -> Button:
        return Button(label=self.phrases.say(key, scene.language), action=action)

    def person_button(self, language: Language) -> Button:
        """The way to a person."""
        return Button(label=self.phrases.say("button.person", language), action=Action(kind="person"))
