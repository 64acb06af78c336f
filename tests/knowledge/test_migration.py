"""A database made before versions had states comes through with its documents as they were."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from api.migrate import _config, _connected, differences, migrate
from knowledge.catalogue import Catalogue
from knowledge.types import DocumentId, PassageId
from tests.knowledge.shelf import NOW

BEFORE = "0005"
DOCUMENTS = (
    ("live", "published", 2),
    ("gone", "retired", 1),
    ("draft", "draft", 0),
    ("back", "published", 1),
    ("mail@2", "published", 1),
)
VERSIONS = (
    ("live", 1, True),
    ("live", 2, True),
    ("live", 3, False),
    ("gone", 1, True),
    ("draft", 1, False),
    ("back", 1, True),
    ("back", 2, True),
    ("mail@2", 1, True),
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of the release before, with documents in it."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'm.sqlite'}"
    else:
        url = str(request.getfixturevalue("postgres_database"))
    with _connected(url) as connection:
        command.upgrade(_config(connection), BEFORE)
        fill(connection)
    return url


def fill(connection: sa.Connection) -> None:
    kept = {"title": "t", "language": "ru", "at": "2026-11-01 00:00:00+00:00", "hash": "x"}
    for name, status, version in DOCUMENTS:
        connection.execute(
            sa.text(
                "INSERT INTO kb_documents (id, title, language, source, format, audience, status, valid_until, "
                "version, content_hash, source_hash, revision, updated) VALUES (:name, :title, :language, 'a.md', 'md', "
                "'customer', :status, '2026-12-31', :version, :hash, 'y', 1, :at)"
            ),
            {"name": name, "status": status, "version": version, **kept},
        )
        if status == "published":
            connection.execute(
                sa.text(
                    "INSERT INTO kb_passages (id, document, n, heading, text, tokens) VALUES (:id, :name, 1, '', :text, 3)"
                ),
                {"id": f"{name}#1", "name": name, "text": f"{name} {version}"},
            )
    for name, version, published in VERSIONS:
        connection.execute(
            sa.text(
                'INSERT INTO kb_versions (document, version, title, language, text, content_hash, "by", "at", published) '
                "VALUES (:name, :version, :title, :language, :text, :hash, :by, :at, :published)"
            ),
            {"name": name, "version": version, "text": f"{name} {version}", "published": published, **kept}
            | {"by": "import" if version == 1 else "staff:anna"},
        )


async def test_states_passages_and_history_come_through(old: str) -> None:
    migrate(old)
    own = ("kb_documents", "kb_versions", "kb_passages", "kb_events")
    assert not [one for one in differences(old) if any(name in str(one) for name in own)]
    engine = create_async_engine(old)
    catalogue = Catalogue(engine, clock=lambda: NOW)
    try:
        found = {
            name: [one.state for one in reversed(await catalogue.history(DocumentId(name)))]
            for name, _, _ in DOCUMENTS
        }
        assert found == {
            "live": ["superseded", "published", "draft"],
            "gone": ["retired"],
            "draft": ["draft"],
            "back": ["published", "superseded"],
            "mail@2": ["published"],
        }
        names = [PassageId(name) for name in ("live#1", "live@2#1", "back#1", "mail@2#1", "mail@2@1#1")]
        live = await catalogue.live(names, now=NOW)
        assert {str(name): one.text for name, one in live.items()} == {
            "live@2#1": "live 2",
            "back#1": "back 1",
            "mail@2@1#1": "mail@2 1",
        }
        assert await catalogue.live(names, now=NOW.replace(year=2027)) == {}
        acts = [(one.action, one.by) for one in reversed(await catalogue.events(DocumentId("live")))]
        assert acts == [("imported", "import"), ("saved", "staff:anna"), ("saved", "staff:anna")]
        assert {one.id for one in await catalogue.documents(status="published")} == {"live", "back", "mail@2"}
        assert (await catalogue.publish(DocumentId("live"), by="boris")).version == 3
    finally:
        await engine.dispose()


def test_the_history_of_a_migrated_database_cannot_be_changed(old: str) -> None:
    migrate(old)
    with pytest.raises(DBAPIError, match="append-only"), _connected(old) as connection:
        connection.execute(sa.text("DELETE FROM kb_events"))
