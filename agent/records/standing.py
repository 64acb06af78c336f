"""What makes the ledger of consents append-only in the database itself: its evidence cannot be changed by any statement.

Who it belongs to and where it came from may be taken out of a row, because people may be forgotten; what was agreed
to, in which words and when, may not. Whole rows go when the time to keep evidence is over.
"""

from sqlalchemy import DDL, event

from agent.records.tables import consents

EVIDENCE = ("purpose", "granted", "version", "text_sha256", "language", "channel", "at")
"""Columns of a row that stand as they were written."""
_UPDATE = f"BEFORE UPDATE OF {', '.join(EVIDENCE)} ON consents"
_SAID = "the ledger of consents is append-only"

SQLITE = (f"CREATE TRIGGER consents_stand {_UPDATE} BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",)
POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION consents_stand() RETURNS trigger AS "
    f"$$ BEGIN RAISE EXCEPTION '{_SAID}'; END; $$ LANGUAGE plpgsql",
    f"CREATE TRIGGER consents_stand {_UPDATE} FOR EACH ROW EXECUTE FUNCTION consents_stand()",
)

for dialect, statements in (("sqlite", SQLITE), ("postgresql", POSTGRESQL)):
    for statement in statements:
        event.listen(consents, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]
