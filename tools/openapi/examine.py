"""Whether a described system answers: it is asked for a customer who cannot be there."""

from collections.abc import Iterator
from contextlib import contextmanager

from tools.context import CustomerId
from tools.errors import Declined, NotFound, Unavailable
from tools.openapi.asking import Asking
from tools.openapi.document import Operation
from tools.openapi.mapped import Mapped
from tools.openapi.system import System
from tools.outside.values import filled

NOBODY = CustomerId("000000")
NO_UUID = CustomerId("00000000-0000-4000-8000-000000000000")
"""Nobody where ids are UUIDs: another form may be turned away before the key is even looked at."""


async def examined(system: System, asking: Asking) -> str:
    """Return how it is with the system. Raises `Unavailable`, `Rejected`."""
    tools = f"{len(system.plugged)} tools"
    finder = system.customers.get("by_id")
    if finder is not None:
        arguments = {
            **finder.reading.fixed,
            **{name: _nobody(finder.operation, name) for name in finder.reading.takes},
        }
        with _absent():
            await asking.one(finder.reading, finder.operation, arguments, owner=None)
        return f"{system.name}: answers; customers, {tools}"
    tool = next((each for each in system.tools if _askable(each)), None)
    if tool is None:
        return f"{system.name}: {tools}; none can be asked without a customer's words"
    sent = filled(tool, {}, owner=NOBODY, language="en")
    ask = asking.many if tool.reading.rows else asking.one
    with _absent():
        await ask(tool.reading, tool.operation, sent, owner=NOBODY)
    return f"{system.name}: answers; {tools}"


def _nobody(operation: Operation, argument: str) -> CustomerId:
    schema = operation.takes.schema["properties"].get(argument, {})
    return NO_UUID if schema.get("format") == "uuid" else NOBODY


@contextmanager
def _absent() -> Iterator[None]:
    """Nobody is to be found; to customers a forbidden record is absent too, but here it speaks of the key."""
    try:
        yield
    except NotFound as absent:
        refusal = absent.__cause__
        if isinstance(refusal, Declined) and refusal.status == 403:
            raise Unavailable(str(refusal), remedy=refusal.remedy) from absent


def _askable(tool: Mapped) -> bool:
    """Whether it changes nothing and needs nothing a model fills."""
    needed = set(tool.definition.schema.get("required") or ())
    return tool.rule.effect == "read" and not needed & tool.kinds.keys()
