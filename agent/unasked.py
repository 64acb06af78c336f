"""What of a customer an answer may rest on though they did not ask about it: notes as evidence. Pure.

```
notes ─► both consents live, told here, of a kind the company lets be said, in a calm moment, on the question's matter
      └─► Evidence("note:…", «Вы говорили: «у меня цоколь E14»»)   held against like any other
```
Without `personalisation` there is none, so that the answer is the one a stranger gets.
"""

from collections.abc import Mapping, Sequence

from agent.domain import Evidence
from agent.memory import about, may_keep
from agent.notes import Note
from agent.policy.measure import Attribute, Mood, may_mention, mood_of
from agent.scene import Scene, said
from tools.phrases import Phrases

MOST = 4
"""Notes beside one answer; more dilute it."""
EARLIER = 3
"""Customer messages before this one that tell how they are."""


def remembered_evidence(
    scene: Scene, question: str, *, say: Mapping[str, str], phrases: Phrases
) -> tuple[Evidence, ...]:
    """Return the notes that may carry a sentence of the answer, the latest first; `say` is the company's allow-list."""
    notes = scene.situation.notes
    if not notes or not may_keep(scene.caller):
        return ()
    mood = mood_of(_lately(scene))
    fitting = [n for n in reversed(notes) if _may(n, scene, say=say, mood=mood) and about(question, n)]
    return tuple(
        Evidence(
            ref=f"note:{note.id}",
            kind="note",
            title="",
            text=phrases.say("memory.said", scene.language, text=note.text),
        )
        for note in fitting[:MOST]
    )


def _may(note: Note, scene: Scene, *, say: Mapping[str, str], mood: Mood) -> bool:
    # A note in another language would make a sentence in two.
    return note.language == scene.language and may_mention(
        Attribute(name=note.kind, source="said", channel=note.channel),
        say=say,
        purposes=scene.caller.purposes,
        channel=scene.caller.channel,
        mood=mood,
    )


def _lately(scene: Scene) -> Sequence[str]:
    before = [message.text for message in scene.situation.history if message.author == "customer"]
    return [*before[-EARLIER:], *map(said, scene.situation.batch)]
