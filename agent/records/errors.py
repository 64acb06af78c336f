"""Faults of the records."""

from typing import ClassVar

from agent.errors import AgentFault


class UnknownConversation(AgentFault):
    """There is no such conversation."""

    code: ClassVar[str] = "unknown_conversation"

    def __init__(self) -> None:
        super().__init__("There is no such conversation.", remedy="Open a new one.")


class UnknownTurn(AgentFault):
    """There is no such turn."""

    code: ClassVar[str] = "unknown_turn"

    def __init__(self) -> None:
        super().__init__("There is no such turn.", remedy="Take the turn's id from a message.")


class TakenAlready(AgentFault):
    """Another person holds the conversation."""

    code: ClassVar[str] = "taken_already"

    def __init__(self, operator: str) -> None:
        super().__init__(
            f"{operator} holds this conversation.", remedy="Reload it, or ask them to hand it over."
        )
        self.operator = operator


class NotYours(AgentFault):
    """Only the person who holds the conversation may do this."""

    code: ClassVar[str] = "not_yours"

    def __init__(self) -> None:
        super().__init__("You do not hold this conversation.", remedy="Claim it first.")


class AnswerFirst(AgentFault):
    """The customer waits for this person's words: it cannot be put aside before."""

    code: ClassVar[str] = "answer_first"

    def __init__(self) -> None:
        super().__init__(
            "The customer waits for an answer.", remedy="Write when you will be back, then put it aside."
        )


class OtherCustomer(AgentFault):
    """The conversation belongs to another customer."""

    code: ClassVar[str] = "other_customer"

    def __init__(self) -> None:
        super().__init__(
            "This conversation belongs to another customer.", remedy="Open a new one for this one."
        )


class UnknownPromise(AgentFault):
    """There is no such promise in the conversation."""

    code: ClassVar[str] = "unknown_promise"

    def __init__(self) -> None:
        super().__init__(
            "There is no such promise.", remedy="Reload the conversation: it may have been erased."
        )


class Superseded(AgentFault):
    """This run of the turn may write nothing any more: a message came before anything was sent."""

    code: ClassVar[str] = "superseded"

    def __init__(self) -> None:
        super().__init__(
            "The turn begins again with a message that came meanwhile.", remedy="Nothing is to be done."
        )


class AuditLost(AgentFault):
    """The audit has no head: nobody can tell any more what its last line was, and none can be added."""

    code: ClassVar[str] = "audit_lost"

    def __init__(self) -> None:
        super().__init__(
            "The audit has lost its head.",
            remedy="Put a backup of the database in its place; mayak audit verify tells how far the lines hold.",
        )
