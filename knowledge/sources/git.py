"""A Git folder of documents, cloned shallowly by the git program: no hooks, no submodules, no redirects, https only.

The host's address is checked first and git is told to connect to that very address.
"""

import asyncio
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from knowledge.errors import TooLarge
from knowledge.sources.errors import Forbidden, Unreachable
from knowledge.sources.fetch import Fetcher

_COMMIT = re.compile(r"^([0-9a-f]{40,64})\s+HEAD$", re.MULTILINE)
_EVERY = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLimits:
    """What a clone may cost: bytes on disk, seconds; `local` allows file:// addresses."""

    size: int = 500_000_000
    seconds: float = 300.0
    local: bool = False


def is_git(source: str) -> bool:
    """Say whether an address is meant as a repository: `git+https://…`, or ending in `.git`."""
    return source.startswith("git+") or urlsplit(source).path.rstrip("/").endswith(".git")


async def head_of(source: str, *, fetcher: Fetcher, limits: GitLimits | None = None) -> str:
    """Return the newest commit. Raises `Forbidden`, `Unreachable`."""
    allowed = limits or GitLimits()
    url, options = await _safe(source, fetcher=fetcher, limits=allowed)
    command = ["git", *options, "ls-remote", "--", url, "HEAD"]
    said = await asyncio.to_thread(_run, command, limits=allowed, watched=None)
    found = _COMMIT.search(said)
    if found is None:
        raise Unreachable(f"{url} has no commits.", remedy="Check the address.")
    return found.group(1)


async def clone(source: str, folder: Path, *, fetcher: Fetcher, limits: GitLimits | None = None) -> None:
    """Clone the newest state into an empty folder. Raises `Forbidden`, `Unreachable`, `TooLarge`."""
    allowed = limits or GitLimits()
    url, options = await _safe(source, fetcher=fetcher, limits=allowed)
    command = ["git", *options, "clone", "--quiet", "--depth", "1", "--single-branch", "--no-tags"]
    command += ["--no-recurse-submodules", "--template=", "--", url, str(folder)]
    await asyncio.to_thread(_run, command, limits=allowed, watched=folder)


@contextmanager
def folder_for_clone() -> Iterator[Path]:
    """A temporary folder, deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="mayak-git-") as name:
        yield Path(name) / "clone"


async def _safe(source: str, *, fetcher: Fetcher, limits: GitLimits) -> tuple[str, list[str]]:
    """Return the address and the options that keep git on it."""
    url = source.removeprefix("git+")
    scheme = urlsplit(url).scheme
    settings = {
        "protocol.allow": "never",
        "core.hooksPath": "/dev/null",
        "core.symlinks": "false",
        "core.fsmonitor": "false",
        "submodule.recurse": "false",
        "http.followRedirects": "false",
        "http.proxy": "",
        "credential.helper": "",
        "transfer.fsckObjects": "true",
    }
    if scheme == "https":
        address = await fetcher.address(url)
        host, port = urlsplit(url).hostname or "", urlsplit(url).port or 443
        shown = f"[{address}]" if ":" in address else address
        settings |= {"protocol.https.allow": "always", "http.curloptResolve": f"{host}:{port}:{shown}"}
    elif scheme == "file" and limits.local:
        settings["protocol.file.allow"] = "always"
    else:
        raise Forbidden(
            f"{url[:200]} is not an https repository.", remedy="Use https://….git.", why="not_address"
        )
    return url, [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _run(command: Sequence[str], *, limits: GitLimits, watched: Path | None) -> str:
    program = shutil.which("git")
    if program is None:
        raise Unreachable("The git program is not installed.", remedy="Install git.")
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "LC_ALL": "C",
    }
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [program, *command[1:]], stdin=subprocess.DEVNULL, stdout=out, stderr=errors, env=environment
        )
        try:
            _watch(process, limits=limits, watched=watched)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        errors.seek(0)
        out.seek(0)
        if process.returncode != 0:
            said = errors.read(2_000).decode("utf-8", "replace").strip().splitlines()
            last = said[-1][:200] if said else "no reason given"
            raise Unreachable(
                f"git cannot read it: {last}.", remedy="Check the address and that it is public."
            )
        return out.read(100_000).decode("utf-8", "replace")


def _watch(process: "subprocess.Popen[bytes]", *, limits: GitLimits, watched: Path | None) -> None:
    left = int(limits.seconds / _EVERY)
    while True:
        try:
            process.wait(_EVERY)
            break
        except subprocess.TimeoutExpired:
            left -= 1
        if left <= 0:
            raise Unreachable(f"git took over {limits.seconds:.0f} seconds.", remedy="Try again later.")
        if left % 10 == 0:
            _weigh(watched, limits)
    _weigh(watched, limits)


def _weigh(folder: Path | None, limits: GitLimits) -> None:
    if folder is None or not folder.is_dir():
        return
    size = 0
    for file in folder.rglob("*"):
        try:
            size += file.lstat().st_size
        except OSError:
            # git moves its files while it works.
            continue
    if size > limits.size:
        raise TooLarge(
            f"The repository has over {limits.size / 1e6:.0f} MB.", remedy="Keep the documents by themselves."
        )
