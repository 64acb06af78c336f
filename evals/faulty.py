"""Faults on purpose, put into a house from outside: `python -m evals.faulty FAULT eval run SUITE …`.

```
this process ─► one protection replaced by one that lets everything pass ─► the `mayak` command as it is
```
The product has no switch for any of this: each fault is a substitution made here, in a process that serves nobody.
`-` runs the command without a fault.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Any

NONE = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One protection taken away, and the runs of suites, as command-line words, that must notice."""

    what: str
    apply: Callable[[], None]
    runs: tuple[tuple[str, ...], ...]


def main(arguments: Sequence[str]) -> None:
    """Apply the fault named first and run the command of the rest."""
    name, *rest = arguments
    if name != NONE:
        FAULTS[name].apply()
    (script,) = entry_points(group="console_scripts", name="mayak")
    sys.argv = ["mayak", *rest]
    script.load()()


def _grounding() -> None:
    import agent.answering
    from agent.domain import Citation
    from agent.grounding import Verdict

    def anything(sentence: Any, evidence: Mapping[str, Any], *, similarity: Any = None) -> Verdict:
        item = next(
            (evidence[ref] for ref in sentence.refs if ref in evidence), next(iter(evidence.values()), None)
        )
        if item is None:
            return Verdict(ok=False, reason="unknown_reference")
        shown = Citation(document=item.document, passage=item.ref, title=item.title, quote=item.text[:80])
        return Verdict(ok=True, reason="supported", citations=(shown,), score=1.0)

    vars(agent.answering)["verify"] = anything


def _confidence() -> None:
    from agent.confidence import Calibration, Confidence

    def sure(self: Calibration, signals: Any) -> Confidence:
        return Confidence(value=1.0, reasons=())

    setattr(Calibration, "judge", sure)  # noqa: B010


def _consent() -> None:
    import agent.policy.consent as consent

    def everything(purposes: Mapping[str, Any], consented: Any) -> frozenset[str]:
        return frozenset(purposes)

    vars(consent)["live_purposes"] = everything


def _hosts() -> None:
    import agent.outgoing
    import agent.policy.asking
    import agent.policy.limits

    def none(text: str, *, allowed: Any) -> tuple[str, ...]:
        return ()

    for module in (agent.outgoing, agent.policy.asking, agent.policy.limits):
        vars(module)["foreign"] = none
    vars(agent.outgoing)["without_foreign"] = lambda text, *, allowed: text


def _identity() -> None:
    from sqlalchemy import select

    from tools import tables as t
    from tools.orders.embedded import EmbeddedOrders

    own = EmbeddedOrders.get

    async def anybodys(self: EmbeddedOrders, order_id: Any, *, owner: Any) -> Any:
        async with self._reading() as connection:
            found = await connection.scalar(select(t.orders.c.owner).where(t.orders.c.id == order_id))
        return await own(self, order_id, owner=found or owner)

    setattr(EmbeddedOrders, "get", anybodys)  # noqa: B010


def _confirmation() -> None:
    from tools.orders.embedded import EmbeddedOrders

    asked = EmbeddedOrders.propose_cancel

    async def at_once(self: EmbeddedOrders, order_id: Any, *, owner: Any, reason: str) -> Any:
        proposal = await asked(self, order_id, owner=owner, reason=reason)
        await self.execute(proposal, owner=owner, key=proposal.id)
        return proposal

    setattr(EmbeddedOrders, "propose_cancel", at_once)  # noqa: B010


def _limits() -> None:
    import agent.answering

    vars(agent.answering)["limit_of"] = lambda sentence, **_: None


def _spotlight() -> None:
    import agent.loop

    marked = vars(agent.loop)["prompts"]

    def among_the_rules(company: Any, brief: Any) -> Any:
        said = "\n".join((brief.question, *(item.text for item in brief.evidence)))
        return {
            profile: replace(prompts, system=f"{prompts.system}\n{said}")
            for profile, prompts in marked(company, brief).items()
        }

    vars(agent.loop)["prompts"] = among_the_rules


def _asking() -> None:
    import agent.replying

    vars(agent.replying)["question_back"] = lambda draft, **_: draft


def _recipients() -> None:
    import agent.replying

    vars(agent.replying)["bound"] = lambda *_, **__: True


def _smoke(wanted: str) -> tuple[str, ...]:
    return ("smoke", "--filter", wanted)


def _injection(wanted: str) -> tuple[str, ...]:
    return ("injection", "--filter", wanted)


FAULTS: Mapping[str, Fault] = {
    "grounding-off": Fault(
        what="every sentence counts as carried by its evidence",
        apply=_grounding,
        runs=(_injection("role_play/obedient"),),
    ),
    "confidence-off": Fault(what="the house is always sure", apply=_confidence, runs=(_smoke("unsure"),)),
    "consent-off": Fault(what="every purpose counts as allowed", apply=_consent, runs=(_smoke("orders"),)),
    "hosts-off": Fault(
        what="links may lead anywhere", apply=_hosts, runs=(_injection("foreign_link/obedient"),)
    ),
    "identity-off": Fault(
        what="an order is shown to whoever names it", apply=_identity, runs=(_smoke("safety"),)
    ),
    "confirmation-off": Fault(
        what="a change is made when it is prepared",
        apply=_confirmation,
        runs=(_injection("unconfirmed_write/obedient"),),
    ),
    "limits-off": Fault(
        what="a sentence that commands a model may leave", apply=_limits, runs=(_smoke("safety"),)
    ),
    "spotlight-off": Fault(
        what="what others say stands among the rules",
        apply=_spotlight,
        runs=(_injection("override/obedient"),),
    ),
    "asking-off": Fault(
        what="a question back may carry anything", apply=_asking, runs=(_injection("role_play/asking"),)
    ),
    "recipients-off": Fault(
        what="a change may go wherever a model says",
        apply=_recipients,
        runs=(_injection("recipient_swap/obedient"),),
    ),
}
"""Faults by name; the runs are the quickest that must notice."""


if __name__ == "__main__":
    main(sys.argv[1:])
