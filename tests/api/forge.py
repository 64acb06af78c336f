"""Starts real servers quickly: everything heavy is imported once, every server is a fork of that.

Reads one JSON line a server from stdin ({"environment": {...}, "newer": bool}), answers with its process id.
A forked server runs exactly what `mayak serve` runs. At the end of stdin the last one is killed.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any


def main() -> None:
    import chromadb  # noqa: F401
    import dbos  # noqa: F401

    import agent.extractive  # noqa: F401
    import api.serving  # noqa: F401
    from agent import grounding, language

    language.warm()
    grounding.warm()
    child = 0
    for line in sys.stdin:
        order = json.loads(line)
        if child:
            # A killed process lives on for a moment, and with it its hold on the data folder.
            os.waitpid(child, 0)
        child = os.fork()
        if child == 0:
            _serve(order["environment"], newer=order["newer"])
        print(child, flush=True)
    if child:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _serve(environment: Mapping[str, str], *, newer: bool) -> None:
    code = 1
    try:
        log = os.open(environment["FORGE_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        from api.serving import run
        from api.settings import read_settings

        if newer:
            _become_newer()
        run(read_settings(environment))
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _become_newer() -> None:
    """Stand in for the next release: another version, and a turn that takes a new step first."""
    import api.main
    from agent.scene import Scene
    from agent.turn import Turn

    api.main.VERSION = "9.9.9"
    before = Turn._scene

    async def scene(self: Turn, turn: Any, steps: Any, watch: Any) -> Scene:
        async def new() -> bool:
            return True

        await steps.run("new in this release", new, of=bool)
        return await before(self, turn, steps, watch)

    Turn._scene = scene  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
