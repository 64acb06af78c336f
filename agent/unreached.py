"""What a turn wanted to know or to do and could not, because a system did not answer. Pure.

```
call failed ─► the same answered before or after? ────┬─ yes ─► nothing is missing
                                                      └─ no ──► what it was for, in the tools' words ─┐
call answered, a part of it did not ─► the part, in the tools' words ─────────────────────────────────┴─► one fixed sentence
```
Whatever a writer makes of such calls, the customer is told of them: a writer's own words about them are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.domain import Draft, ToolUse
from agent.ports import Actions
from tools.context import Language
from tools.phrases import Phrases

UNANSWERED = frozenset({"unavailable", "declined", "tool_fault", "unreadable_shop"})
"""Faults that leave open what was asked, as against an answer such as `not_found`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreached:
    """What could not be done, each as the tools say it, or "" where they have no words; `changes`: whether a change is
    among it, which then did not happen."""

    what: tuple[str, ...] = ()
    changes: bool = False

    def __bool__(self) -> bool:
        return bool(self.what)


def silent(use: ToolUse) -> bool:
    """Return whether something of the call was left unanswered."""
    return _failed(use) or bool(_parts(use))


def unreached(tools: Sequence[ToolUse], *, actions: Actions, language: Language) -> Unreached:
    """Return what the turn's calls left unanswered; a call that was answered when it was made again leaves nothing."""
    failed: dict[tuple[str, str], None] = {}
    answered: dict[tuple[str, str], tuple[str, ...]] = {}
    for use in tools:
        named = use.name, actions.unreached(use.name, use.arguments, language)
        if use.ok:
            answered[named] = _parts(use)
        elif _failed(use):
            failed[named] = None
    open_ = [named for named in failed if named not in answered]
    lacking = [part for found in answered.values() for part in found]
    return Unreached(
        what=tuple(dict.fromkeys((*(words for _, words in open_), *lacking))),
        changes=any(actions.effect(name) == "write" for name, _ in open_),
    )


def told(missed: Unreached, *, phrases: Phrases, language: Language) -> str:
    """Return the sentence that names what could not be reached; "" for nothing."""
    if not missed:
        return ""
    unnamed = phrases.say("unreached.something", language)
    what = dict.fromkeys(words or unnamed for words in missed.what)
    said = [phrases.say("unreached.told", language, what=list(what))]
    if missed.changes:
        said.append(phrases.say("unreached.nothing_changed", language))
    return " ".join(said)


def without_faults(draft: Draft) -> Draft:
    """Return the draft without what it says of failed calls, and of nothing else: the house says that itself."""
    failed = {f"tool:{use.name}:{n}" for n, use in enumerate(draft.tools, start=1) if _failed(use)}
    their_words = {
        str(words) for use in draft.tools if _failed(use) for words in use.result.get("sentences", ())
    }
    return replace(
        draft,
        sentences=tuple(
            sentence
            for sentence in draft.sentences
            if sentence.text not in their_words and not (sentence.refs and failed.issuperset(sentence.refs))
        ),
    )


def _failed(use: ToolUse) -> bool:
    return not use.ok and use.fault in UNANSWERED


def _parts(use: ToolUse) -> tuple[str, ...]:
    told = use.result.get("unreached")
    return tuple(map(str, told)) if use.ok and isinstance(told, list | tuple) else ()
