"""The process that reads files, one after another; it is given bytes and gives JSON, and may do nothing else.

```
stdin   4 bytes length, {"name", "size", "start", "limits"}, then the bytes      for each file
stdout  4 bytes length, one part                                                 for each document
        4 bytes length, {"done": true}                                           at the file's end
```
Its limits: memory, processor time, open files, no files written, no network where the system lets it give that up.
"""

import ctypes
import json
import os
import resource
import signal
import struct
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_FILES = 64
_HEADER = 1_000_000
_LOOK_SECONDS = 1.0


def main() -> None:
    """Serve until the input ends, or the process that asked is gone."""
    _confine()
    _leave_with(os.getppid())
    # The readers' own modules are loaded before the first file: its clock is already running then.
    from knowledge.load import Limits
    from knowledge.reading.bundles import parts

    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    _send(stdout, {"ready": True})
    while (job := _receive(stdin)) is not None:
        limits = Limits(**job["limits"])
        data = stdin.read(job["size"])
        _allow(limits)
        try:
            for part in parts(data, name=job["name"], limits=limits, start=job["start"]):
                _send(stdout, {"part": asdict(part)})
                _allow(limits)
        except MemoryError:
            _send(stdout, {"memory": True})
        _send(stdout, {"done": True})


def _confine() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        ctypes.CDLL(None).unshare(_NEW_USER | _NEW_NET)
    except (OSError, AttributeError):
        # Not Linux: the network is then kept away by nothing but the code being a reader.
        return


def _leave_with(parent: int) -> None:
    """End when the parent has ended, even in the middle of a document: nobody would stop a long one."""

    def look(*_: object) -> None:
        if os.getppid() != parent:
            os._exit(1)

    # A timer and not a thread: a thread's memory would count against the limit.
    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, _LOOK_SECONDS, _LOOK_SECONDS)


def _allow(limits: Any) -> None:
    """Give the next document its share of processor time and memory."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime + limits.seconds) + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))
    ceiling = resource.getrlimit(resource.RLIMIT_AS)[1]
    if ceiling == resource.RLIM_INFINITY or limits.memory <= ceiling:
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))


def _receive(stream: BinaryIO) -> dict[str, Any] | None:
    head = stream.read(4)
    if len(head) < 4:
        return None
    (size,) = struct.unpack(">I", head)
    job: dict[str, Any] = json.loads(stream.read(min(size, _HEADER)))
    return job


def _send(stream: BinaryIO, message: dict[str, Any]) -> None:
    body = json.dumps(message, ensure_ascii=True).encode()
    stream.write(struct.pack(">I", len(body)) + body)
    stream.flush()


if __name__ == "__main__":
    main()
