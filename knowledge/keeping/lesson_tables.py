"""The tables of proposals: what people answered, and in which cases.

kb_lessons       proposals of knowledge made of people's answers, and what a curator decided
kb_lesson_cases  cases that were looked at, each once: what the person replied and wished; `lesson` is empty where nothing came of it
"""

from sqlalchemy import JSON, Column, Index, String, Table, Text

from knowledge.keeping.tables import Moment, metadata

lessons = Table(
    "kb_lessons",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("language", String(2), nullable=False),
    Column("by", String(200), nullable=False),
    Column("at", Moment, nullable=False),
    Column("members", JSON, nullable=False),
    Column("examples", JSON, nullable=False),
    Column("document", String(200)),
    Column("decided_by", String(200), nullable=False),
    Column("decided_at", Moment),
    Column("refusal", String(16)),
    Column("why", Text, nullable=False),
    Index("kb_lessons_state", "state"),
)

lesson_cases = Table(
    "kb_lesson_cases",
    metadata,
    Column("turn", String(64), primary_key=True),
    Column("conversation", String(64), nullable=False),
    Column("lesson", String(64), nullable=False),
    # `seen` once it was looked at; a wish noted before the case ended waits for that.
    Column("seen", Moment),
    Column("wish", String(8), nullable=False),
    Column("language", String(2), nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("said", JSON, nullable=False),
    Column("by", String(200), nullable=False),
    Column("at", Moment, nullable=False),
    Index("kb_lesson_cases_lesson", "lesson"),
    Index("kb_lesson_cases_conversation", "conversation"),
)
