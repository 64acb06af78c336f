"""A real Tryton for the tests: installed into an environment of its own, filled once, a fresh copy for whoever writes.

    ~/.cache/mayak-tests/tryton-<digest of pins, seed and shop>/
        env/        its own virtual environment: Tryton is GPL and is spoken to over HTTP only
        filled.sqlite, keys.json

Nothing of it is imported here; `tryton_seed.py` and `tryton_staff.py` run in that environment, through proteus.
"""

import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import pytest

HERE = Path(__file__).parent
SHOP = HERE.parents[1] / "demo" / "shop"
PINS = HERE / "tryton-constraints.txt"
SEED, STAFF = HERE / "tryton_seed.py", HERE / "tryton_staff.py"
PACKAGES = [
    "trytond",
    "trytond-party",
    "trytond-sale",
    "trytond-stock",
    "trytond-web-shop",
    "trytond-sale-shipment-cost",
    "trytond-stock-package-shipping",
    "proteus",
]
MODULES = ["sale", "stock", "web_shop", "sale_shipment_cost", "stock_package_shipping"]
SECONDS_TO_INSTALL = 600
SECONDS_TO_START = 60


class NoTryton(Exception):
    """It cannot be had on this machine; the words say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """An installed Tryton and a database with the demo's people, goods and orders; `keys` are its users'."""

    python: Path
    database: Path
    keys: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server over a folder of databases."""

    address: str
    folder: Path
    filled: Filled
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def database(self) -> str:
        """Return the name of a fresh copy of the filled database."""
        name = f"shop{next(self._numbers)}"
        shutil.copy(self.filled.database, self.folder / f"{name}.sqlite")
        return name

    def settings(self, database: str) -> dict[str, str]:
        """Return the settings of a Mayak whose orders and customers are in this database."""
        return {
            "orders": "tryton",
            "crm": "tryton",
            "tryton_url": self.address,
            "tryton_database": database,
            "tryton_key": self.filled.keys["bot"],
        }

    def staff(self, database: str, *command: str) -> str:
        """Do something as the company's people would, through proteus; return what it printed."""
        conf = self.folder / "trytond.conf"
        return _run([self.filled.python, STAFF, database, conf, *command], seconds=120).strip()


def filled() -> Filled:
    """Return Tryton, installing and filling it where that was not done yet. Raises `NoTryton`."""
    parts = [PINS, SEED, *sorted(SHOP.glob("*.json"))]
    digest = hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mayak-tests"
    folder = cache / f"tryton-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    found = Filled(python=folder / "env" / "bin" / "python", database=folder / "filled.sqlite", keys={})
    # Two runs of the tests must not install into each other.
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            _install(folder)
        if not (folder / "keys.json").exists():
            _fill(folder)
    return Filled(
        python=found.python, database=found.database, keys=json.loads((folder / "keys.json").read_text())
    )


def _install(folder: Path) -> None:
    try:
        _run([sys.executable, "-m", "venv", "--clear", folder / "env"], seconds=120)
        pip = [folder / "env" / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "-q", "install"]
        _run([*pip, "-c", PINS, *PACKAGES], seconds=SECONDS_TO_INSTALL)
    except (RuntimeError, subprocess.TimeoutExpired) as failed:
        raise NoTryton(f"Tryton could not be installed: {str(failed)[-400:]}") from failed
    (folder / "installed").touch()


def _fill(folder: Path) -> None:
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    conf = _configure(work, port=0)
    (work / "shop.sqlite").touch()
    (work / "password").write_text("first-password\n")
    binaries = folder / "env" / "bin"
    admin = [binaries / "python", binaries / "trytond-admin", "-c", conf, "-d", "shop", "--all"]
    options = ["--email", "admin@example.com", "--activate-dependencies", "-u", *MODULES]
    _run(
        [*admin, *options], seconds=SECONDS_TO_INSTALL, environment={"TRYTONPASSFILE": str(work / "password")}
    )
    command = [binaries / "python", SEED, "shop", conf, SHOP, work / "keys.json"]
    _run(command, seconds=SECONDS_TO_INSTALL)
    (work / "shop.sqlite").replace(folder / "filled.sqlite")
    (work / "keys.json").replace(folder / "keys.json")
    shutil.rmtree(work)


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """Run a server on the loopback over databases in `folder`. Raises `NoTryton`."""
    found = filled()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    conf, log = _configure(folder, port=port), folder / "trytond.log"
    with log.open("wb") as out:
        command = [found.python, found.python.with_name("trytond"), "-c", conf]
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
        server = Server(address=f"http://127.0.0.1:{port}", folder=folder, filled=found)
        try:
            _await(server, process, log)
            yield server
        finally:
            process.terminate()
            process.wait(20)


def _configure(folder: Path, *, port: int) -> Path:
    conf = folder / "trytond.conf"
    # Databases come while the server runs: its list of them is kept for as long as a session lasts.
    sections = {
        "web": f"listen = 127.0.0.1:{port}",
        "database": f"uri = sqlite://\npath = {folder}",
        "session": "timeout = 0",
    }
    conf.write_text("".join(f"[{name}]\n{lines}\n" for name, lines in sections.items()))
    return conf


def _await(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"trytond stopped: {log.read_text()[-800:]}")
        try:
            httpx.get(server.address, trust_env=False, timeout=1)
        except httpx.HTTPError:
            time.sleep(0.1)
            continue
        return
    raise RuntimeError(f"trytond did not start: {log.read_text()[-800:]}")


def _run(command: list[str | Path], *, seconds: int, environment: Mapping[str, str] | None = None) -> str:
    # Whatever steers this Python or this Mayak must not steer that one.
    ours = ("PYTHON", "MAYAK_", "VIRTUAL_ENV", "TRYTON")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        [str(part) for part in command],
        env={**inherited, "LC_ALL": "C.UTF-8", **(environment or {})},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[:3]} ended with {done.returncode}: {done.stderr[-1500:]}")
    return done.stdout


@pytest.fixture(scope="session")
def tryton_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Tryton server; each `server.database()` is a shop nobody has touched."""
    try:
        with served(tmp_path_factory.mktemp("tryton")) as server:
            yield server
    except NoTryton as absent:
        pytest.skip(str(absent))


@pytest.fixture(scope="session")
def tryton_shop(tryton_server: Server) -> str:
    """The name of a database that nobody writes to."""
    return tryton_server.database()
