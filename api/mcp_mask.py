"""What another agent reads of a customer, masked as what a model outside reads is. Blocking: call it in a thread.

Who stands behind a key is outside the company, so the pack's one rule holds for both (`[privacy] model_external`).
Passages of documents are the company's own and are published.
"""

from typing import Any

from agent.pack import Pack
from agent.privacy.detect import thorough
from agent.privacy.vault import Vault


def masked(answer: dict[str, Any], *, pack: Pack) -> dict[str, Any]:
    """Return a tool's answer with placeholders for personal data, or as it is where the pack lets it be read plain."""
    privacy = pack.policy.privacy
    if privacy.model_external != "masked":
        return answer
    never = frozenset(word.lower() for word in privacy.never)
    found: dict[str, Any] = Vault(thorough(frozenset(privacy.also), never)).masked(answer)
    return found
