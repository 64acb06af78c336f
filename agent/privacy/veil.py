"""What a model outside the company reads of a turn, and what comes of its answer: placeholders out, values back in.

    brief, earlier messages, calls, results ─► masked ─► model ─► placeholders ─► values of this conversation

Documents are the company's own and are published: they are read as they are.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall, ToolMessage

from agent.domain import Recall, Sentence, ToolUse
from agent.link import Link
from agent.pack import Company, Pack
from agent.ports import Brief, Heard, Listener
from agent.privacy.detect import thorough
from agent.privacy.vault import Opening, Vault
from agent.prompts import Prompts, as_data, prompts
from agent.provider import Profile


@dataclass(frozen=True, slots=True)
class _Said(Listener):
    """What has left, masked: read by the prompts, heard by nobody."""

    said: tuple[str, ...]

    async def hear(self, sentence: Sentence, *, tools: Sequence[ToolUse]) -> Heard:
        return "held"


def veiled(pack: Pack, links: Iterable[Link]) -> bool:
    """Whether models outside are asked, and the pack wants them to read placeholders."""
    outside = any(link.external and not link.local for link in links)
    return outside and pack.policy.privacy.model_external == "masked"


def warm() -> None:
    """Load what reads names: some seconds that no customer shall wait for."""
    thorough().find("Анна")


class Veil:
    """One turn's vault between the house and the models outside."""

    def __init__(self, vault: Vault, *, brief: Brief, company: Company) -> None:
        self.vault = vault
        self._brief = brief
        self._company = company
        self._prompts: Mapping[Profile, Prompts] = {}

    def prompts(self) -> Mapping[Profile, Prompts]:
        """Return what such a model reads of the turn, in every profile."""
        self._prompts = self._prompts or prompts(self._company, self.brief(self._brief))
        return self._prompts

    def brief(self, brief: Brief) -> Brief:
        """Return the brief masked; what was said before is met first, so that numbers stay through a conversation."""
        history = tuple(replace(line, text=self.vault.mask(line.text).text) for line in brief.history)
        recall = Recall(
            facts=tuple(replace(fact, text=self.vault.mask(fact.text).text) for fact in brief.recall.facts),
            said=tuple(self.vault.mask(line).text for line in brief.recall.said),
        )
        question = self.vault.mask(brief.question).text
        left = brief.listener.said if brief.listener is not None else ()
        said = (
            _Said(tuple(self.vault.mask(text).text for text in left)) if brief.listener is not None else None
        )
        return replace(brief, history=history, recall=recall, question=question, listener=said)

    def messages(self, messages: Sequence[AnyMessage]) -> list[AnyMessage]:
        """Return messages masked: what people and the house said, arguments of calls, results of tools."""
        return [self._message(message) for message in messages]

    def opened(self, message: AIMessage) -> AIMessage:
        """Return a model's answer with the values its placeholders stand for, in its words and in its calls."""
        calls = [
            ToolCall(name=call["name"], args=self.vault.opened(call["args"]), id=call["id"], type="tool_call")
            for call in message.tool_calls
        ]
        in_json = message.text.lstrip().startswith("{")
        return message.model_copy(
            update={"content": self.vault.open(message.text, in_json=in_json), "tool_calls": calls}
        )

    def opening(self) -> Callable[[str], str]:
        """Return what opens one answer while it is written."""
        return Opening(self.vault)

    def _message(self, message: AnyMessage) -> AnyMessage:
        if isinstance(message, AIMessage):
            calls = [
                ToolCall(
                    name=call["name"], args=self.vault.masked(call["args"]), id=call["id"], type="tool_call"
                )
                for call in message.tool_calls
            ]
            return message.model_copy(
                update={"content": self.vault.mask(message.text).text, "tool_calls": calls}
            )
        if isinstance(message, ToolMessage):
            return message.model_copy(update={"content": self._result(message.text)})
        if isinstance(message, HumanMessage):
            return message.model_copy(update={"content": self.vault.mask(message.text).text})
        return message

    def _result(self, content: str) -> str:
        """Return a tool's result masked, names of its fields telling what stands in them; JSON stays JSON."""
        masked = self.vault.mask(content).text
        try:
            json.loads(masked)
        except ValueError:
            return as_data(self.vault.masked(json.loads(content)))
        return masked
