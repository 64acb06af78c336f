"""The embedded shop gives the recorded results of the public retail benchmark, step by step and in the end."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from evals.tau.domain import Call, Json, Refused, World
from evals.tau.retail import RETAIL

pytestmark = [pytest.mark.heavy, pytest.mark.evaldata, pytest.mark.timeout(600)]


def rows(evaldata: Path) -> tuple[Any, list[Any]]:
    folder = evaldata / "tau" / "retail"
    traces = (folder / "gold_traces.open.jsonl").read_text("utf-8").splitlines()
    return json.loads((folder / "db.json").read_text("utf-8")), [json.loads(line) for line in traces]


async def told(world: World, call: Call) -> tuple[str, Json]:
    try:
        return "result", await world.call(call)
    except Refused as refused:
        return "error", str(refused)


def plain(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


async def test_every_open_trace_is_matched_step_by_step_and_in_its_final_state(
    evaldata: Path, tmp_path: Path
) -> None:
    database, traces = rows(evaldata)
    wrong: list[str] = []
    for trace in traces:
        calls = [Call(name=s["name"], arguments=s["arguments"], by=s["requestor"]) for s in trace["steps"]]
        world = await RETAIL.open(database, folder=tmp_path / trace["task_id"])
        if not any(call.name in RETAIL.verifies for call in calls):
            owners = {owner for call in calls if (owner := world.owner_of(call)) is not None}
            for owner in owners:
                await world.bind(owner)
        for call, step in zip(calls, trace["steps"], strict=True):
            wanted = ("error", step["error"]) if "error" in step else ("result", step["result"])
            if plain(await told(world, call)) != plain(wanted):
                wrong.append(f"{trace['task_id']} {call.name}")
        if hashlib.sha256(plain(await world.database()).encode()).hexdigest() != trace["final_db_sha256"]:
            wrong.append(f"{trace['task_id']} final state")
        await world.close()
    assert len(traces) >= 57
    assert wrong == []
