"""What the assistant would answer, told to the person who does: the turn's own path, without any effect.

```
open question ─► retrieve ─┬─ an approved answer ───────────────────────────► Suggested(sure)
                           └─► draft ─┬─ a consent, a sign-in, a change needed ► Unsuggested(why)
                                      ├─ one question back ─────────────────► Suggested
                                      └─► judged ─┬─ supported sentences ───► Suggested(sure as the gate says)
                                                  └─ none ──────────────────► Unsuggested("no_answer")
```
Nothing is committed, sent, streamed or shown to the customer, and a change is prepared at most, never carried out. Tools
and models outside are asked for through the same gate as in a turn: what the customer did not allow is not done for staff.
"""

from collections.abc import Awaitable, Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeVar

from agent import language as words
from agent.answering import Judged
from agent.approved import as_approved
from agent.controls import SIGN_IN
from agent.domain import Citation, Draft, Incoming, Message, one_message
from agent.errors import WriterFailed
from agent.hygiene import plainly
from agent.judging import question_back
from agent.ports import Situation
from agent.replying import Replying
from agent.scene import Scene, caller_of
from agent.stages import Watch
from agent.unanswered import Open
from agent.unreached import without_faults
from knowledge.errors import KnowledgeFault
from knowledge.types import Retrieval
from tools.context import ConversationId, MessageId, TurnId

T = TypeVar("T")

HISTORY = 30
"""Earlier messages a suggestion knows, as a turn does."""
NAME = "suggestion"

Why = Literal["no_question", "restricted", "no_answer", "consent", "identity", "change", "failed"]
"""Why there is no suggestion; its words are the console's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """An answer to the open question, with what it rests on; `sure` where the assistant would have sent it itself."""

    text: str
    citations: tuple[Citation, ...]
    sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsuggested:
    """No answer, and why not."""

    why: Why


class AtOnce:
    """Steps that are run and not recorded: a suggestion that is lost is asked for again."""

    attempt = 1

    async def run(self, name: str, effect: Callable[[], Awaitable[T]], *, of: type[T]) -> T:
        """Run the effect."""
        return await effect()


class Silence:
    """The customer sees nothing of it."""

    async def status(self, conversation: ConversationId, turn: TurnId, text: str) -> None:
        """Show nothing."""


class Suggesting:
    """Drafts answers for people with what answers customers."""

    def __init__(self, replying: Replying) -> None:
        self._replying = copy(replying)
        self._replying.notices = Silence()

    async def suggest(
        self,
        situation: Situation,
        messages: Sequence[Message],
        question: Open,
        *,
        turn: TurnId,
        now: datetime,
    ) -> Suggested | Unsuggested:
        """Return what would be answered to `question`; `messages` is the transcript, `turn` names the attempt."""
        if situation.restricted:
            return Unsuggested(why="restricted")
        scene = self._scene(situation, messages, question, turn=turn, now=now)
        asked = scene.situation.batch[0].text
        try:
            return await self._answer(scene, asked)
        except (WriterFailed, KnowledgeFault):
            return Unsuggested(why="failed")

    def _scene(
        self,
        situation: Situation,
        messages: Sequence[Message],
        question: Open,
        *,
        turn: TurnId,
        now: datetime,
    ) -> Scene:
        text = plainly(question.text)
        pack = self._replying.pack
        language = words.detect(text, languages=pack.languages, previous=situation.conversation.language)
        rehearsed = replace(
            situation,
            conversation=replace(situation.conversation, holder="ai", disclosed=True),
            batch=(Incoming(id=MessageId(NAME), seq=question.seq, key=NAME, text=text, at=now),),
            history=tuple(m for m in messages if m.seq < question.first)[-HISTORY:],
            # Nothing that is open between the customer and the assistant is touched.
            proposal=None,
            question="",
            awaiting="",
            clarified=False,
            proving="",
            parked="",
        )
        return Scene(
            turn=turn,
            situation=rehearsed,
            language=language,
            caller=caller_of(rehearsed, turn=turn, language=language, pack=pack),
            steps=AtOnce(),
            watch=Watch(),
        )

    async def _answer(self, scene: Scene, question: str) -> Suggested | Unsuggested:
        replying = self._replying
        retrieval = await replying.retrieve(scene, question)
        known = as_approved(
            retrieval,
            question=question,
            language=scene.language,
            calibration=replying.calibration,
            promise=replying.pack.promise,
            hosts=replying.pack.hosts,
        )
        if known is not None:
            return _told(known[1], sure=True)
        draft = await replying.draft(scene, question, retrieval)
        if draft.kind == "need":
            return Unsuggested(why="identity" if draft.need == SIGN_IN else "consent")
        if draft.proposal is not None:
            return Unsuggested(why="change")
        if draft.kind == "clarify":
            return self._asked_back(scene, draft, retrieval)
        missed = replying.missed(scene, draft)
        judged = replying.judged(scene, question, retrieval, without_faults(draft) if missed else draft)
        return _told(judged, sure=judged.gate == "send" and not missed)

    def _asked_back(self, scene: Scene, draft: Draft, retrieval: Retrieval) -> Suggested | Unsuggested:
        asked = question_back(draft, scene=scene, retrieval=retrieval, pack=self._replying.pack)
        text = " ".join(sentence.text for sentence in asked.sentences)
        if not text:
            return Unsuggested(why="no_answer")
        return Suggested(text=text, citations=(), sure=False)


def _told(judged: Judged, *, sure: bool) -> Suggested | Unsuggested:
    if not judged.sentences:
        return Unsuggested(why="no_answer")
    said = one_message(judged.sentences)
    return Suggested(text=said.text, citations=said.citations, sure=sure)
