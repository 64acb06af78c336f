"""A third-party provider that misbehaves to order: `@copilotkit/aimock` from npm, installed once outside the checkout."""

import json
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.npm import installed
from tests.starting import answering

PACKAGE, VERSION = "@copilotkit/aimock", "1.43.0"
SECONDS_TO_INSTALL = 180
SECONDS_TO_START = 20


@contextmanager
def aimock(fixtures: Sequence[dict[str, Any]], *, folder: Path) -> Iterator[str]:
    """Run the server on the loopback with these fixtures; yields the base URL. Raises `NoNode`."""
    script = installed(PACKAGE, VERSION, "dist/cli.js", seconds=SECONDS_TO_INSTALL)
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
