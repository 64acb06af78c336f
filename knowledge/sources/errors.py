"""What can go wrong on the way to a document outside.

KnowledgeFault
├── Forbidden     an address that must not be asked: not public, not http(s), not allowed by robots.txt
└── Unreachable   nobody answers there, or answers with an error
"""

from knowledge.errors import KnowledgeFault


class Forbidden(KnowledgeFault):
    """The address must not be asked."""

    code = "forbidden_address"


class Unreachable(KnowledgeFault):
    """Nobody answers at the address, or the answer is an error."""

    code = "unreachable"
    retryable = True
