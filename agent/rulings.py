"""Every objection the rules have to a sentence, each by itself; `contradiction` stops at the first of them. Pure."""

from collections.abc import Sequence

from agent import contradiction as rules
from agent import lexicon
from agent.clauses import Clause, clauses
from agent.contradiction import Ground
from agent.naming import names_occur, quoted_occur
from knowledge.text.quantities import quantities

NAMES = ("number", "homeless", "rival_number", "rival", "denied", "opposed", "spared", "substituted", "names")
"""Objections by name, as `found` returns them."""


def found(said: str, ground: Ground) -> dict[str, float]:
    """Return of each objection how many clauses of the sentence it holds for; across languages 1 or 0."""
    out = dict.fromkeys((*NAMES, "across"), 0.0)
    if rules.script(said) != rules.script(ground.place):
        verdict = rules.across(said, ground)
        out["across"] = {None: 0.0, "number": 1.0, "negation": 1.0, "unsupported": 0.5}[verdict]
        return out
    given = clauses(ground.whole)
    rare = rules.rarity(given, lexicon.meaning(ground.title))
    topic = frozenset(
        one.value for one in quantities(f"{ground.title}. {ground.opening}") if rules.names_thing(one)
    )
    for claim in clauses(said):
        homes = rules.closest(claim, given, rare, topic=topic)
        if not homes:
            out["homeless"] += bool(claim.numbers)
            continue
        for name in _at_home(claim, homes, given, ground, rare):
            out[name] += 1.0
        for name in _with_rivals(claim, homes, given, rare):
            out[name] += 1.0
    return out


def _at_home(
    claim: Clause, homes: Sequence[Clause], given: Sequence[Clause], ground: Ground, rare: rules.Rarity
) -> set[str]:
    near = [clause for clause in given if any(clause.sentence == home.sentence for home in homes)]
    around = "; ".join(clause.text for clause in near)
    wider = around + rules.before(near[0], given) if rules.begins_with_pronoun(around) else around
    holds = {
        "number": rules.wrong_number(claim, homes, near, given, ground),
        "denied": rules.denied_otherwise(claim, near, rare),
        "opposed": lexicon.opposed(claim.text, around),
        "spared": rules.spared(claim, homes),
        "substituted": claim.sentence == 0 and not claim.before and rules.substituted(claim, homes, ground),
        "names": not (names_occur(claim.text, wider, ground) and quoted_occur(claim.text, wider, ground)),
    }
    return {name for name, true in holds.items() if true}


def _with_rivals(
    claim: Clause, homes: Sequence[Clause], given: Sequence[Clause], rare: rules.Rarity
) -> set[str]:
    kinds = {
        kind
        for rival in given
        if (kind := rules.rivalry(claim, rival, homes)) and rules.belongs(claim, rival, homes, rare)
    }
    return {"rival_number" if kind == "number" else "rival" for kind in kinds}
