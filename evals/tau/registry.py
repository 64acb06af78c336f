"""Which businesses can be replayed, each loaded only when it is asked for."""

from importlib import import_module
from typing import cast

from evals.tau.domain import Domain
from knowledge.errors import BadRecords

PLACES = {
    "retail": "evals.tau.retail:RETAIL",
    "airline": "evals.tau.airline:AIRLINE",
    "banking_knowledge": "evals.tau.banking:BANKING",
}
"""Name of a business → `module:attribute` of its `Domain`."""


def domain(name: str) -> Domain:
    """Return the business; `BadRecords` when it is unknown or its folder is absent."""
    if name not in PLACES:
        raise BadRecords(f"No domain {name!r}.", remedy=f"Take one of {', '.join(PLACES)}.")
    module, _, attribute = PLACES[name].partition(":")
    try:
        return cast(Domain, getattr(import_module(module), attribute))
    except ModuleNotFoundError as absent:
        # Only the business itself may be absent: a library it misses is another fault and must be seen.
        if absent.name != module:
            raise
        raise BadRecords(
            f"The domain {name!r} has no folder {module.replace('.', '/')} here.",
            remedy="Install a version that has it.",
        ) from absent
