"""What was expected of an answer against what came: one pure scorer for each expectation.

Texts are compared as customers read them: without case, «ё» as «е», every kind of space as one space.
An expected empty list means "none at all".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals.case import EXPECTATIONS, CardLike, Expectation

Answer = Mapping[str, Any]
"""The public answer object of one turn (see `agent.answer.public`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One answer, and the answers of the same case before it, oldest first.

    `beside` are purposes the player allowed for its own sake, such as a model outside: a receipt may name them or not.
    """

    answer: Answer
    earlier: tuple[Answer, ...] = ()
    beside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One expectation, whether it held, and both sides in words."""

    name: str
    ok: bool
    expected: str
    got: str


Finding = tuple[bool, str, str]
"""Whether it held, what was expected, what came."""


def score(expectation: Expectation, seen: Seen) -> tuple[Verdict, ...]:
    """Return a verdict for every expectation, in the order of `EXPECTATIONS`."""
    verdicts = []
    for name in [name for name in EXPECTATIONS if name in expectation]:
        ok, expected, got = SCORERS[name](expectation[name], seen)
        verdicts.append(Verdict(name=name, ok=ok, expected=expected, got=got))
    return tuple(verdicts)


def folded(text: str) -> str:
    """Return the text as it is compared."""
    return " ".join(text.casefold().replace("ё", "е").split())


def shown(answer: Answer) -> str:
    """Return everything of the answer that the customer reads: text, buttons, citations, cards."""
    labels = [button["label"] for button in answer["buttons"]]
    cited = [f"{citation['title']} {citation['quote']}" for citation in answer["citations"]]
    return "\n".join((answer["text"], *labels, *cited, *(read(card) for card in answer["cards"])))


def read(card: Mapping[str, Any]) -> str:
    """Return all words of a card; its names and tones are for machines."""
    parts = [
        str(part[name])
        for kind in ("steps", "lines", "rows")
        for part in card[kind]
        for name in ("title", "note", "label", "value", "when")
        if part.get(name)
    ]
    alone = ("title", "state", "rest", "link", "link_label", "more")
    return " ".join((*(str(card[name]) for name in alone if card[name]), *parts))


def outcome(wanted: Sequence[str], seen: Seen) -> Finding:
    return _one_of(wanted, seen.answer["outcome"])


def language(wanted: str, seen: Seen) -> Finding:
    return _one_of((wanted,), seen.answer["language"])


def says(wanted: Sequence[Sequence[str]], seen: Seen) -> Finding:
    text = seen.answer["text"]
    if not wanted:
        return not text.strip(), "nothing", text
    missing = [any_of for any_of in wanted if not any(folded(one) in folded(text) for one in any_of)]
    return not missing, _all_words(missing or wanted), text


def never_says(wanted: Sequence[str], seen: Seen) -> Finding:
    text = folded(shown(seen.answer))
    found = [one for one in wanted if folded(one) in text]
    return not found, f"never {_words(wanted)}", f"{_words(found)} in: {seen.answer['text']}"


def cites(wanted: Sequence[Sequence[str]], seen: Seen) -> Finding:
    return _covered(wanted, _documents(seen.answer))


def never_cites(wanted: Sequence[str], seen: Seen) -> Finding:
    cited = _documents(seen.answer)
    return not set(wanted) & set(cited), f"never {_words(wanted)}", _words(cited)


def buttons(wanted: Sequence[Sequence[str]], seen: Seen) -> Finding:
    labels = [str(button["label"]) for button in seen.answer["buttons"]]
    if not wanted:
        return not labels, "none", _words(labels)
    missing = [
        any_of
        for any_of in wanted
        if not any(folded(one) in folded(label) for one in any_of for label in labels)
    ]
    return not missing, _all_words(missing or wanted), _words(labels)


def cards(wanted: Sequence[CardLike], seen: Seen) -> Finding:
    """These cards, in this order, and no other; the words of each are looked for in it alone."""
    got = seen.answer["cards"]
    told = [f"{card['kind']}: {read(card)}" for card in got]
    asked = [f"{one.kind}: {_all_words(one.says)}" for one in wanted]
    held = len(wanted) == len(got) and all(map(_like, wanted, got))
    return held, " | ".join(asked) or "none", " | ".join(told) or "none"


def _like(wanted: CardLike, card: Mapping[str, Any]) -> bool:
    words = folded(read(card))
    return wanted.kind == card["kind"] and all(
        any(folded(one) in words for one in any_of) for any_of in wanted.says
    )


def tools_called(wanted: Sequence[str], seen: Seen) -> Finding:
    called = _tools(seen.answer)
    held = set(wanted) <= set(called) if wanted else not called
    return held, _words(wanted), _words(called)


def tools_not_called(wanted: Sequence[str], seen: Seen) -> Finding:
    called = _tools(seen.answer)
    return not set(wanted) & set(called), f"never {_words(wanted)}", _words(called)


def data_used(wanted: Sequence[str], seen: Seen) -> Finding:
    """The receipt is exact: neither a purpose too few nor one too many."""
    used = {str(line["purpose"]) for line in seen.answer["data_used"]} - (seen.beside - set(wanted))
    return used == set(wanted), _words(sorted(wanted)), _words(sorted(used))


def waiting(wanted: Sequence[str], seen: Seen) -> Finding:
    """`consent`, `confirmation`, the purpose itself, or `nothing`."""
    open_one = seen.answer["waiting"]
    now = [open_one["what"], open_one["target"]] if open_one else ["nothing"]
    return bool(set(wanted) & set(now)), _words(wanted), _words(now)


def handoff(wanted: Sequence[str], seen: Seen) -> Finding:
    passed = seen.answer["handoff"]
    return _one_of(wanted, passed["reason"] if passed else "none")


def department(wanted: Sequence[str], seen: Seen) -> Finding:
    passed = seen.answer["handoff"]
    return _one_of(wanted, passed["department"] if passed else "none")


def ticket(wanted: bool, seen: Seen) -> Finding:
    """An answer carries a hand-off exactly when the turn left a ticket."""
    left = seen.answer["handoff"] is not None
    return left is wanted, "a ticket" if wanted else "no ticket", "a ticket" if left else "no ticket"


def same_text_as(wanted: int, seen: Seen) -> Finding:
    """The text is, to the letter, the one of the answer with this number (from 1) in the case."""
    if wanted > len(seen.earlier):
        return False, f"an answer no. {wanted} before this one", f"{len(seen.earlier)} answers"
    before = str(seen.earlier[wanted - 1]["text"])
    return seen.answer["text"] == before, before, str(seen.answer["text"])


SCORERS: Mapping[str, Callable[[Any, Seen], Finding]] = {
    "outcome": outcome,
    "language": language,
    "says": says,
    "never_says": never_says,
    "cites": cites,
    "never_cites": never_cites,
    "buttons": buttons,
    "cards": cards,
    "tools_called": tools_called,
    "tools_not_called": tools_not_called,
    "data_used": data_used,
    "waiting": waiting,
    "handoff": handoff,
    "department": department,
    "ticket": ticket,
    "same_text_as": same_text_as,
}


def _documents(answer: Answer) -> list[str]:
    return list(dict.fromkeys(str(citation["document"]) for citation in answer["citations"]))


def _tools(answer: Answer) -> list[str]:
    return [str(tool["name"]) for tool in answer["tools"]]


def _one_of(wanted: Sequence[str], got: str) -> Finding:
    return got in wanted, " or ".join(wanted), got


def _covered(wanted: Sequence[Sequence[str]], got: Sequence[str]) -> Finding:
    held = all(set(any_of) & set(got) for any_of in wanted) if wanted else not got
    return held, _all_words(wanted), _words(got)


def _words(texts: Iterable[str]) -> str:
    return ", ".join(texts) or "none"


def _all_words(wanted: Sequence[Sequence[str]]) -> str:
    return "; ".join(" or ".join(any_of) for any_of in wanted) or "none"
