"""All tables of one installation: those of the three rooms, in one database."""

import agent.records.flag_tables
import agent.records.handoff_tables
import agent.records.promise_table
import agent.records.pulse_table
import agent.records.rights_tables
import agent.records.staff_tables
import agent.records.suggestion_tables
import agent.records.tables
import knowledge.keeping.curation_tables
import knowledge.keeping.lesson_tables
import knowledge.keeping.tables
import knowledge.sources.tables
import tools.codes.tables
import tools.mcp.journal
import tools.tables

METADATA = [agent.records.tables.metadata, knowledge.keeping.tables.metadata, tools.tables.metadata]

Moments = tuple(
    kind
    for module in (agent.records.tables, knowledge.keeping.tables, tools.tables)
    for name, kind in vars(module).items()
    if name == "Moment"
)
"""The rooms' types for aware moments."""
