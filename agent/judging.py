"""A draft held against the company's rules: its voice, its promise, its hosts, and the customer's own words. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent.answering import Judged, check, evidence_of
from agent.confidence import Calibration
from agent.domain import Draft
from agent.pack import Pack
from agent.policy.asking import asked_back, theirs
from agent.policy.voice import fitting
from agent.ports import Similarity
from agent.prompts import PROFILES, system_prompt
from agent.scene import Scene
from knowledge.types import Retrieval


def judge(
    draft: Draft,
    *,
    scene: Scene,
    question: str,
    retrieval: Retrieval,
    pack: Pack,
    calibration: Calibration,
    similarity: Similarity | None,
) -> Judged:
    """Return what of the draft may be said and whether it may be sent."""
    spoken = fitting(draft, voice=pack.company.voice, language=scene.language)
    judged = check(
        spoken.draft,
        question=question,
        retrieval=retrieval,
        language=scene.language,
        calibration=calibration,
        promise=pack.promise,
        similarity=similarity,
        hosts=pack.hosts,
        earlier=[m.text for m in scene.situation.history if m.author == "customer"],
        notes=scene.notes,
    )
    return replace(judged, dropped=(*judged.dropped, *spoken.dropped))


def question_back(draft: Draft, *, scene: Scene, retrieval: Retrieval, pack: Pack) -> Draft:
    """Return the draft of a question back as it may be asked; without a sentence the house asks in its own words."""
    spoken = fitting(draft, voice=pack.company.voice, language=scene.language).draft
    texts = [text for item in (*evidence_of(retrieval), *scene.notes) for text in (item.title, item.text)]
    texts += [json.dumps(use.result, ensure_ascii=False) for use in draft.tools]
    rules = [
        system_prompt(pack.company, language=scene.language, today="", profile=profile)
        for profile in PROFILES
    ]
    return asked_back(spoken, read=texts, said=_customer(scene), hosts=pack.hosts, rules=rules)


def bound(proposal: Mapping[str, Any], recipients: Sequence[str], *, scene: Scene, pack: Pack) -> bool:
    """Whether everything that says where a prepared change goes was said by the customer."""
    said = _customer(scene)
    values = [str(proposal["arguments"].get(name, "")) for name in recipients]
    return all(theirs(value, said, hosts=pack.hosts) for value in values)


def _customer(scene: Scene) -> list[str]:
    """Return the customer's messages, oldest first, those of this turn last."""
    before = [message.text for message in scene.situation.history if message.author == "customer"]
    return [*before, *(incoming.text for incoming in scene.situation.batch)]
