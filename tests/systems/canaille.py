"""A real OpenID provider for the tests: Canaille, installed into an environment of its own, filled anew each time.

    ~/.cache/mayak-tests/canaille-<digest of pins>/
        env/        its own virtual environment: its pins would clash with ours

Nothing of it is imported here: it is spoken to over HTTP and by its own command.
"""

import fcntl
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.starting import answering

PINS = Path(__file__).with_name("canaille-constraints.txt")
PACKAGE = "canaille[front,oidc,sqlite,server]"
SECONDS_TO_INSTALL = 600
SECONDS_TO_START = 90
PASSWORD = "correct horse battery"
PEOPLE: Mapping[str, str] = {"olga": "Ольга", "vera": "Вера Павлова", "stranger": "Чужой Человек"}
GROUPS: Mapping[str, Sequence[str]] = {"support": ["vera"]}
CLIENT, SECRET = "mayak", "a-secret-of-the-client"


class NoCanaille(Exception):
    """It cannot be had on this machine; the words say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Canaille:
    """A running provider; `address` is its issuer, too."""

    address: str
    folder: Path
    command: Path

    def create(self, *words: str) -> None:
        """Create something by its own command."""
        _run([self.command, "create", *words], folder=self.folder)

    def change(self, *words: str) -> None:
        """Change something by its own command."""
        _run([self.command, "set", *words], folder=self.folder)


def installed() -> Path:
    """Return its command, installing it where that was not done yet. Raises `NoCanaille`."""
    digest = hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mayak-tests"
    folder = cache / f"canaille-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    # Two runs of the tests must not install into each other.
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            try:
                _run([sys.executable, "-m", "venv", "--clear", folder / "env"], folder=folder)
                pip = [folder / "env" / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "-q"]
                _run([*pip, "install", "-c", PINS, PACKAGE], folder=folder, seconds=SECONDS_TO_INSTALL)
            except (RuntimeError, subprocess.TimeoutExpired) as failed:
                raise NoCanaille(f"Canaille could not be installed: {str(failed)[-400:]}") from failed
            (folder / "installed").touch()
    return folder / "env" / "bin" / "canaille"


@contextmanager
def served(folder: Path, *, back: str) -> Iterator[Canaille]:
    """Run it on the loopback with `PEOPLE` and one client that comes back to `back`. Raises `NoCanaille`."""
    command = installed()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key = _run([command, "jwk", "create", "rsa", "--format", "toml"], folder=folder).strip().splitlines()[-1]
    _configure(folder, port=port, key=key)
    _run([command, "install"], folder=folder)
    found = Canaille(address=f"http://127.0.0.1:{port}", folder=folder, command=command)
    _fill(found, back=back)
    log = folder / "canaille.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [command, "run", "--bind", f"127.0.0.1:{port}"],
            stdout=out,
            stderr=out,
            cwd=folder,
            env=_environment(folder),
        )
        try:
            answering(found.address, process, log=log, seconds=SECONDS_TO_START)
            yield found
        finally:
            process.terminate()
            process.wait(20)


def _configure(folder: Path, *, port: int, key: str) -> None:
    (folder / "canaille.toml").write_text(
        'SECRET_KEY = "of the tests alone"\n'
        f'SERVER_NAME = "127.0.0.1:{port}"\n'
        'PREFERRED_URL_SCHEME = "http"\n'
        f'[CANAILLE_SQL]\nDATABASE_URI = "sqlite:///{folder / "canaille.sqlite"}"\n'
        f"[CANAILLE_OIDC]\nACTIVE_JWKS = [{key}]\n",
        "utf-8",
    )


def _fill(canaille: Canaille, *, back: str) -> None:
    for login, name in PEOPLE.items():
        facts = {"user-name": login, "password": PASSWORD, "formatted-name": name}
        facts |= {"family-name": name.split()[-1], "emails": f"{login}@example.com"}
        canaille.create("user", *_options(facts))
    for group, members in GROUPS.items():
        canaille.create("group", "--display-name", group, *(f"--members={one}" for one in members))
    client = {
        "client-id": CLIENT,
        "client-secret": SECRET,
        "client-name": "Mayak",
        "client-uri": back.split("/console")[0],
        "redirect-uris": back,
        "grant-types": "authorization_code",
        "response-types": "code",
        "token-endpoint-auth-method": "client_secret_basic",
    }
    scopes = [f"--scope={one}" for one in ("openid", "profile", "email", "groups")]
    canaille.create("client", *_options(client), *scopes)
    # The audience is a client itself, so it can be named only when it is there.
    canaille.change("client", CLIENT, f"--audience={CLIENT}")


def _options(facts: Mapping[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in facts.items()]


def _environment(folder: Path) -> dict[str, str]:
    # Whatever steers this Python or this Mayak must not steer that one.
    ours = ("PYTHON", "MAYAK_", "VIRTUAL_ENV", "CANAILLE", "FLASK")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**inherited, "LC_ALL": "C.UTF-8", "CANAILLE_CONFIG": str(folder / "canaille.toml")}


def _run(command: Sequence[str | Path], *, folder: Path, seconds: int = 120) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        env=_environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[:3]} ended with {done.returncode}: {done.stderr[-1500:]}")
    return done.stdout


@pytest.fixture(scope="session")
def canaille_command() -> Path:
    """The installed command; what needs it is skipped where it cannot be had."""
    try:
        return installed()
    except NoCanaille as absent:
        pytest.skip(str(absent))
