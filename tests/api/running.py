"""`mayak serve` in a process of its own, on a free port of the loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

START_SECONDS = 120


@dataclass(frozen=True)
class Server:
    """Where it answers and what it writes to."""

    address: str
    data: Path

    def password(self, login: str) -> str:
        """Return the password made for a demo member of staff."""
        known = self.data / "staff.demo.json"
        return str(json.loads(known.read_text("utf-8"))[login])

    @property
    def log(self) -> str:
        return (self.data / "server.log").read_text("utf-8")


@contextmanager
def running(data: Path, **settings: str) -> Iterator[Server]:
    """Run it over a data folder; `settings` are named without their prefix, `embedder="use"`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAYAK_")}
    own = {"data": str(data), "port": str(port), **settings}
    environment |= {f"MAYAK_{name.upper()}": value for name, value in own.items()}
    found = Server(f"http://127.0.0.1:{port}", data)
    with (data / "server.log").open("wb") as log:
        command = [sys.executable, "-m", "api.cli", "serve"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            _wait(found, process)
            yield found
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, server.log[-3000:]
        try:
            if httpx.get(f"{server.address}/readyz", trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(server.log[-3000:])
