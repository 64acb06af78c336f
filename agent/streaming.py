"""An answer that leaves while it is written: a gate before its first sentence, then every sentence by itself.

```
sentence ─► in the company's voice, supported, live? ─┬─ no ─┬─ courtesy, promise ─► passed: left out
                                                      │      ├─ nothing left yet ─► held: the whole is judged at its end
                                                      │      └─ something left ───► over: the stream stops here
                                                      └─ yes ─► the gate ─┬─ closed ─► held
                                                                          └─ open ───► appended and sent: left
```
The gate asks what the evidence shows before anything of the draft is known: the confidence that an answer has whose
words add nothing to it (`agent.signals` of an empty draft). No signal speaks against an answer, so a draft can only
raise it: what leaves early, the gate of the whole draft would have let go as well, and the promise is the same one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.answering import Examined, evidence_of, examine, tool_evidence
from agent.confidence import Calibration
from agent.domain import Draft, Evidence, Sentence, ToolUse, Verified
from agent.pack import Pack
from agent.policy.courtesy import is_courtesy
from agent.policy.voice import voice_of
from agent.ports import Facts, Heard, Listener, Records, Similarity
from agent.scene import Scene
from agent.signals import signals_of
from agent.unreached import silent
from knowledge.types import Retrieval


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What evidence alone allows: sentences from passages, and sentences from tool results."""

    passages: bool
    tools: bool

    def lets(self, found: Examined, tools: Sequence[ToolUse]) -> bool:
        """Return whether a supported sentence may leave before the rest is written.

        Where a system left something unanswered, what is missing decides about the whole answer: nothing leaves early.
        """
        if found.verified is None or any(map(silent, tools)):
            return False
        return (self.passages or not found.verified.citations) and (self.tools or not found.from_tools)


def gate_of(
    question: str,
    retrieval: Retrieval,
    scene: Scene,
    *,
    calibration: Calibration,
    pack: Pack,
) -> Gate:
    """Return what may leave on the evidence of this turn alone."""
    nothing_written = signals_of(
        Draft(kind="answer"),
        (),
        question=retrieval.understood or question,
        language=scene.language,
        retrieval=retrieval,
        similarity=None,
        earlier=[m.text for m in scene.situation.history if m.author == "customer"],
    )
    # A model may yet tell how unsure it is of its own words.
    least = calibration.judge(replace(nothing_written, certainty=0.0, weakest=0.0)).value
    return Gate(
        passages=least >= calibration.accept(pack.promise),
        tools=calibration.tools >= calibration.accept(pack.promise, from_tools=True),
    )


@dataclass(slots=True, kw_only=True)  # mutable: one answer's way to the customer
class Stream(Listener):
    """Hears one answer and lets its sentences leave. `left` begins with what an earlier attempt had sent.

    Who goes on after these knows them, and may still say one again: a sentence that rests on the same words of the
    same passages is left out. `first` is what the AI has to say of itself before any of them; `failed` is the sentence
    that stopped it, with its reason; `taken`: a person took over meanwhile; `written_ms` and `first_ms`: when, since the
    turn began, the model had finished its first sentence and when the first one left.
    """

    scene: Scene
    records: Records
    facts: Facts
    retrieval: Retrieval
    pack: Pack
    similarity: Similarity | None
    gate: Gate
    left: list[Verified]
    first: tuple[str, ...] = ()
    failed: str = ""
    taken: bool = False
    written_ms: float | None = None
    first_ms: float | None = None
    _passages: Mapping[str, Evidence] = field(default_factory=dict)
    _before: tuple[Verified, ...] = ()

    def __post_init__(self) -> None:
        self._before = tuple(self.left)
        self._passages = {item.ref: item for item in (*evidence_of(self.retrieval), *self.scene.notes)}

    @property
    def said(self) -> tuple[str, ...]:
        return tuple(sentence.text for sentence in self.left)

    async def hear(self, sentence: Sentence, *, tools: Sequence[ToolUse], sure: bool = False) -> Heard:
        """Take the next sentence. `sure`: the whole draft was judged, and may be sent."""
        if self.written_ms is None:
            self.written_ms = self.scene.ms
        if sentence.text in self.said:
            return "passed"
        found = await self._examined(sentence, tools)
        if found.verified is not None and self._told(found.verified):
            return "passed"
        if found.verified is None:
            if is_courtesy(sentence.text) or found.limit == "promise":
                return "passed"
            if not self.left:
                return "held"
            self.failed = found.fault
            return "over"
        if not sure and not self.gate.lets(found, tools):
            return "held"
        return await self._leave(found.verified)

    def _told(self, sentence: Verified) -> bool:
        told = {(c.passage, c.quote) for before in self._before for c in before.citations}
        return bool(sentence.citations) and all((c.passage, c.quote) in told for c in sentence.citations)

    def began_after(self, sentences: int) -> None:
        """Take note that the draft was begun when so many sentences had left: a recorded one knew no more."""
        self._before = tuple(self.left[:sentences])

    async def goes_on(self, sentence: Sentence, tools: Sequence[ToolUse], *, sure: bool) -> bool:
        """Take the next sentence of a whole draft; False where the answer ends before it."""
        return await self.hear(sentence, tools=tools, sure=sure) in ("left", "passed")

    @property
    def ms(self) -> Mapping[str, float]:
        """Return when the model had finished its first sentence and when the first one left; empty where neither was."""
        times = {
            "first_sentence_model": self.written_ms,
            "first": self.first_ms,
            "first_sentence": self.first_ms,
        }
        return {name: ms for name, ms in times.items() if ms is not None}

    async def _examined(self, sentence: Sentence, tools: Sequence[ToolUse]) -> Examined:
        voice = voice_of(sentence.text, voice=self.pack.company.voice, language=self.scene.language)
        if voice is not None:
            return Examined(fault=f"{voice}: {sentence.text}")
        evidence = {**self._passages, **{item.ref: item for item in tool_evidence(tools)}}
        found = examine(sentence, evidence, similarity=self.similarity, hosts=self.pack.hosts)
        cited = sorted({c.passage for c in found.verified.citations}) if found.verified else []
        if cited and len(await self.facts.live(cited)) < len(cited):
            return Examined(fault=f"retired: {sentence.text}")
        return found

    async def _leave(self, sentence: Verified) -> Heard:
        appending = asyncio.ensure_future(self._append(sentence))
        try:
            return await asyncio.shield(appending)
        except asyncio.CancelledError:
            # Whether it left must be known, whoever runs out of time meanwhile: the next words depend on it.
            await asyncio.wait([appending])
            raise

    async def _append(self, sentence: Verified) -> Heard:
        scene, n = self.scene, len(self.left)
        attempt = scene.steps.attempt
        if not await self.records.append(scene.turn, n, sentence, attempt=attempt, first=self.first):
            self.taken = True
            return "over"
        self.left.append(sentence)
        if self.first_ms is None:
            self.first_ms = scene.ms
        return "left"
