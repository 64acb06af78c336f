"""Databases that hold the demo shop, loaded once a session and copied for each test."""

import asyncio
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

FOLDER = Path(__file__).parents[2] / "demo" / "shop"
NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    _load(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
def sqlite_shop(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of an SQLite file with the demo shop in it."""
    copy = shutil.copy(sqlite_template, tmp_path / "shop.db")
    return f"sqlite+aiosqlite:///{copy}"


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    server, _, _ = postgres_url.rpartition("/")
    name = f"mayak_shop_{uuid4().hex[:16]}"
    _command(postgres_url, f"CREATE DATABASE {name}")
    _load(f"{server}/{name}")
    yield name
    _command(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_shop(postgres_url: str, postgres_template: str) -> Iterator[str]:
    """The URL of a PostgreSQL database with the demo shop in it, dropped after the test."""
    server, _, _ = postgres_url.rpartition("/")
    name = f"mayak_{uuid4().hex[:16]}"
    _command(postgres_url, f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    yield f"{server}/{name}"
    _command(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


def _load(url: str) -> None:
    # Imported late: this file is loaded with every test session.
    from tools.shop import create_tables, load_shop

    async def load() -> None:
        engine = create_async_engine(url)
        await create_tables(engine)
        await load_shop(engine, FOLDER, now=NOW)
        await engine.dispose()

    # In a thread of its own: a session fixture may be asked for from inside a running loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, load()).result()


def _command(url: str, statement: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute(statement.encode())
