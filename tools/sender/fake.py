"""A sender in memory, for tests and trials."""

from tools.contacts import By
from tools.sender.port import Letter


class FakeSender:
    """Keeps what it was given; `fail_with` makes every call raise it."""

    def __init__(self, *, ways: frozenset[By] = frozenset({"email", "phone"})) -> None:
        self.ways = ways
        self.sent: list[Letter] = []
        self.fail_with: Exception | None = None

    async def send(self, letter: Letter) -> None:
        if self.fail_with is not None:
            raise self.fail_with
        self.sent.append(letter)
