"""Which fixed texts go with which ending of a turn."""

from collections.abc import Mapping
from typing import get_args

from agent.domain import Reason
from agent.policy.frank import Named

TOLD: Mapping[Reason, str] = {
    "not_sure": "answer.not_sure",
    "ungrounded": "answer.not_sure",
    "effect_unknown": "person.unknown_effect",
    "needs_approval": "person.needs_approval",
    "model_failed": "trouble.model",
    "internal_error": "trouble.internal",
    "no_help": "answer.no_help",
    "repeated": "answer.no_help",
    "anger": "answer.anger",
    "budget_spent": "trouble.model",
    "restricted": "person.restricted",
    "promise": "answer.promise",
}
"""What the customer is told before the hand-over, by reason; who asked for a person needs no explanation, and what a
system left unanswered is named one by one (`agent.unreached`)."""
CUT: Mapping[Reason, str] = {
    "model_failed": "answer.cut",
    "internal_error": "answer.cut",
    "promise": "answer.promise",
}
"""The same after a part of the answer had left, where it is not for want of anything more to say."""

OFFERING = frozenset(
    ("talk.upset", "talk.no_other", *(f"disclosure.alone.{named}" for named in get_args(Named)))
)
"""Fixed texts under which a person is one tap away."""
ASKING = frozenset(
    ("talk.empty", "talk.unreadable", "talk.go_on", "talk.upset", "talk.other_language", "identity.six")
)
"""Fixed texts that ask for the question itself, or for the code."""
PASSING = frozenset(("say", "person", "ai", "code"))
"""Buttons that are as good the second time; any other answers something that may be over."""
