"""The knowledge base is killed between SQL and the index; nobody ever reads a replaced or retired text."""

import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.knowledge import killed

pytestmark = pytest.mark.heavy

KILLS = int(os.environ.get("MAYAK_TEST_KILLS", "12"))
TIMED = 4
SECONDS = 60
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["tests.knowledge.killed"])


class Processes:
    """Children of this test; whatever still runs at its end is ended."""

    def __init__(self) -> None:
        self._all: list[Any] = []

    def start(self, work: Callable[..., None], *given: object) -> Any:
        process = FORKED.Process(target=work, args=given, daemon=True)
        process.start()
        self._all.append(process)
        return process

    def run(self, work: Callable[..., None], *given: object) -> int:
        process = self.start(work, *given)
        process.join(SECONDS)
        return int(process.exitcode)

    def close(self) -> None:
        for process in self._all:
            if process.is_alive():
                process.kill()
                process.join(SECONDS)
            process.close()


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    made.close()


def killed_by_the_clock(processes: Processes, folder: Path, lot: random.Random) -> int:
    (folder / "opened").unlink(missing_ok=True)
    process = processes.start(killed.change, folder, lot.randint(0, 10**6), 0)
    deadline = time.monotonic() + SECONDS
    while not (folder / "opened").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(lot.uniform(0.0, 0.6))
    os.kill(process.pid, signal.SIGKILL)
    process.join(SECONDS)
    return int(process.exitcode)


@pytest.mark.timeout(600)
def test_a_kill_at_any_point_between_sql_and_index_leaves_nothing_old_to_cite(
    processes: Processes, tmp_path: Path
) -> None:
    lot = random.Random(2026)
    assert processes.run(killed.prepare, tmp_path) == 0
    reader = processes.start(killed.read, tmp_path, tmp_path / "stop", tmp_path / "reader.json")
    left: list[dict[str, Any]] = []
    for n in range(KILLS + TIMED):
        if n < KILLS:
            code = processes.run(killed.change, tmp_path, lot.randint(0, 10**6), lot.randint(1, 60))
        else:
            code = killed_by_the_clock(processes, tmp_path, lot)
        assert code == -signal.SIGKILL
        assert processes.run(killed.look, tmp_path, tmp_path / "left.json") == 0
        found = json.loads((tmp_path / "left.json").read_text())
        counts = [found["counts"]] if found["counts"] else []
        assert set(found["live_before"]) <= set(counts)
        assert found["ok"]
        assert found["found"] == counts
        assert found["hits"] == found["passages"]
        left.append(found)
    (tmp_path / "stop").touch()
    reader.join(SECONDS)
    report = json.loads((tmp_path / "reader.json").read_text())
    assert report["wrong"] == []
    # The test means something only where a kill left the two stores apart, and the reader saw texts come and go.
    assert sum(found["apart"] for found in left) >= 4
    assert any(not found["counts"] for found in left) or len({found["counts"] for found in left}) > 3
    assert report["judged"] > 50
    assert len(report["versions"]) > 5
    print(
        f"{sum(f['apart'] for f in left)} of {len(left)} kills left the stores apart; {report['judged']} reads judged"
    )
