"""Queries for what counts at a moment: documents with the version that counts then, passages that may be shown.

A version counts when it is published, has begun and the next one has not; its passages are shown until its own end
and within its document's days.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import RowMapping

from knowledge.keeping import tables as t
from knowledge.keeping.life import state_at
from knowledge.types import Document, Passage, Version

_OF_VERSION = ("title", "language", "version", "content_hash")
_documents, _versions = t.documents.c, t.versions.c


def passages_query() -> sa.Select[Any]:
    """Return the query for the passages of published versions, whatever their dates: what is indexed."""
    own = sa.and_(_versions.document == t.passages.c.document, _versions.version == t.passages.c.version)
    return (
        sa.select(t.passages, _versions.title, _versions.language, _documents.audience, _documents.department)
        .join(t.versions, own)
        .join(t.documents, _documents.id == t.passages.c.document)
        .where(_versions.state == "published")
    )


def counts(now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that a version is the one that counts at `now`."""
    return sa.and_(
        _versions.state == "published",
        sa.or_(_versions.effective_from.is_(None), _versions.effective_from <= now),
        sa.or_(_versions.superseded_from.is_(None), _versions.superseded_from > now),
    )


def may_be_shown(now: datetime, *, audience: str) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on a passage's version and document; `staff` reads everything.

    The document's days are those of `now` in its own zone.
    """
    today: date = now.date()
    out = [
        _documents.status == "published",
        counts(now),
        sa.or_(_versions.effective_until.is_(None), _versions.effective_until > now),
        sa.or_(_documents.valid_from.is_(None), _documents.valid_from <= today),
        sa.or_(_documents.valid_until.is_(None), _documents.valid_until >= today),
    ]
    return out if audience == "staff" else [*out, _documents.audience == audience]


def documents_query(now: datetime) -> sa.Select[Any]:
    """Return the query for documents with the title, language and version that count at `now`."""
    coming = t.versions.alias("coming")
    upcoming = (
        sa.select(sa.func.min(coming.c.effective_from))
        .where(
            coming.c.document == _documents.id, coming.c.state == "published", coming.c.effective_from > now
        )
        .scalar_subquery()
    )
    kept = [column for column in t.documents.c if column.name not in _OF_VERSION]
    current = [
        sa.func.coalesce(_versions[name], _documents[name], type_=_documents[name].type).label(name)
        for name in _OF_VERSION
    ]
    beside = sa.and_(_versions.document == _documents.id, counts(now))
    return sa.select(*kept, *current, upcoming.label("next_from")).outerjoin(t.versions, beside)


def passage_of(row: RowMapping) -> Passage:
    """Return a row of `passages_query` as a passage."""
    return Passage(**{name: row[name] for name in Passage.__dataclass_fields__})


def document_of(row: RowMapping) -> Document:
    """Return a row of `documents_query` as a document."""
    return Document(**{name: row[name] for name in Document.__dataclass_fields__})


def version_of(row: RowMapping, *, now: datetime) -> Version:
    """Return a row of kb_versions as it stands at `now`."""
    values = {name: row[name] for name in Version.__dataclass_fields__}
    return Version(**{**values, "state": state_at(row["state"], row["superseded_from"], now=now)})
