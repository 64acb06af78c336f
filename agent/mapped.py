"""The pack's systems behind HTTP: documents and mappings are joined before the house opens, or refused with their place."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from agent.controls import CONTROLS
from agent.errors import BadPack
from agent.pack_files import line_of, model_of, toml_of
from agent.plugged import check_scopes, named_twice, taken_name
from tools.openapi import mapping
from tools.openapi.document import Document, Unreadable, read_document
from tools.openapi.system import System, system
from tools.outside.assignment import Unusable
from tools.outside.plugged import Plugged

FOLDER = "systems"
_NAME = r"[a-z][a-z0-9_-]{0,31}"
_DOCUMENTS = (".openapi.yaml", ".openapi.yml", ".openapi.json")


def mapped_systems(
    folder: Path, *, purposes: Collection[str], taken: Collection[str], currency: str, timezone: str
) -> Mapping[str, System]:
    """Return the systems that `systems/*.toml` describe. Raises `BadPack` for the first that cannot be used."""
    found: dict[str, System] = {}
    for path in sorted((folder / FOLDER).glob("*.toml")):
        if not re.fullmatch(_NAME, path.stem):
            raise BadPack(
                f"{path}: “{path.stem}” is no name for a system.",
                remedy="Call the file by small Latin letters, digits, _ and -, such as crm.toml.",
            )
        described, document = model_of(path, toml_of(path), mapping.Mapping), _document(path)
        try:
            for table in (described.tools, described.changes):
                check_scopes(table, purposes)
            found[path.stem] = system(path.stem, described, document, currency=currency, timezone=timezone)
        except Unusable as fault:
            raise _refused(path, fault) from fault
    tools = [tool for each in found.values() for tool in each.plugged]
    for tool in named_twice(tools, taken=[*CONTROLS, *taken]):
        raise _refused(folder / FOLDER / f"{tool.server}.toml", taken_name(tool, table=table_of(tool)))
    return found


def table_of(tool: Plugged) -> str:
    """Return the table of the mapping that the tool stands in."""
    return "tools" if tool.rule.effect == "read" else "changes"


def _document(path: Path) -> Document:
    for ending in _DOCUMENTS:
        document = path.with_name(path.stem + ending)
        if document.is_file():
            try:
                return read_document(document)
            except Unreadable as broken:
                raise BadPack(f"{document}:{broken.line}: {broken}", remedy=broken.remedy) from broken
    raise BadPack(
        f"{path.with_name(path.stem + _DOCUMENTS[0])} is absent.",
        remedy=f"Put the OpenAPI document of the system beside {path.name}.",
    )


def _refused(path: Path, fault: Unusable) -> BadPack:
    where = list(fault.where)
    place = f"{'.'.join(where)}: " if where else ""
    return BadPack(f"{path}:{line_of(path, where)}: {place}{fault}", remedy=fault.remedy)
