"""The customer answered a proposal: execute exactly that one, once, or leave everything as it is.

```
Drop ──────────────────────────────► "nothing changed"
Confirm ─► open? ─no─► "nothing to confirm"
             │yes
             ├─ above the company's limits ─► a person decides, with the proposal in the card
             ▼
          execute(key = proposal id) ─┬─ done, already_done ─► what happened
                                      ├─ refused, Expired, Unconfirmed, NoBasis ─► why nothing happened
                                      └─ unknown, Unavailable ─► a person checks; never repeated
```
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from agent.closing import Closing
from agent.domain import ToolUse, TurnRecord
from agent.moves import Confirm, Drop
from agent.policy.approval import Over, above, since
from agent.ports import Actions, Notices, Records
from agent.scene import Scene
from tools.errors import Expired, NoBasis, NotFound, NotIdentified, Rejected, ToolFault, Unconfirmed
from tools.proposal import Proposal

REFUSALS: tuple[type[ToolFault], ...] = (Rejected, NotFound, NotIdentified, NoBasis, Unconfirmed)


async def settle(
    scene: Scene,
    move: Confirm | Drop,
    *,
    actions: Actions,
    closing: Closing,
    notices: Notices,
    records: Records,
) -> TurnRecord:
    """Return the record of the settled proposal; the effect happens at most once per proposal id."""
    proposal = scene.situation.proposal
    if proposal is None or str(proposal["id"]) != move.proposal:
        return closing.fixed(scene, "confirm.none")
    if isinstance(move, Drop):
        text = closing.phrases.say("confirm.refused", scene.language)
        return closing.settled(scene, text, closed=(move.proposal, "refused"))
    limits = await _limits(scene, proposal, closing=closing, records=records)
    if limits:
        said = " ".join(actions.confirmation(Proposal.from_dict(proposal), scene.language).split())
        return closing.escalated(
            scene,
            reason="needs_approval",
            question="",
            rejected="\n".join(f"{limit}: {said}" for limit in limits),
            closed_proposal=(move.proposal, "handed_over"),
        )
    status = closing.phrases.say("status.doing", scene.language)
    await notices.status(scene.caller.conversation, scene.turn, status)

    async def effect() -> dict[str, Any]:
        return await _execute(scene, dict(proposal), actions)

    done: dict[str, Any] = await scene.steps.run(f"effect:{move.proposal}", effect, of=dict[str, Any])
    tool = ToolUse(
        name=str(proposal["tool"]),
        arguments=dict(proposal["arguments"]),
        ok=done["state"] in ("done", "already_done"),
        result=done,
        fault="" if done["state"] in ("done", "already_done") else str(done["state"]),
    )
    scene.tally.changed(tool)
    if done["state"] == "unknown":
        return closing.escalated(
            scene,
            reason="effect_unknown",
            question=str(proposal["tool"]),
            tools=(tool,),
            closed_proposal=(move.proposal, "unknown"),
        )
    text = done["text"] or closing.phrases.say(_why(done["state"]), scene.language)
    return closing.settled(scene, text, closed=(move.proposal, str(done["state"])), tools=(tool,))


async def _limits(
    scene: Scene, proposal: Mapping[str, Any], *, closing: Closing, records: Records
) -> tuple[Over, ...]:
    """Return the limits the change is above; none for what would not be carried out anyway."""
    caller, pack = scene.caller, closing.pack
    try:
        confirmed = Proposal.from_dict(proposal)
    except Unconfirmed:
        return ()
    if caller.customer_id != confirmed.owner or caller.now >= confirmed.expires:
        return ()
    owner, begun = confirmed.owner, since(caller.now)
    done = await scene.steps.run("writes", lambda: records.done_since(owner, begun), of=int)
    today = caller.now.astimezone(ZoneInfo(pack.timezone)).date()
    return above(
        confirmed.facts,
        limits=pack.limits.writes,
        done=done,
        today=today,
        currency=pack.company.currency,
    )


async def _execute(scene: Scene, proposal: dict[str, Any], actions: Actions) -> dict[str, Any]:
    """Run the write; every way it can end becomes a value, so that a replay tells the same story."""
    try:
        effect = await actions.execute(Proposal.from_dict(proposal), scene.caller, key=str(proposal["id"]))
    except Expired:
        return {"state": "expired", "text": ""}
    except REFUSALS as refusal:
        return {"state": "refused", "text": "", "code": refusal.code}
    except ToolFault as fault:
        return {"state": "unknown", "text": "", "code": fault.code}
    if effect.state == "unknown":
        return {"state": "unknown", "text": ""}
    return {"state": effect.state, "text": actions.effect_text(effect, scene.language)}


def _why(state: str) -> str:
    return "confirm.expired" if state == "expired" else "confirm.changed"
