"""How a turn ends: each method builds the record of one outcome, with the words the customer reads.

Pure but for the texts, which are read once. No sentence is written here: keys of `agent/texts` only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from agent.answering import Judged
from agent.departments import back_at, department_for
from agent.dialogue import Danger
from agent.domain import (
    Action,
    Answered,
    Button,
    Clarify,
    Cost,
    DataUse,
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
from agent.language import sentences
from agent.outgoing import outgoing
from agent.pack import Department, Helpline, Pack
from agent.ports import Situation
from agent.scene import Scene
from agent.told import ASKING, CUT, OFFERING, PASSING, TOLD
from agent.trouble import summary
from tools.context import Language
from tools.phrases import Phrases

LONGEST_CHOICE = 80
"""Characters of a question shown on a button."""


class Closing:
    """Builds turn records; `scope` names the purpose a tool works under."""

    def __init__(self, *, phrases: Phrases, pack: Pack, scope: Callable[[str], str | None]) -> None:
        self.phrases = phrases
        self.pack = pack
        self.scope = scope

    def held(self, scene: Scene) -> TurnRecord:
        """Nobody but a person may speak."""
        conversation = scene.situation.conversation
        return self._record(scene, Held(), holder=conversation.holder, disclosed=conversation.disclosed)

    def already(self, scene: Scene) -> TurnRecord:
        """The customer asked again for the person they wait for."""
        department = self.pack.department(scene.situation.conversation.department)
        reply = self._say(scene, "person.already", department_to=department.to[scene.language])
        return self._record(scene, Held(), replies=(reply,), holder="queued")

    def resumed(self, scene: Scene) -> TurnRecord:
        """The waiting customer goes on with the assistant."""
        return self._record(scene, Answered(), replies=(self._say(scene, "person.resumed"),), holder="ai")

    def fixed(self, scene: Scene, key: str) -> TurnRecord:
        """A fixed text answers: greeting, thanks, the honest yes to "are you a robot?"."""
        buttons = self._quick_replies(scene) if key == "talk.greeting" else ()
        if key in OFFERING:
            buttons = (self.person_button(scene.language),)
        reply = self._say(scene, key, buttons=buttons)
        outcome = Clarify() if key in ASKING else Answered()
        return self._record(scene, outcome, replies=(reply,), confidence=1.0)

    def too_many(self, scene: Scene, first: Sequence[str]) -> TurnRecord:
        """More questions than one answer carries: one after another, beginning with any of these."""
        reply = self._say(scene, "talk.too_many", buttons=_choices(first))
        return self._record(scene, Clarify(), replies=(reply,), confidence=1.0)

    def again(self, scene: Scene, last: Message, *, short: bool) -> TurnRecord:
        """Say a message once more that was no checked answer; buttons that may be over are left away."""
        text = sentences(last.text)[0] if short and last.text.strip() else last.text
        buttons = tuple(button for button in last.buttons if button.action.kind in PASSING)
        asked = scene.situation.clarified
        reply = Reply(text=text, citations=last.citations, buttons=buttons)
        return self._record(
            scene,
            Clarify() if asked else Answered(),
            replies=(reply,),
            question=scene.situation.question if asked else "",
        )

    def in_danger(self, scene: Scene, kind: Danger, *, question: str) -> TurnRecord:
        """Somebody may come to harm: numbers to call where the pack has them, and a person, if none is called yet."""
        helplines = self.pack.company.helplines
        told = "" if kind == "threat" else self._helplines(scene, helplines)
        if scene.situation.conversation.holder == "queued":
            replies = (Reply(text=told),) if told else ()
            return self._record(scene, Held(), replies=replies, holder="queued")
        record = self.escalated(scene, reason="distress", question=question)
        *before, handed = record.replies
        text = " ".join(filter(None, (told, handed.text)))
        return replace(record, replies=(*before, replace(handed, text=text)))

    def _helplines(self, scene: Scene, helplines: Sequence[Helpline]) -> str:
        lines = "; ".join(f"{line.phone} — {line.name[scene.language]}" for line in helplines)
        key = "danger.harm" if lines else "danger.harm_alone"
        return self.phrases.say(key, scene.language, lines=lines)

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
        """Say how we come to know the customer; where a code may tell, the request waits for it."""
        person = self.person_button(scene.language)
        if self.pack.codes is None:
            reply = self._say(scene, "answer.sign_in", buttons=(person,))
            return self._record(scene, Clarify(), draft=draft, replies=(reply,))
        on_site = scene.caller.channel == "widget" and "token" in self.pack.policy.assurance.factors
        key = "answer.sign_in_or_code" if on_site else "answer.by_code"
        if scene.caller.customer_id is not None:
            key = "answer.step_up"
        code = self._button(scene, "button.code", Action(kind="code"))
        reply = self._say(scene, key, buttons=(code, person))
        return self._record(scene, Clarify(), draft=draft, replies=(reply,), parked=question)

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
        reply = self._say(scene, "answer.ask_back", buttons=_choices(topics))
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
        if any(not use.ok and use.fault == "unavailable" for use in draft.tools):
            reason = "tool_failed"
        kept_back = "\n".join((*(s.text for s in judged.sentences), *judged.dropped))
        return self.escalated(
            scene, reason=reason, question=question, rejected=kept_back, draft=draft, judged=judged
        )

    def answered(
        self,
        scene: Scene,
        draft: Draft | None,
        judged: Judged | None,
        *,
        said: Sequence[Verified],
        first_ms: float,
    ) -> TurnRecord:
        """The verified sentences as one message."""
        told = replace(scene, left=())
        record = self._record(told, Answered(), draft=draft, judged=judged, replies=(one_message(said),))
        return replace(record, ms={**record.ms, "first_sentence": first_ms, "first": first_ms})

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
        draft: Draft | None = None,
        judged: Judged | None = None,
        tools: tuple[ToolUse, ...] = (),
        closed_proposal: tuple[str, str] | None = None,
    ) -> TurnRecord:
        """A person is called, the customer is told, the question is kept."""
        department = department_for(
            _asked(scene.situation, question), pack=self.pack, language=scene.language
        )
        key = CUT.get(reason, "answer.partial") if scene.left else TOLD.get(reason)
        parts = [self.phrases.say(key, scene.language)] if key else []
        handed, buttons = self._handed(scene, department)
        reply = Reply(text=" ".join((*parts, handed)), buttons=buttons)
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

    def _handed(self, scene: Scene, department: Department) -> tuple[str, tuple[Button, ...]]:
        """Say where the question goes and when people answer; at night the assistant may go on."""
        returns = back_at(scene.caller.now, pack=self.pack, department=department)
        go_on = self._button(scene, "button.go_on", Action(kind="ai"))
        if returns is None:
            text = self.phrases.say(
                "person.handed",
                scene.language,
                department_to=department.to[scene.language],
                minutes=department.answer_minutes,
            )
            return text, ()
        when = self._when(returns, scene.caller.now, scene.language)
        return self.phrases.say("person.closed_now", scene.language, when=when), (go_on,)

    def _when(self, moment: datetime, now: datetime, language: Language) -> str:
        zone = ZoneInfo(self.pack.timezone)
        local = moment.astimezone(zone)
        ahead = (local.date() - now.astimezone(zone).date()).days
        key = {0: "when.today", 1: "when.tomorrow"}.get(ahead, "when.day")
        return self.phrases.say(key, language, time=local, date=local)

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
        more = {**_still_proving(scene.situation), **more}
        return TurnRecord(
            turn=scene.turn,
            conversation=scene.caller.conversation,
            outcome=outcome,
            language=scene.language,
            replies=tuple(outgoing(r, hosts=self.pack.hosts) for r in self._disclosed(scene, replies)),
            confidence=judged.confidence.value if judged else confidence,
            reasons=_reasons(judged, draft),
            signals=judged.signals.known() if judged and not judged.signals.from_tools else {},
            tools=used,
            data_used=self._data_used(used),
            path="model" if draft and draft.model else "",
            model=draft.model if draft else "",
            cost=draft.cost if draft else Cost(),
            **more,
        )

    def _disclosed(self, scene: Scene, replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
        """Put the AI disclosure first where it is due: at the start, and after a person handed back."""
        if scene.situation.conversation.disclosed or not replies:
            return replies
        spoken = any(message.author in ("ai", "person") for message in scene.situation.history)
        key = "disclosure.again" if spoken else "disclosure.first"
        company = self.pack.name[scene.language]
        return (Reply(text=self.phrases.say(key, scene.language, company=company)), *replies)

    def _data_used(self, tools: Sequence[ToolUse]) -> tuple[DataUse, ...]:
        lines = []
        for use in tools:
            # A call that failed read nothing, and a tool a model invented has no purpose to look up.
            purpose = self.scope(use.name) if use.ok else None
            if purpose is not None:
                lines.append(DataUse(what=purpose.partition(":")[0], purpose=purpose, tool=use.name))
        return tuple(dict.fromkeys(lines))

    def _say(self, scene: Scene, key: str, *, buttons: tuple[Button, ...] = (), **facts: object) -> Reply:
        return Reply(text=self.phrases.say(key, scene.language, **facts), buttons=buttons)

    def _button(self, scene: Scene, key: str, action: Action) -> Button:
        return Button(label=self.phrases.say(key, scene.language), action=action)

    def person_button(self, language: Language) -> Button:
        """The way to a person."""
        return Button(label=self.phrases.say("button.person", language), action=Action(kind="person"))

    def _quick_replies(self, scene: Scene) -> tuple[Button, ...]:
        return tuple(
            Button(label=text, action=Action(kind="say", target=text))
            for text in self.pack.quick_replies.get(scene.language, ())
        )


def _still_proving(situation: Situation) -> dict[str, Any]:
    """Return what goes on: a code that was sent may still come, whatever was said; a button says nothing new."""
    pressed = situation.batch[-1].action is not None
    if situation.proving == "code" or (situation.proving == "proved" and pressed):
        return {"proving": situation.proving, "parked": situation.parked}
    return {}


def _choices(texts: Sequence[str]) -> tuple[Button, ...]:
    return tuple(
        Button(label=text[:LONGEST_CHOICE], action=Action(kind="say", target=text[:LONGEST_CHOICE]))
        for text in texts
    )


def _asked(situation: Situation, question: str) -> str:
    earlier = [m.text for m in situation.history if m.author == "customer"]
    return "\n".join((*earlier[-2:], question))


def _reasons(judged: Judged | None, draft: Draft | None) -> tuple[str, ...]:
    """Return why the confidence is what it is, which limits were met, and what kept a model from being asked."""
    own = (*judged.confidence.reasons, *judged.limits) if judged else ()
    return (*own, *(draft.withheld if draft else ()))
