"""A third-party provider that misbehaves to order: `@copilotkit/aimock` from npm, installed once outside the checkout."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.starting import answering

PACKAGE, VERSION = "@copilotkit/aimock", "1.43.0"
SECONDS_TO_INSTALL = 180
SECONDS_TO_START = 20


class NoNode(Exception):
    """It cannot be had on this machine; the words say why."""


def installed() -> Path:
    """Return the command's script, installing the pinned version where it is absent. Raises `NoNode`."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NoNode("node and npm are not installed")
    cache = (
        Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mayak-tests" / f"aimock-{VERSION}"
    )
    script = cache / "node_modules" / PACKAGE / "dist" / "cli.js"
    if not script.exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(cache)]
        done = subprocess.run(
            [*command, f"{PACKAGE}@{VERSION}"],
            capture_output=True,
            text=True,
            timeout=SECONDS_TO_INSTALL,
            check=False,
        )
        if not script.exists():
            raise NoNode(f"npm could not install {PACKAGE}@{VERSION}: {done.stderr[-300:]}")
    return script


@contextmanager
def aimock(fixtures: Sequence[dict[str, Any]], *, folder: Path) -> Iterator[str]:
    """Run the server on the loopback with these fixtures; yields the base URL. Raises `NoNode`."""
    script = installed()
    path = folder / "fixtures.json"
    path.write_text(json.dumps({"fixtures": list(fixtures)}, ensure_ascii=False), "utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "aimock.log").open("w") as log:
        command = ["node", str(script), "--port", str(port), "--fixtures", str(path)]
        process = subprocess.Popen([*command, "--strict"], stdout=log, stderr=log, cwd=folder)
        try:
            answering(
                f"http://127.0.0.1:{port}/v1/models",
                process,
                log=folder / "aimock.log",
                seconds=SECONDS_TO_START,
            )
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(10)
