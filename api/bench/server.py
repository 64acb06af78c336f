"""A real server process on a throw-away data folder, for the length of a block."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import httpx

from api.settings import PREFIX, Settings, inherited

SECRET = "0123456789abcdef" * 4
"""Signs identities on the throw-away data folder of a bench, nothing else."""
START_SECONDS = 600
STOP_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that is ready: its process, its address, the seconds it took to start."""

    process: subprocess.Popen[bytes]
    address: str
    started_s: float


@asynccontextmanager
async def running(settings: Settings, data: Path, *, log: Path, port: int = 0) -> AsyncIterator[Server]:
    """Run `mayak serve` on `data` until the block ends, on a free port where none is given.

    Raises `RuntimeError` with the server's last words if it ends early.
    """
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    began = perf_counter()
    words = log.open("ab")
    process = subprocess.Popen(  # noqa: ASYNC220 – starting takes a millisecond, and nothing else runs yet
        [sys.executable, "-m", "api.cli", "serve"],
        env=_environment(settings, data, port),
        stdout=words,
        stderr=words,
    )
    try:
        await _ready(address, process, log=log)
        yield Server(process=process, address=address, started_s=perf_counter() - began)
    finally:
        _ended(process)
        words.close()


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment(settings: Settings, data: Path, port: int) -> dict[str, str]:
    return {
        **{name: value for name, value in inherited().items() if not name.startswith(PREFIX)},
        "MAYAK_DATA": str(data),
        "MAYAK_PORT": str(port),
        "MAYAK_COMPANY": str(settings.company.resolve()),
        "MAYAK_EMBEDDER": settings.embedder,
        "MAYAK_MODEL": settings.model,
        "MAYAK_MODEL_URL": settings.model_url,
        "MAYAK_MODEL_KEY": settings.model_key,
        "MAYAK_MODEL_EXTERNAL": "yes" if settings.model_external else "no",
        "MAYAK_IDENTITY_SECRET": SECRET,
        "MAYAK_QUIET_MS": str(settings.quiet_ms),
        # Nobody is written to by a trial.
        "MAYAK_SENDER": "outbox",
        "MAYAK_LOG_LEVEL": "warning",
    }


async def _ready(address: str, process: subprocess.Popen[bytes], *, log: Path) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        deadline = perf_counter() + START_SECONDS
        while perf_counter() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"The server ended: {log.read_text('utf-8', 'replace')[-2000:]}")
            try:
                if (await client.get(f"{address}/readyz")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
    raise TimeoutError(f"The server was not ready within {START_SECONDS} s.")
