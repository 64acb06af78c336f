"""All tables of one installation: those of the three rooms, in one database."""

import agent.records.tables
import knowledge.curation_tables
import knowledge.sources.tables
import knowledge.tables
import tools.tables

METADATA = [agent.records.tables.metadata, knowledge.tables.metadata, tools.tables.metadata]

Moments = tuple(
    kind
    for module in (agent.records.tables, knowledge.tables, tools.tables)
    for name, kind in vars(module).items()
    if name == "Moment"
)
"""The rooms' types for aware moments."""
