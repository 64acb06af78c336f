"""«Удалите мои данные»: asked once more by two buttons, then written down for the job that does it. No model.

```
words ─► nobody's conversation, or surely the customer's? ─no─► who are you? (the request waits for a code)
                     │yes
                     ▼
        what will go, two buttons ─► yes ─► request ─► its number        no ─► nothing happens
```
"""

from agent.closing import Closing
from agent.domain import Action, Answered, Button, Draft, Reply, TurnRecord, Waiting
from agent.moves import Erase
from agent.policy.rights import rights_of
from agent.ports import Records
from agent.reception import ERASE
from agent.scene import Scene


class Forgetting:
    """The turns in which somebody asks to be forgotten."""

    def __init__(self, *, records: Records, closing: Closing) -> None:
        self.records = records
        self.closing = closing

    async def take(self, scene: Scene, move: Erase, *, text: str) -> TurnRecord:
        """Ask, carry out or drop; who is not surely the customer is asked who they are first."""
        if move.yes is False:
            return self._said(scene, "erase.kept")
        if "erase" not in rights_of(scene.caller.customer_id, scene.caller.assurance):
            return self.closing.needed(scene, Draft(kind="need", need="sign_in"), question=text)
        if move.yes is None:
            return self._asked(scene)

        async def ask() -> str:
            return await self.records.ask_erasure(scene.turn)

        request = await scene.steps.run("erasure", ask, of=str)
        return self._said(scene, "erase.begun", request=request)

    def _asked(self, scene: Scene) -> TurnRecord:
        known = scene.caller.customer_id is not None
        buttons = tuple(
            Button(label=self._words(scene, key), action=Action(kind="confirm", target=ERASE, yes=yes))
            for key, yes in (("button.erase_yes", True), ("button.erase_no", False))
        )
        reply = Reply(text=self._words(scene, "erase.ask" if known else "erase.ask_talk"), buttons=buttons)
        waiting = Waiting(what="confirmation", target=ERASE)
        return self.closing.identity(scene, waiting, reply, proving="", parked="")

    def _said(self, scene: Scene, key: str, **facts: object) -> TurnRecord:
        reply = Reply(text=self._words(scene, key, **facts))
        return self.closing.identity(scene, Answered(), reply, proving="", parked="")

    def _words(self, scene: Scene, key: str, **facts: object) -> str:
        return self.closing.phrases.say(key, scene.language, **facts)
