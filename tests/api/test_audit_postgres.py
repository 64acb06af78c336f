"""Two processes write into the audit of one PostgreSQL at the same time: one chain, unbroken, with every line of both."""

import json
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from agent.records.audit import SqlAudit
from agent.records.engine import connect
from api.container import SystemClock
from api.migrate import migrate

pytestmark = [pytest.mark.heavy, pytest.mark.postgres]

ROOT = Path(__file__).resolve().parents[2]
LINES = 150
WRITER = """
import asyncio, json, sys
from agent.records.audit import SqlAudit
from agent.records.chain import Entry, Subject
from agent.records.engine import connect
from api.container import SystemClock

async def main(url, name, lines):
    engine = connect(url)
    trail = SqlAudit(engine, clock=SystemClock())
    async def write(n):
        # The same subjects in both: a key that one makes is the other's too.
        await trail.write(Entry(act="customer.read", actor=name, about=Subject(f"customer:{n % 7}"), detail={"n": n}))
    print("ready", flush=True)
    sys.stdin.readline()
    for start in range(0, lines, 5):
        await asyncio.gather(*(write(n) for n in range(start, start + 5)))
    await engine.dispose()

asyncio.run(main(*json.loads(sys.argv[1])))
"""


def written_at_once(database: str) -> None:
    """Let both write, from the moment both stand ready."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, json.dumps([database, name, LINES])],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, err = writer.communicate(timeout=120)
        assert writer.returncode == 0, err


async def test_two_processes_that_write_at_once_keep_one_unbroken_chain(postgres_database: str) -> None:
    migrate(postgres_database)
    written_at_once(postgres_database)
    engine = connect(postgres_database)
    try:
        trail = SqlAudit(engine, clock=SystemClock())
        verdict = await trail.verified()
        lines = await trail.listed(act="customer.read", limit=10 * LINES)
    finally:
        await engine.dispose()
    assert verdict.holds, verdict.faults
    numbers = [line.n for line in lines]
    assert numbers == sorted(set(numbers), reverse=True)
    told = Counter((line.fields.actor, line.fields.detail["n"]) for line in lines if line.fields)
    assert told == Counter((name, n) for name in ("one", "two") for n in range(LINES))
    actors = [line.fields.actor for line in lines if line.fields]
    assert sum(a != b for a, b in pairwise(actors)) > 10, "they did not write at once"
