"""What a model reads, rendered from the Markdown files beside this one.

`system.md` is the same for every customer of one company and day, so that providers can cache it;
`question.md` carries the evidence and the question as one JSON object inside a fence nothing can close.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from agent.pack import Company
from agent.ports import Brief
from agent.recall import beyond, recent
from tools.context import Language

FOLDER = Path(__file__).parent
LANGUAGE_NAMES: dict[Language, str] = {"ru": "Russian", "en": "English"}


def system_prompt(company: Company, *, language: Language, today: str) -> str:
    """Return the rules for the model. Holds nothing about the customer; `today` stands last."""
    return _template("system.md").render(
        company=_worded(company.name, language),
        about=_worded(company.about, language),
        formality=company.voice.formality if language == "ru" else "",
        tone=_worded(company.voice.tone, language),
        forbidden=company.voice.forbidden,
        today=today,
    )


def question_prompt(brief: Brief) -> str:
    """Return the last message: evidence, question and language as JSON, then what to do with them."""
    return _template("question.md").render(data=_data(brief), language_name=LANGUAGE_NAMES[brief.language])


def _data(brief: Brief) -> str:
    body: dict[str, Any] = {
        "evidence": [
            {"ref": item.ref, "title": item.title, "text": item.text, "score": round(item.score, 4)}
            for item in brief.evidence
        ],
        "question": brief.question,
        "language": brief.language,
    }
    if earlier := _earlier(brief):
        body["earlier"] = earlier
    # A passage or a question with ``` in it must not end the fence and pose as instructions.
    return json.dumps(body, ensure_ascii=False, indent=1).replace("`", "\\u0060")


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
