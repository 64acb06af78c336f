"""Reads files in another process, so that a hostile one can hang, explode or crash without anybody noticing.

One process serves many files; it is killed when a document takes too long, and replaced when the next one comes.
"""

import json
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from knowledge.errors import Why
from knowledge.load import FORMATS, Limits, Loaded
from knowledge.reading.bundles import Part
from knowledge.reading.findings import flag_of, note_of
from knowledge.types import LANGUAGES, Format

_ROOT = Path(__file__).resolve().parents[2]
_START = f"import sys; sys.path.insert(0, {str(_ROOT)!r}); from knowledge.reading.reader_process import main; main()"
_STARTING = 60.0
"""Seconds the process may take to be ready: imports on a busy machine."""
_FILES = 1_000
"""Files after which the process is replaced: what leaks does not pile up."""
_FORMS: dict[str, Format] = {form: form for form in (*FORMATS.values(), "jsonl")}


class _Died(Exception):
    """The process ended while it was asked; `late` when it was killed for being slow."""

    def __init__(self, *, late: bool) -> None:
        super().__init__()
        self.late = late


class Readers:
    """A reading process, started when first needed. Blocking; one caller at a time. Close it, or use `with`.

    `started` counts processes. `command` replaces what is run, for tests.
    """

    def __init__(self, *, limits: Limits | None = None, command: tuple[str, ...] = ()) -> None:
        self._limits = limits or Limits()
        self._command = command or (sys.executable, "-I", "-c", _START)
        self._process: subprocess.Popen[bytes] | None = None
        self._served = 0
        self.started = 0

    def __enter__(self) -> "Readers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, data: bytes, *, name: str) -> Iterator[Part]:
        """Give the documents in a file's bytes; one that kills its reader is a part with a reason, the rest goes on."""
        done = 0
        while True:
            fault: _Died | None = None
            try:
                for part in self._asked(data, name=name, start=done):
                    done += 1
                    yield part
            except _Died as died:
                fault = died
            if fault is None:
                return
            self.close()
            yield _lost(fault, self._limits)
            done += 1
            if not name.lower().endswith((".zip", ".jsonl")):
                return

    def close(self) -> None:
        """End the process; the next file starts another."""
        process, self._process, self._served = self._process, None, 0
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    _close(stream)

    def _asked(self, data: bytes, *, name: str, start: int) -> Iterator[Part]:
        process = self._ready()
        stdin, stdout = _streams(process)
        job = {"name": name, "size": len(data), "start": start, "limits": asdict(self._limits)}
        head = json.dumps(job).encode()
        with _Watch(process, seconds=self._limits.seconds + 2) as watch:
            try:
                stdin.write(struct.pack(">I", len(head)) + head)
                stdin.write(data)
                stdin.flush()
            except OSError as fault:
                raise _Died(late=watch.late) from fault
            while "done" not in (message := self._message(stdout, watch)):
                if "memory" in message:
                    raise _Died(late=False)
                yield _part(message["part"])
                watch.again()
        self._served += 1

    def _ready(self) -> subprocess.Popen[bytes]:
        if self._process is not None and (self._served >= _FILES or self._process.poll() is not None):
            self.close()
        if self._process is None:
            # One thread: the reader's limit of memory counts every thread's share.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"},
            )
            self.started += 1
            with _Watch(self._process, seconds=_STARTING) as watch:
                self._message(_streams(self._process)[1], watch)
        return self._process

    def _message(self, stream: BinaryIO, watch: "_Watch") -> dict[str, Any]:
        head = stream.read(4)
        size = struct.unpack(">I", head)[0] if len(head) == 4 else -1
        # Twelve bytes a character: JSON writes a rare letter as two escapes.
        body = stream.read(size) if 0 <= size <= 12 * self._limits.chars + 1_000_000 else b""
        if size < 0 or len(body) < size:
            raise _Died(late=watch.late)
        try:
            message = json.loads(body)
        except ValueError as fault:
            raise _Died(late=False) from fault
        if not isinstance(message, dict):
            raise _Died(late=False)
        return message


class _Watch:
    """Kills a process that takes longer than it may."""

    def __init__(self, process: subprocess.Popen[bytes], *, seconds: float) -> None:
        self._process = process
        self._seconds = seconds
        self._timer: threading.Timer | None = None
        self.late = False

    def __enter__(self) -> "_Watch":
        self.again()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def again(self) -> None:
        """Give the next document the same time."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(self._seconds, self._kill)
        self._timer.daemon = True
        self._timer.start()

    def _kill(self) -> None:
        self.late = True
        self._process.kill()


def _streams(process: subprocess.Popen[bytes]) -> tuple[BinaryIO, BinaryIO]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout  # type: ignore[return-value]


def _close(stream: Any) -> None:
    try:
        stream.close()
    except OSError:
        # What was still to be written has nobody to read it.
        return


def _lost(fault: _Died, limits: Limits) -> Part:
    if fault.late:
        reason = f"reading took over {limits.seconds:.0f} seconds and was stopped."
    else:
        reason = "reading it took more memory or time than is allowed, or broke the reader."
    why: Why = "too_slow" if fault.late else "broke_reader"
    return Part(name="", reason=reason, remedy="Save it again from its program, or split it.", why=why)


def _part(data: dict[str, Any]) -> Part:
    """Return a part from data; the reader is not trusted, so everything is checked."""
    found = data.get("loaded")
    language = next((one for one in LANGUAGES if one == data.get("language")), None)
    return Part(
        name=str(data.get("name", "")),
        id=str(data.get("id", "")),
        language=language,
        reason=str(data.get("reason", "")),
        remedy=str(data.get("remedy", "")),
        why=str(data.get("why", "")),
        loaded=_loaded(found) if isinstance(found, dict) else None,
    )


def _loaded(data: dict[str, Any]) -> Loaded:
    notes = (note_of(str(one["kind"]), str(one["detail"]), str(one["where"])) for one in data["notes"])
    flags = (flag_of(str(one["kind"]), str(one["quote"]), str(one["where"])) for one in data["flags"])
    return Loaded(
        title=str(data["title"]),
        text=str(data["text"]),
        language=next((one for one in LANGUAGES if one == data["language"]), "en"),
        format=_FORMS.get(str(data["format"]), "txt"),
        notes=tuple(note for note in notes if note is not None),
        flags=tuple(flag for flag in flags if flag is not None),
    )
