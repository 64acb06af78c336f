"""What tests of every business ask: its tools hold no identity, its texts are whole, its recordings still match."""

import copy
import inspect
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from evals.tau.domain import Call, Domain, Refused, Requestor, World
from evals.tau.replay import Replayed, replay_all
from evals.tau.traces import read_database, read_initial, read_traces, tasks_beside
from tools.phrases import LANGUAGES, Phrases
from tools.toolkit import Toolkit

WHO = ("user", "customer_id", "owner", "email", "phone", "caller")


@asynccontextmanager
async def opened(
    domain: Domain, database: Mapping[str, Any], folder: Path, *, owner: str | None = None
) -> AsyncIterator[World]:
    """A world over a copy of the database, for the customer."""
    world = await domain.open(copy.deepcopy(database), folder=folder)
    try:
        if owner is not None:
            await world.bind(owner)
        yield world
    finally:
        await world.close()


async def said(world: World, name: str, by: Requestor = "assistant", /, **arguments: Any) -> Any:
    """Return the result of a call, or the text of its error."""
    try:
        return await world.call(Call(name=name, arguments=arguments, by=by))
    except Refused as refusal:
        return str(refusal)


def identities(kit: Toolkit) -> set[str]:
    """Return arguments of tools that would say who the customer is."""
    return {
        f"{tool.name}.{argument}"
        for tool in kit.tools
        for argument in tool.args
        if any(word in argument for word in WHO)
        and argument not in ("customer_name", "new_email")
        and argument != "customer_max_liability_amount"
    }


def untold(kit: Toolkit) -> list[str]:
    """Return keys of texts a tool needs and does not have, in either language."""
    wanted = []
    for tool in kit.tools:
        wanted += [f"status.{tool.name}", f"cues.{tool.name}", *(f"slots.{one}" for one in tool.args)]
        if (tool.extras or {})["effect"] == "write":
            states = ("done", "already_done", "unknown")
            wanted += [f"confirm.{tool.name}", *(f"effect.{tool.name}.{state}" for state in states)]
    phrases: Phrases = kit.phrases
    return [
        f"{language}: {key}" for language in LANGUAGES for key in wanted if key not in phrases.keys(language)
    ]


def reasons(*modules: Any) -> set[str]:
    """Return every reason the modules turn a customer down for."""
    found = set()
    for module in modules:
        for line in inspect.getsource(module).split("Turned(")[1:]:
            if line.startswith('"') or line.lstrip().startswith('"'):
                found.add(line.lstrip()[1:].split('"')[0])
    return found


async def open_traces(domain: Domain, folder: Path) -> list[Replayed]:
    """Replay the open recordings of a business."""
    traces = folder / "gold_traces.open.jsonl"
    begun = tasks_beside(traces)
    recorded = read_traces(traces, initial=read_initial(begun) if begun else None)
    assert not recorded.faults
    return await replay_all(domain, read_database(folder / "db.json"), recorded.traces)


def same(left: Any, right: Any) -> bool:
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
