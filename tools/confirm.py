"""The words before and after a confirmed write."""

from collections.abc import Mapping

from tools.context import Language
from tools.phrases import Phrases
from tools.proposal import Effect, Fact, Proposal


def confirmation(proposal: Proposal, *, phrases: Phrases, language: Language) -> str:
    """Return the question the customer answers with yes or no; every figure in it is the proposal's."""
    question = phrases.say(f"confirm.{proposal.tool}", language, **proposal.facts)
    return _with_refund("confirm.refund", question, proposal.facts, phrases=phrases, language=language)


def effect_text(effect: Effect, *, phrases: Phrases, language: Language) -> str:
    """Return what happened, in one or two sentences."""
    if effect.state == "refused":
        key = f"fault.rejected.{effect.facts.get('reason', '')}"
        return phrases.say(key if phrases.has(key, language) else "fault.rejected.other", language)
    said = phrases.say(f"effect.{effect.proposal.tool}.{effect.state}", language, **effect.facts)
    if effect.state == "unknown":
        return said
    return _with_refund("effect.refund", said, effect.facts, phrases=phrases, language=language)


def _with_refund(
    key: str, said: str, facts: Mapping[str, Fact], *, phrases: Phrases, language: Language
) -> str:
    if "refund" not in facts:
        return said
    to = phrases.say(f"refund_to.{way(facts)}", language, **facts)
    if facts["days_max"] == 0:
        speed = "at_once"
    elif int(facts["days_min"]) <= 1:
        speed = "within"
    else:
        speed = "range"
    return f"{said} {phrases.say(f'{key}.{speed}', language, **{**facts, 'to': to})}"


def way(facts: Mapping[str, Fact]) -> str:
    """Return the text key of a way to pay; a card whose digits the shop does not know has its own."""
    method = str(facts["method"])
    return method if facts["masked"] or method != "card" else "card_unnamed"
