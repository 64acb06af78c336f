"""What a question of a word or two may be about: one question back settles it where a guess would not. Pure."""

from agent.domain import Draft
from agent.language import content
from agent.scene import Scene
from knowledge.types import Retrieval

THIN = 2
"""Words that carry meaning up to which a question without an answer is worth one question back."""
TOPICS = 3


def topics_of(scene: Scene, question: str, retrieval: Retrieval, draft: Draft) -> tuple[str, ...]:
    """Return titles to choose from, in the customer's language; empty when asking back would settle nothing.

    A number, a tool that was called and an earlier question back say that more than a topic is lacking.
    """
    thin = len(content(question)) <= THIN and not any(mark.isdigit() for mark in question)
    if not thin or draft.tools or scene.situation.clarified:
        return ()
    named = (hit.passage.title for hit in retrieval.hits if hit.passage.language == scene.language)
    titles = tuple(dict.fromkeys(named))[:TOPICS]
    return titles if len(titles) > 1 else ()
