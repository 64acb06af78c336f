"""What a model reads, rendered from the Markdown files beside this one, in two profiles.

```
            system (rules)          question (evidence and question as one JSON object)
large       system.large.md         question.large.md      plain text with [references]
small       system.small.md         question.small.md      few rules, an answer constrained to JSON
```
Where sentences of the answer have left before a crash, `said.md` follows the question: the answer goes on after them.
The rules hold nothing of a customer, so that a provider caches them; what changes stands last: the day at the end
of the rules, the evidence at the end of the conversation, inside a fence that nothing in it can close. Whatever a
customer, a document or a tool says is JSON: evidence and question in the last message, `{"earlier": …}` before it,
results under the role `tool`; nothing of it ever stands among the rules.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from agent.domain import Evidence
from agent.language import detect
from agent.pack import Company
from agent.ports import Brief
from agent.provider import Profile
from agent.recall import beyond, recent
from knowledge.text.tokens import count
from tools.context import Language

FOLDER = Path(__file__).parent
LANGUAGE_NAMES: dict[Language, str] = {"ru": "Russian", "en": "English"}


LANGUAGES: tuple[Language, ...] = ("ru", "en")
ENOUGH = 3
"""Passages in the customer's language that make those in another one unnecessary."""
EVIDENCE_TOKENS = 550
"""Tokens of passages after which no further one is shown, once there are enough."""
PROFILES: tuple[Profile, ...] = ("large", "small")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """What one model reads of one turn: its rules and the last message."""

    system: str
    question: str


def prompts(company: Company, brief: Brief) -> Mapping[Profile, Prompts]:
    """Return the prompts of every profile for one brief."""
    return {
        profile: Prompts(
            system=system_prompt(company, language=brief.language, today=brief.today, profile=profile),
            question=question_prompt(brief, profile=profile),
        )
        for profile in PROFILES
    }


def system_prompt(company: Company, *, language: Language, today: str, profile: Profile = "large") -> str:
    """Return the rules for the model. Holds nothing about the customer; `today` stands last."""
    return _template(f"system.{profile}.md").render(
        company=_worded(company.name, language),
        about=_worded(company.about, language),
        formality=company.voice.formality if language == "ru" else "",
        tone=_worded(company.voice.tone, language),
        forbidden=company.voice.forbidden,
        today=today,
    )


def question_prompt(brief: Brief, *, profile: Profile = "large") -> str:
    """Return the last message: evidence, question and language as JSON, then what to do with them."""
    passages = [item for item in brief.evidence if item.kind != "note"]
    notes = [item for item in brief.evidence if item.kind == "note"]
    evidence = [
        {"ref": item.ref, "title": item.title, "text": item.text}
        for item in (*_worth_reading(passages, brief.language), *notes)
    ]
    return _rendered(brief, evidence, profile=profile)


def earlier_message(text: str) -> str:
    """Return an earlier message of the customer as data, in the same fence-proof JSON as the question."""
    return as_data({"earlier": text})


def full_question(brief: Brief) -> str:
    """Return the last message with everything the search found, scores included: for the model of the house.

    What is remembered of the customer is left out: who answers in quotes could do nothing with it but repeat it.
    """
    evidence = [
        {"ref": item.ref, "title": item.title, "text": item.text, "score": round(item.score, 4)}
        for item in brief.evidence
        if item.kind != "note"
    ]
    return _rendered(brief, evidence, profile="large")


@cache
def version(profile: Profile = "large") -> str:
    """Return twelve hex digits that change with the wording of a profile's prompts, and with nothing else."""
    written = "\0".join(
        (FOLDER / f"{part}.{profile}.md").read_text("utf-8") for part in ("system", "question")
    )
    return hashlib.sha256(written.encode()).hexdigest()[:12]


def _rendered(brief: Brief, evidence: Sequence[Mapping[str, object]], *, profile: Profile) -> str:
    body: dict[str, Any] = {"evidence": evidence, "question": brief.question, "language": brief.language}
    if earlier := _earlier(brief):
        body["earlier"] = earlier
    said = brief.listener.said if brief.listener is not None else ()
    if said:
        body["said"] = said
    asked = _template(f"question.{profile}.md").render(
        data=as_data(body), language_name=LANGUAGE_NAMES[brief.language]
    )
    return f"{asked}\n{_template('said.md').render()}" if said else asked


def as_data(body: Mapping[str, Any]) -> str:
    """Return JSON whose text can neither end the fence and pose as instructions nor pose as a chat's own frames."""
    return json.dumps(body, ensure_ascii=False).replace("`", "\\u0060").replace("<|", "\\u003c|")


def _worth_reading(evidence: Sequence[Evidence], language: Language) -> Sequence[Evidence]:
    """Leave out what costs more than it tells.

    Passages in another language, where there are enough in the customer's own: mostly they are twins. And what the
    search put last, once there is enough to read: a capable writer has hardly ever cited it, and it is what no
    provider has read before.
    """
    own = [item for item in evidence if detect(item.text, languages=LANGUAGES, previous=language) == language]
    kept = own if len(own) >= ENOUGH else list(evidence)
    tokens, shown = 0, 0
    for item in kept:
        tokens += count(item.text)
        if shown >= ENOUGH and tokens > EVIDENCE_TOKENS:
            break
        shown += 1
    return kept[:shown]


def _earlier(brief: Brief) -> dict[str, list[str]]:
    """Return what is kept of the conversation beyond the messages a model sees."""
    kept = beyond(brief.recall, recent(brief.history))
    facts = [f"{fact.kind}: {fact.text}" for fact in kept.facts]
    return {name: lines for name, lines in (("facts", facts), ("asked", list(kept.said))) if lines}


def _worded(words: dict[Language, str], language: Language) -> str:
    return words.get(language) or next(iter(words.values()), "")


@cache
def _template(name: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    return environment.get_template(name)
