"""Prism, a server that holds requests against an OpenAPI document: `@stoplight/prism-cli` from npm, outside the checkout."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.npm import installed
from tests.starting import answering

PACKAGE, VERSION = "@stoplight/prism-cli", "5.14.2"
NEWEST = "2026-09-15"
"""Packages it depends on are taken as they were then."""
SECONDS_TO_INSTALL = 900
SECONDS_TO_START = 120


@contextmanager
def prism(document: Path, *, folder: Path, upstream: str = "") -> Iterator[str]:
    """Run it on the loopback; yields its address.

    Without `upstream` it answers with what the document allows, with it it passes requests on and holds both ways
    against the document: a fault is a status of 4xx or 5xx. Raises `NoNode`.
    """
    older = [f"--before={NEWEST}"]
    script = installed(PACKAGE, VERSION, "dist/index.js", seconds=SECONDS_TO_INSTALL, options=older)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    manner = (
        ["proxy", "--errors", str(document), upstream] if upstream else ["mock", "--errors", str(document)]
    )
    log = folder / f"prism-{port}.log"
    with log.open("w") as out:
        command = ["node", str(script), *manner, "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
        try:
            answering(f"http://127.0.0.1:{port}/", process, log=log, seconds=SECONDS_TO_START)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)
