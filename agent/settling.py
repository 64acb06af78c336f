"""The customer answered a proposal: execute exactly that one, once, or leave everything as it is.

```
Drop ──────────────────────────────► "nothing changed"
Confirm ─► open? ─no─► "nothing to confirm"
             │yes
             ▼
          execute(key = proposal id) ─┬─ done, already_done ─► what happened
                                      ├─ refused, Expired, Unconfirmed, NoBasis ─► why nothing happened
                                      └─ unknown, Unavailable ─► a person checks; never repeated
```
"""

from typing import Any

from agent.closing import Closing
from agent.domain import ToolUse, TurnRecord
from agent.ports import Actions, Notices
from agent.reception import Confirm, Drop
from agent.scene import Scene
from tools.errors import Expired, NoBasis, NotFound, NotIdentified, Rejected, ToolFault, Unconfirmed
from tools.proposal import Proposal

REFUSALS: tuple[type[ToolFault], ...] = (Rejected, NotFound, NotIdentified, NoBasis, Unconfirmed)


async def settle(
    scene: Scene, move: Confirm | Drop, *, actions: Actions, closing: Closing, notices: Notices
) -> TurnRecord:
    """Return the record of the settled proposal; the effect happens at most once per proposal id."""
    proposal = scene.situation.proposal
    if proposal is None or str(proposal["id"]) != move.proposal:
        return closing.fixed(scene, "confirm.none")
    if isinstance(move, Drop):
        text = closing.phrases.say("confirm.refused", scene.language)
        return closing.settled(scene, text, closed=(move.proposal, "refused"))
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
