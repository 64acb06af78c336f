"""A chat model that needs no provider: it calls tools by rule and answers only in quotes.

It sees what every model sees — the messages and the tools bound to it — and nothing else:

```
messages ─► Desk ─► planning.next_step ─┬─ Call ─────► AIMessage(tool_calls=[…])
tools ────►                             └─ Compose ──► composing.compose ─► AIMessage("sentence [ref]\n…")
                                                          └─ nothing fits ─► decline | hand_over
```
Deterministic; a few milliseconds, plus the embeddings where a `Similarity` is given.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import BaseModel, ConfigDict, SkipValidation

from agent.closeness import closeness
from agent.composing import Composed, compose, pick
from agent.domain import Evidence
from agent.gist import gist
from agent.intents import Argument, Documented, Offer, identifies
from agent.likeness import lexicon
from agent.plan import Answer, Call, Compose, Desk, Result, Said
from agent.planning import next_step
from agent.ports import Similarity
from tools.context import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)
FAR = 0.34
"""Share of the question's words that occur in no evidence at all from which it is somebody else's business."""
ABOUT = 0.1
"""Closeness of a question to the nearest evidence (its text twice, its title once) from which it is the
company's business, answerable or not."""
LISTED_SENTENCES = 6
RESULT_SENTENCES = 3
"""Sentences of a tool's result: of a list, of one thing looked up by its identifier."""
PART_SENTENCES = 2
"""Quotes for one part of a message that has several."""

_FENCED = re.compile(r"```json\s*(?=\{)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """The JSON block of the last human message."""

    question: str
    language: Language
    evidence: tuple[Evidence, ...]


class Extractive(BaseChatModel):
    """The model. `similarity` is nearness in meaning from the house's embedder, if it has one."""

    similarity: SkipValidation[Similarity | None] = None
    tools: tuple[BaseTool, ...] = ()

    model_config = ConfigDict(arbitrary_types_allowed=True)

    @property
    def _llm_type(self) -> str:
        return "extractive"

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: Any = None, **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        """Return the model with these tools at hand; anything but a langchain tool is left aside."""
        return self.model_copy(update={"tools": tuple(t for t in tools if isinstance(t, BaseTool))})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = self._reply(messages)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _reply(self, messages: Sequence[BaseMessage]) -> AIMessage:
        last = max((n for n, m in enumerate(messages) if isinstance(m, HumanMessage)), default=-1)
        brief = read_brief(_text(messages[last]) if last >= 0 else "")
        desk = Desk(
            question=gist(brief.question),
            language=brief.language,
            history=tuple(_said(messages[: max(last, 0)])),
            offers=tuple(offer for tool in self.tools for offer in offers(tool)),
            results=tuple(_results(messages[last + 1 :])),
            controls=frozenset(
                t.name for t in self.tools if (t.extras or {}).get("control") or t.return_direct
            ),
        )
        step = next_step(desk, documented=self._documented(brief), similarity=self.similarity)
        if isinstance(step, Call):
            return _call(step, n=len(desk.results) + 1)
        return self._compose(step, brief, desk)

    def _documented(self, brief: Brief) -> Callable[[str], Documented]:
        @cache
        def documented(part: str) -> Documented:
            composed = compose(part, brief.evidence, language=brief.language)
            return Documented(fit=composed.fit, topic=composed.topic)

        return documented

    def _compose(self, step: Compose, brief: Brief, desk: Desk) -> AIMessage:
        lines: list[str] = []
        tried: list[Composed] = []
        for answer in step.answers:
            found = _quoted(answer, desk) if answer.results else []
            if not found or (not answer.personal and all(result.empty for result in answer.results)):
                composed = self._from_documents(answer, brief)
                tried.append(composed)
                found = _written(composed, several=len(step.answers) > 1) or found
            lines += [line for line in found if line not in lines]
        if lines:
            return AIMessage("\n".join(lines))
        return _nothing(tried, brief, desk, similarity=self.similarity)

    def _from_documents(self, answer: Answer, brief: Brief) -> Composed:
        return compose(
            answer.part,
            brief.evidence,
            language=brief.language,
            similarity=self.similarity,
            context=answer.context,
        )


def read_brief(text: str) -> Brief:
    """Read question, language and evidence from the message; a message without the block is a bare question."""
    body: Any = None
    fenced = _FENCED.search(text)
    if fenced is not None:
        try:
            body, _ = json.JSONDecoder().raw_decode(text, fenced.end())
        except ValueError:
            body = None
    if not isinstance(body, dict):
        return Brief(question=text.strip(), language=LANGUAGES[0], evidence=())
    language = body.get("language")
    return Brief(
        question=str(body.get("question", "")),
        language=language if language in LANGUAGES else LANGUAGES[0],
        evidence=tuple(
            Evidence(
                ref=str(item["ref"]),
                kind="passage",
                title=str(item.get("title", "")),
                text=str(item.get("text", "")),
                score=float(item.get("score") or 0.0),
            )
            for item in body.get("evidence", ())
            if isinstance(item, dict) and "ref" in item
        ),
    )


def offers(tool: BaseTool) -> Iterator[Offer]:
    """Yield what the tool offers: itself, or one offer a purpose for a tool that asks for consent."""
    extras = tool.extras or {}
    purposes = extras.get("purposes")
    control = bool(extras.get("control")) or tool.return_direct
    if isinstance(purposes, Mapping):
        for purpose, cues in purposes.items():
            writes = str(purpose).endswith(":write")
            yield Offer(
                tool=tool.name, cues=_cues(cues), fixed={"purpose": purpose}, writes=writes, control=True
            )
        return
    yield Offer(
        tool=tool.name,
        cues=_cues(extras.get("cues") or {}),
        arguments=() if control else tuple(_arguments(tool)),
        fills=tuple(extras.get("fills") or ()),
        scope=extras.get("scope"),
        writes=extras.get("effect") == "write",
        control=control,
    )


def _cues(raw: Mapping[str, Sequence[str]]) -> Mapping[Language, tuple[str, ...]]:
    return {language: tuple(raw.get(language, ())) for language in LANGUAGES}


def _arguments(tool: BaseTool) -> Iterator[Argument]:
    schema = tool.tool_call_schema
    body = schema.model_json_schema() if isinstance(schema, type) and issubclass(schema, BaseModel) else {}
    required = set(body.get("required", ()))
    slots = (tool.extras or {}).get("slots") or {}
    for name, shape in body.get("properties", {}).items():
        expressions = slots.get(name) or {}
        yield Argument(
            name=name,
            required=name in required,
            pattern=str(shape.get("pattern", "")),
            description=str(shape.get("description", "")),
            choices=tuple(map(str, shape.get("enum", ()))),
            expressions=tuple(e for language in LANGUAGES for e in expressions.get(language, ())),
        )


def _said(messages: Sequence[BaseMessage]) -> Iterator[Said]:
    for message in messages:
        if isinstance(message, HumanMessage):
            yield Said(author="customer", text=gist(_text(message)))
        elif isinstance(message, AIMessage) and _text(message):
            yield Said(author="company", text=_text(message))


def _results(messages: Sequence[BaseMessage]) -> Iterator[Result]:
    """Yield this turn's finished calls; the n-th call is cited as `tool:<name>:<n>` unless it names itself."""
    arguments = {c["id"]: c["args"] for m in messages if isinstance(m, AIMessage) for c in m.tool_calls}
    finished = [m for m in messages if isinstance(m, ToolMessage)]
    for n, message in enumerate(finished, start=1):
        name = str(message.name or "")
        try:
            body = json.loads(_text(message))
        except ValueError:
            body = {"ok": message.status != "error", "sentences": [_text(message)]}
        body = body if isinstance(body, dict) else {}
        ok = bool(body.get("ok", True))
        yield Result(
            ref=str(body.get("ref") or f"tool:{name}:{n}"),
            tool=name,
            arguments=arguments.get(message.tool_call_id, {}),
            ok=ok,
            sentences=tuple(map(str, body.get("sentences", ()))),
            choices=_choices(body.get("choices")),
            empty=ok and not _any(body.get("facts")),
        )


def _choices(raw: Any) -> Mapping[str, tuple[tuple[str, str], ...]]:
    if not isinstance(raw, Mapping):
        return {}
    return {
        str(name): tuple((str(item["value"]), str(item.get("label") or item["value"])) for item in items)
        for name, items in raw.items()
    }


def _any(facts: Any) -> bool:
    """Tell whether a result holds anything: some fact that is not an empty list."""
    return isinstance(facts, Mapping) and any(value not in (None, "", [], {}) for value in facts.values())


def _text(message: BaseMessage) -> str:
    return str(message.text)


def _call(step: Call, *, n: int) -> AIMessage:
    call = {"name": step.tool, "args": dict(step.arguments), "id": f"call_{n}", "type": "tool_call"}
    return AIMessage(content="", tool_calls=[call])


def _quoted(answer: Answer, desk: Desk) -> list[str]:
    """Return the sentences of the results that tell what was asked for; a list may be longer than one thing."""
    identifiers = {a.name for offer in desk.offers for a in offer.arguments if identifies(a)}
    lines: list[str] = []
    for result in answer.results:
        one = bool(result.arguments.keys() & identifiers)
        kept = pick(
            answer.part,
            result.sentences,
            language=desk.language,
            most=RESULT_SENTENCES if one else LISTED_SENTENCES,
        )
        if one and kept and kept[0] != 0:
            # The first sentence says how the thing stands; details without it mislead.
            kept = [0, *kept[: RESULT_SENTENCES - 1]]
        lines += [f"{result.sentences[n]} [{result.ref}]" for n in kept]
    return lines


def _written(composed: Composed, *, several: bool) -> list[str]:
    if not composed.fits:
        return []
    kept = composed.sentences[:PART_SENTENCES] if several else composed.sentences
    return [f"{sentence.text} [{sentence.refs[0]}]" for sentence in kept]


def _nothing(
    tried: Sequence[Composed], brief: Brief, desk: Desk, *, similarity: Similarity | None
) -> AIMessage:
    """Nothing fits: somebody else's business when the documents are about other things, else a person's."""
    name = "decline" if _far(tried, brief, similarity=similarity) else "hand_over"
    if name not in desk.controls:
        return AIMessage("")
    reason = lexicon(brief.language)["say"]["outside"] if name == "decline" else ""
    return _call(Call(tool=name, arguments={"reason": reason}), n=len(desk.results) + 1)


def _far(tried: Sequence[Composed], brief: Brief, *, similarity: Similarity | None) -> bool:
    """Tell whether the question is about none of the things the evidence is about: by meaning, else by words."""
    if similarity is not None and brief.evidence:
        texts, titles = ([getattr(item, name) for item in brief.evidence] for name in ("text", "title"))
        found = closeness(gist(brief.question), [*texts, *titles], similarity=similarity)
        if found:
            said, named = max(found[: len(texts)]), max(found[len(texts) :])
            return (2 * said + named) / 3 < ABOUT
    return max((composed.near for composed in tried), default=0.0) < FAR
