"""Waiting for somebody else's server that a test started: until it answers, whatever it says."""

import subprocess
import time
from pathlib import Path

import httpx


def answering(
    url: str,
    process: subprocess.Popen[bytes],
    *,
    log: Path,
    seconds: float,
    fault: type[Exception] = RuntimeError,
) -> None:
    """Return when `url` answers. Raises `fault` with the end of the log when it stopped, or after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise fault(f"it stopped: {log.read_text()[-500:]}")
        try:
            httpx.get(url, trust_env=False, timeout=20)
        except httpx.HTTPError:
            time.sleep(0.2)
            continue
        return
    raise fault(f"it did not start: {log.read_text()[-500:]}")
