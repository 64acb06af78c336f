"""Copies of this working tree, for tests that change files and run the project's own commands on the result."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

LEFT_OUT = (".git", ".venv", "data", "node_modules", "*.egg-info", ".*_cache", "__pycache__")


def copied(folder: Path) -> Path:
    """Copy the files of this tree, changed and new ones too, into `folder` and return it."""
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    if done.returncode:
        return Path(shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT)))
    for name in done.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    return folder


def run(*command: str, tree: Path, seconds: float = 600, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a copied tree; `python` is this one, and the tree's own code comes before the installed."""
    binaries = Path(sys.executable).parent
    known = {name: value for name, value in os.environ.items() if not name.startswith("MAYAK_")}
    environment = known | {"PYTHONPATH": str(tree), "MAYAK_TEST_BIN": str(binaries), **settings}
    environment["PATH"] = f"{binaries}{os.pathsep}{environment.get('PATH', os.defpath)}"
    return subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )
