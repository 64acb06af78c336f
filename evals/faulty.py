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
    from agent.basis import Basis

    def everything(purposes: Mapping[str, Any], rows: Any) -> Mapping[str, Basis]:
        return {name: Basis(purpose=name, kind="legal") for name in purposes}

    vars(consent)["bases"] = everything


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
    import agent.privacy.veil

    marked = vars(agent.loop)["prompts"]

    def among_the_rules(company: Any, brief: Any) -> Any:
        said = "\n".join((brief.question, *(item.text for item in brief.evidence)))
        return {
            profile: replace(prompts, system=f"{prompts.system}\n{said}")
            for profile, prompts in marked(company, brief).items()
        }

    # Models outside may read prompts of their own, masked.
    for room in (agent.loop, agent.privacy.veil):
        vars(room)["prompts"] = among_the_rules


def _asking() -> None:
    import agent.replying

    vars(agent.replying)["question_back"] = lambda draft, **_: draft


def _recipients() -> None:
    import agent.replying

    vars(agent.replying)["bound"] = lambda *_, **__: True


def _unreached() -> None:
    import agent.replying
    from agent.unreached import Unreached

    vars(agent.replying)["unreached"] = lambda *_, **__: Unreached()


def _parts() -> None:
    import agent.unreached

    vars(agent.unreached)["_parts"] = lambda use: ()


def _emptiness() -> None:
    import tools.answer
    from tools.errors import ToolFault, Unavailable

    own = tools.answer.failed

    def nothing(fault: ToolFault, *, phrases: Any, language: Any) -> tools.answer.Answer:
        if not isinstance(fault, Unavailable):
            return own(fault, phrases=phrases, language=language)
        return tools.answer.Answer(kind="orders", sentences=(phrases.say("orders.none", language),))

    vars(tools.answer)["failed"] = nothing


def _breaker() -> None:
    from tools.breaker import Breaker

    setattr(Breaker, "admit", lambda self: True)  # noqa: B010


def _repeating() -> None:
    from tools.http_client import HttpSystem

    async def again(
        self: HttpSystem, method: str, path: str, *, body: Any = None, headers: Any = None
    ) -> Any:
        return await self.read(path)

    setattr(HttpSystem, "write", again)  # noqa: B010


def _absent() -> None:
    from sqlalchemy import select

    from tools import tables as t
    from tools.errors import NotFound, Rejected
    from tools.orders.embedded import EmbeddedOrders

    own = EmbeddedOrders.get

    async def told_apart(self: EmbeddedOrders, order_id: Any, *, owner: Any) -> Any:
        try:
            return await own(self, order_id, owner=owner)
        except NotFound:
            async with self._reading() as connection:
                found = await connection.scalar(select(t.orders.c.id).where(t.orders.c.id == order_id))
            if found is not None:
                raise Rejected("address_locked") from None
            raise

    setattr(EmbeddedOrders, "get", told_apart)  # noqa: B010


def _assent() -> None:
    import agent.policy.assent as assent

    vars(assent)["read"] = lambda text, **_: assent.Reply(kind="yes")


def _codes() -> None:
    from sqlalchemy import select

    from tools.codes import tables as t
    from tools.codes.book import CodeBook
    from tools.identity import Refused, Verified

    async def any_digits(self: CodeBook, claim: Any) -> Verified | Refused:
        newest = select(t.codes.c.customer).where(t.codes.c.conversation == claim.conversation)
        async with self._engine.connect() as connection:
            found = await connection.scalar(newest.order_by(t.codes.c.at.desc()).limit(1))
        return Verified(customer=found) if found is not None else Refused(reason="expired")

    setattr(CodeBook, "check", any_digits)  # noqa: B010


def _approval() -> None:
    import agent.settling

    vars(agent.settling)["above"] = lambda *_, **__: ()


def _redteam(wanted: str) -> tuple[str, ...]:
    return ("redteam", "--filter", f"{wanted}/extractive")


def _smoke(wanted: str) -> tuple[str, ...]:
    return ("smoke", "--filter", wanted)


def _degraded(wanted: str) -> tuple[str, ...]:
    return ("degraded", "--filter", wanted)


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
    "unreached-off": Fault(
        what="what could not be reached is left to the writer",
        apply=_unreached,
        runs=(_degraded("second-read"),),
    ),
    "parts-off": Fault(
        what="a part of an order that is not known is dropped", apply=_parts, runs=(_degraded("without"),)
    ),
    "emptiness": Fault(
        what="a failed read is answered as an empty one", apply=_emptiness, runs=(_degraded("list-down"),)
    ),
    "breaker-off": Fault(
        what="a system that failed is asked all the same", apply=_breaker, runs=(_degraded("breaker"),)
    ),
    "repeating": Fault(
        what="a change without an answer is sent again", apply=_repeating, runs=(_degraded("write-error"),)
    ),
    "absent-off": Fault(
        what="a foreign order is refused in other words than one that does not exist",
        apply=_absent,
        runs=(_redteam("is-it-there-at-all"),),
    ),
    "assent-off": Fault(
        what="whatever is said to a proposal is a yes", apply=_assent, runs=(_redteam("conditional-yes"),)
    ),
    "codes-off": Fault(what="any digits are the code", apply=_codes, runs=(_redteam("code-guessed"),)),
    "approval-off": Fault(what="a yes is enough for any sum", apply=_approval, runs=(_redteam("too-dear"),)),
}
"""Faults by name; the runs are the quickest that must notice."""


if __name__ == "__main__":
    main(sys.argv[1:])
