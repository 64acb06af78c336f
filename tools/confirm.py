"""The words before and after a confirmed write."""

from collections.abc import Mapping

from tools.context import Language
from tools.phrases import Phrases
from tools.proposal import Effect, Fact, Proposal


def confirmation(proposal: Proposal, *, phrases: Phrases, language: Language) -> str:
    """Return the question the customer answers with yes or no; every figure in it is the proposal's."""
    facts = _told(proposal.facts, phrases=phrases, language=language)
    said = phrases.say(f"confirm.{proposal.tool}", language, **facts)
    return _with_money("confirm", said, proposal, facts, phrases=phrases, language=language)


def effect_text(effect: Effect, *, phrases: Phrases, language: Language) -> str:
    """Return what happened, in one to three sentences."""
    if effect.state == "refused":
        key = f"fault.rejected.{effect.facts.get('reason', '')}"
        return phrases.say(key if phrases.has(key, language) else "fault.rejected.other", language)
    facts = _told(effect.facts, phrases=phrases, language=language)
    said = phrases.say(f"effect.{effect.proposal.tool}.{effect.state}", language, **facts)
    if effect.state == "unknown":
        return said
    return _with_money("effect", said, effect.proposal, facts, phrases=phrases, language=language)


def _told(facts: Mapping[str, Fact], *, phrases: Phrases, language: Language) -> dict[str, Fact]:
    """Return the facts with those that are words of the language: the items meant, how is paid, where money goes."""
    told = dict(facts)
    if "items_ru" in facts:
        told["items"] = facts[f"items_{language}"]
    if "charge" in facts:
        paying = {name[len("charge_") :]: fact for name, fact in facts.items() if name.startswith("charge_")}
        told["paying"] = phrases.say(f"paid_by.{way(paying)}", language, **paying)
    if "refund" in facts or "later" in facts:
        told["to"] = phrases.say(f"refund_to.{way(facts)}", language, **facts)
    return told


def _with_money(
    stage: str,
    said: str,
    proposal: Proposal,
    facts: Mapping[str, Fact],
    *,
    phrases: Phrases,
    language: Language,
) -> str:
    """Add what is charged, what returns, and what returns when the goods have come back."""
    keys = [f"{stage}.charge.{proposal.tool}"] if "charge" in facts else []
    if "refund" in facts:
        # A question that has not named the sum yet names it with the way back.
        own = f"{stage}.refund.{proposal.tool}"
        named = phrases.has(f"{own}.within", language)
        keys.append(f"{own if named else f'{stage}.refund'}.{_speed(facts)}")
    if "later" in facts:
        keys.append(f"{stage}.later.{proposal.tool}")
    more = [phrases.say(key, language, **facts) for key in keys if phrases.has(key, language)]
    return " ".join([said, *more])


def _speed(facts: Mapping[str, Fact]) -> str:
    if facts["days_max"] == 0:
        return "at_once"
    return "within" if int(facts["days_min"]) <= 1 else "range"


def way(facts: Mapping[str, Fact]) -> str:
    """Return the text key of a way to pay; one the shop does not know by name has its own, and so has a kept gift card."""
    method = str(facts["method"])
    if method == "gift_card" and facts.get("kept"):
        return "gift_card_kept"
    return method if facts["masked"] or method not in ("card", "wallet") else f"{method}_unnamed"
