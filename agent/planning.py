"""What the provider-free model does next: call a tool, ask for one detail, or answer. Pure and deterministic.

```
part of the message ─► intent ─┬─ none ─────────────────────────────────────────► Compose: documents
                               ├─ behind a consent or a sign-in ────────────────► Call(ask_consent | ask_sign_in)
                               └─ arguments ─┬─ all there ──────────────────────► Call(tool)
                                             └─ one missing ─┬─ a tool lists it ► Call(that tool)
                                                             │     ├─ said in words ► that one, if it is listed
                                                             │     ├─ one choice ──► go on with it
                                                             │     └─ several ─────► Call(ask_back, options)
                                                             └─ nothing lists it ► Call(ask_back)
after every result the same function is asked again, until it says Compose
```
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from agent.intents import (
    SUPPORTED,
    Argument,
    Documented,
    Intent,
    Offer,
    Reading,
    identifies,
    parts,
    unexplained,
    values,
)
from agent.language import content, says_no, stem, words
from agent.likeness import lexicon, nearest
from agent.plan import Answer, Call, Compose, Desk, Result
from agent.ports import Similarity
from agent.wording import asks, opens_with
from tools.context import Language
from tools.spoken import meant, spoken

MOST_CALLS = 4
LOOK_BACK = 6
"""Earlier messages in which an identifier may have been named."""
MOST_OPTIONS = 6
LONGEST_OPTION = 80


def next_step(
    desk: Desk, *, documented: Callable[[str], Documented], similarity: Similarity | None = None
) -> Call | Compose:
    """Return what to do now. `documented` tells how well the documents meet a question."""
    reading = Reading(
        language=desk.language,
        offers=desk.offers,
        documented=documented,
        similarity=similarity,
        earlier="\n".join(said.text for said in desk.history[-LOOK_BACK:]),
    )
    answers: list[Answer] = []
    later: list[Call] = []
    for part in _requests(desk, reading):
        intent = _meant(part, desk, reading)
        step = _pursue(intent.offer, part, desk) if intent else _documents(part, desk)
        if isinstance(step, Answer):
            answers.append(step)
        elif step.tool in desk.controls:
            later.append(step)
        elif len(desk.results) < MOST_CALLS:
            return step
    return later[0] if later else Compose(answers=tuple(answers))


def _requests(desk: Desk, reading: Reading) -> tuple[str, ...]:
    """Return the parts of the message; a line that only gives a missing detail stays with its request."""
    found: list[str] = []
    for line in desk.question.splitlines():
        if found and _only_a_detail(line, found[-1], reading):
            found[-1] = f"{found[-1]}\n{line}"
            continue
        found += parts(line, reading.intent)
    return tuple(found) or (desk.question,)


def _only_a_detail(line: str, request: str, reading: Reading) -> bool:
    """Tell whether a line answers what an earlier request lacks: its number, or a text of its own."""
    wants = reading.intent(request)
    if wants is None or asks(line):
        return False
    lacks = [a for a in wants.offer.arguments if a.required and not values(a, request)]
    own = reading.intent(line)
    return any(values(a, line) if identifies(a) else own is None for a in lacks)


def _meant(part: str, desk: Desk, reading: Reading) -> Intent | None:
    """Return the part's intent; a bare number after a question of ours takes up what was asked for before."""
    intent = reading.intent(part)
    if intent is not None and (intent.score > SUPPORTED or _spoken_of(part, reading)):
        return intent
    before = [said.text for said in desk.history if said.author == "customer"][-1:]
    if before and (reading.numbers(part) or spoken(part) or _replies(part, desk)):
        resumed = reading.intent(before[0])
        if resumed is not None and _fits_in(resumed.offer, part, desk):
            return resumed
    return intent


def _spoken_of(part: str, reading: Reading) -> bool:
    """Tell whether the part says more than a number."""
    named = {s for value in reading.numbers(part) for s in map(stem, words(value))}
    return bool(set(content(part)) - named)


def _replies(part: str, desk: Desk) -> bool:
    """Tell whether the part answers a question of ours: the last word was a question, and this is none."""
    last = desk.history[-1] if desk.history else None
    asked = last is not None and last.author == "company" and last.text.rstrip().endswith(("?", "."))
    return asked and last is not None and _is_ask_back(last.text, desk.language) and not asks(part)


def _is_ask_back(text: str, language: Language) -> bool:
    return text.rstrip().endswith("?") or any(
        text.startswith(lexicon(lang)["say"][key].split("{")[0])
        for lang in ("ru", "en")
        for key in ("missing",)
    )


def _fits_in(offer: Offer, part: str, desk: Desk) -> bool:
    """Tell whether the part can be the detail the offer lacks."""
    if says_no(part) or offer.control:
        return False
    wanted = [a for a in offer.arguments if a.required]
    return any(values(a, part) or spoken(part) or not identifies(a) for a in wanted)


def _documents(part: str, desk: Desk) -> Answer:
    """Leave the part to the documents; a short question goes on with what the customer said before."""
    earlier = [said.text for said in desk.history if said.author == "customer"][-1:]
    goes_on = opens_with(part, "goes_on", strip=False) or len(content(part)) <= 2
    return Answer(part=part, context=earlier[0] if earlier and goes_on else "")


def _pursue(offer: Offer, part: str, desk: Desk) -> Call | Answer:
    """Return the next call for the offer, or the results that answer the part."""
    if offer.control:
        return Call(tool=offer.tool, arguments=dict(offer.fixed))
    wanted: list[dict[str, Any]] = [{}]
    for argument in offer.arguments:
        given = _given(argument, offer, part, desk)
        if not given and argument.required:
            more = _missing(argument, offer, part, desk)  # a listing call, a question back, or values
            if not isinstance(more, list):
                return more
            given = more
        if offer.writes and _either(argument, given, part, desk):
            return _ask_which([(value, value) for value in given], desk.language)
        if given:
            wanted = [{**arguments, argument.name: value} for value in given for arguments in wanted]
    done: list[Result] = []
    for arguments in wanted[:MOST_CALLS]:
        result = _done(offer.tool, arguments, desk)
        if result is None and len(desk.results) < MOST_CALLS:
            return Call(tool=offer.tool, arguments=arguments)
        if result is not None:
            done.append(result)
    return Answer(part=part, results=tuple(done), personal=offer.personal)


def _either(argument: Argument, given: Sequence[str], part: str, desk: Desk) -> bool:
    """Tell whether the part leaves open which of several things is to be changed: "cancel 1051 or 1045"."""
    if not identifies(argument) or "ask_back" not in desk.controls:
        return False
    between = lexicon(desk.language)["say"]["or"]
    return any(f"{one}{between}{other}" in part for one, other in pairwise(given))


def _given(argument: Argument, offer: Offer, part: str, desk: Desk) -> list[str]:
    """Return the argument's values from the part, else from the whole message, else from what was said."""
    found = values(argument, part)
    if not argument.required:
        return found[:1]
    if identifies(argument):
        return found or values(argument, desk.question) or _aloud(argument, offer, part, desk)
    if "\n" in part:
        return [part.split("\n", 1)[1].strip()]
    return [_without_numbers(text, argument, part, desk) for text in found] or _replied(argument, part, desk)


def _without_numbers(text: str, argument: Argument, part: str, desk: Desk) -> str:
    """Drop an identifier of another argument from the beginning of a free text: “1051 to 5 Gorky Street”."""
    others = [a for o in desk.offers for a in o.arguments if identifies(a) and a.name != argument.name]
    for value in (v for other in others for v in values(other, part)):
        if text.startswith(value):
            rest = text[len(value) :].lstrip(" ,")
            first, _, after = rest.partition(" ")
            text = rest if content(first) else after
    return text


def _aloud(argument: Argument, offer: Offer, part: str, desk: Desk) -> list[str]:
    """Return the identifier said in words, when exactly one of those listed is; else what the conversation is about.

    Nothing while what is listed must be looked up first, or when the words name no listed one: then it is asked for.
    """
    said = spoken(part)
    if not said:
        return _remembered(argument, desk)
    lister = _lister(argument, offer, desk)
    listed = _done(lister.tool, {}, desk) if lister is not None else None
    heard = _heard(argument, part, listed)
    if len(heard) == 1:
        return [*heard]
    waits = lister is not None and listed is None
    return [] if waits or heard or any(one.marked for one in said) else _remembered(argument, desk)


def _heard(argument: Argument, part: str, listed: Result | None) -> tuple[str, ...]:
    """Return which of the identifiers that were listed the part says in words."""
    if listed is None:
        return ()
    told = [value for sentence in listed.sentences for value in values(argument, sentence)]
    return meant(part, [*(value for value, _ in listed.choices.get(argument.name, ())), *told])


def _remembered(argument: Argument, desk: Desk) -> list[str]:
    """Return the identifier the conversation is about: the latest message that names exactly one."""
    for said in reversed(desk.history[-LOOK_BACK:]):
        found = values(argument, said.text)
        if found:
            return found if len(found) == 1 else []
    return []


def _replied(argument: Argument, part: str, desk: Desk) -> list[str]:
    """Return the whole reply when the customer was just asked for this text."""
    return [part.strip()] if _replies(part, desk) and len(words(part)) >= 2 else []


def _missing(argument: Argument, offer: Offer, part: str, desk: Desk) -> Call | Answer | list[str]:
    """Return how to come by a missing argument: what a listing tool shows, or one question back."""
    lister = _lister(argument, offer, desk)
    if lister is None and not offer.personal and not identifies(argument):
        rest = " ".join(unexplained(offer, part))
        return [rest] if rest else _ask_for(argument, desk)
    if lister is None:
        return _ask_for(argument, desk)
    listed = _done(lister.tool, {}, desk)
    if listed is None:
        if len(desk.results) < MOST_CALLS:
            return Call(tool=lister.tool, arguments={})
        return Answer(part=part)
    heard = _heard(argument, part, listed)
    if spoken(part) and not heard and listed.ok:
        return _ask_for(argument, desk)
    choices = [(value, value) for value in heard] or _narrowed(_choices(argument, listed), part, listed)
    if len(choices) == 1:
        return [choices[0][0]]
    if choices and "ask_back" in desk.controls:
        return _ask_which(choices, desk.language)
    return Answer(part=part, results=(listed,), personal=offer.personal)


def _lister(argument: Argument, offer: Offer, desk: Desk) -> Offer | None:
    """Return the tool whose results show values of the argument: one that says so, or one about the same things."""
    ready = [o for o in desk.offers if not o.control and not any(a.required for a in o.arguments)]
    named = [o for o in ready if argument.name in o.fills]
    if named or not identifies(argument) or offer.scope is None:
        return named[0] if named else None
    kin = [o for o in ready if o.scope is not None and _things(o.scope) == _things(offer.scope)]
    return kin[0] if kin else None


def _things(scope: str) -> str:
    """Return what a scope is about: `orders:read` and `orders:write` are about orders."""
    return scope.split(":", 1)[0]


def _choices(argument: Argument, listed: Result) -> Sequence[tuple[str, str]]:
    """Return (value, label) of what was listed; without choices, the values its first telling sentence names."""
    if argument.name in listed.choices:
        return listed.choices[argument.name]
    told = (values(argument, sentence) for sentence in listed.sentences)
    return [(value, value) for value in next(filter(None, told), [])] if listed.ok else []


def _narrowed(choices: Sequence[tuple[str, str]], part: str, listed: Result) -> Sequence[tuple[str, str]]:
    """Keep the choices that are told in most words of the request, when some are."""
    asked = content(part)
    told = [" ".join([label, *(s for s in listed.sentences[1:] if value in s)]) for value, label in choices]
    shared = [sum(1 for one in asked if nearest(one, content(line)) > 0) for line in told]
    most = max(shared, default=0)
    if not most or shared.count(most) == len(choices):
        return choices
    return [choice for choice, n in zip(choices, shared, strict=True) if n == most]


def _ask_which(choices: Sequence[tuple[str, str]], language: Language) -> Call:
    say = lexicon(language)["say"]
    options = [label[:LONGEST_OPTION] for _, label in choices[:MOST_OPTIONS]]
    # A button tells what a number is about; the question names the number alone.
    called = [value if label.startswith(value) else label for value, label in choices[:MOST_OPTIONS]]
    named = say["or"].join(filter(None, [", ".join(called[:-1]), called[-1]]))
    return Call(
        tool="ask_back", arguments={"question": say["choose"].format(options=named), "options": options}
    )


def _ask_for(argument: Argument, desk: Desk) -> Call | Answer:
    if "ask_back" not in desk.controls:
        return Answer(part=desk.question)
    say = lexicon(desk.language)["say"]
    what = _described(argument.description, desk.language)
    question = say["missing"].format(what=what) if what else say["which"]
    return Call(tool="ask_back", arguments={"question": question, "options": []})


def _described(description: str, language: Language) -> str:
    """Return the description in the customer's language: schemas carry both, parted by a middle dot."""
    cyrillic = re.compile(r"[а-яё]", re.IGNORECASE)
    own = [d for d in description.split(" · ") if bool(cyrillic.search(d)) == (language == "ru")]
    if not own:
        return ""
    said = own[0].strip(" .")
    head, colon, rest = said.partition(": ")
    return f"{head[:1].lower()}{head[1:]}" + (f" ({rest})" if colon else "")


def _done(tool: str, arguments: Mapping[str, Any], desk: Desk) -> Result | None:
    key = json.dumps(arguments, sort_keys=True, ensure_ascii=False)
    for result in desk.results:
        if (
            result.tool == tool
            and json.dumps(dict(result.arguments), sort_keys=True, ensure_ascii=False) == key
        ):
            return result
    return None
