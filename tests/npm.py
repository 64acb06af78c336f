"""Programs from npm that tests drive, each installed once outside the checkout, whoever of the workers comes first."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path


class NoNode(Exception):
    """It cannot be had on this machine; the words say why."""


def installed(
    package: str, version: str, script: str, *, seconds: float, options: Sequence[str] = ()
) -> Path:
    """Return a file of a package, installing the pinned version where it is absent. Raises `NoNode`."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NoNode("node and npm are not installed")
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    cache = home / "mayak-tests" / f"{package.rpartition('/')[2]}-{version}"
    found = cache / "node_modules" / package / script
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        # Two installations into one folder tear each other's files away.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            always = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(cache)]
            done = subprocess.run(
                ["npm", "install", *always, *options, f"{package}@{version}"],
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
            if not found.exists():
                raise NoNode(f"npm could not install {package}@{version}: {done.stderr[-300:]}")
    return found
