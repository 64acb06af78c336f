"""Holds calls and results of Bitrix24's REST API against its published description.

The vendor publishes one file a method for its offline simulator (bitrix-tools/b24-rest-docs, MIT). Names and types of the
methods used here are listed in `bitrix24_facts.json`; the files themselves are no part of this project: where they are in
`../shared/specs/bitrix24/methods`, or under the folder MAYAK_SPECS names, the same is asked of them.

A parameter is known or not, of a type or not, required or not; a filter, a selection and an order name fields of the
entity; a result has no field and no type that the vendor's example lacks. Null stands for any value.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

FACTS: Mapping[str, Any] = json.loads(Path(__file__).with_name("bitrix24_facts.json").read_text("utf-8"))
_OWN = re.compile(r"UF_\w+")
_PREFIX = re.compile(r"^(?:!=%|!%=|!@|>=|<=|!=|=%|%=|!%|[@%=><!])?")


def folder() -> Path | None:
    """Return where the vendor's files are, None where they are not."""
    named = os.environ.get("MAYAK_SPECS")
    specs = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "specs"
    found = specs / "bitrix24" / "methods"
    return found if found.is_dir() else None


def published(method: str) -> Mapping[str, Any] | None:
    """Return the vendor's description of a method in the form of the facts; None where it is not at hand."""
    found = folder()
    if found is None:
        return None
    spec = json.loads((found / f"{method}.json").read_text("utf-8"))
    example = spec.get("resultExample")
    result = example.get("result", example) if isinstance(example, dict) else None
    if isinstance(result, dict):
        result = {name: part for name, part in result.items() if name not in ("time", "total", "next")}
    return {
        "scope": spec["scope"],
        "params": {one["name"]: [one["base"], one["required"] is True] for one in spec["params"]},
        "fields": sorted(set(spec.get("entityFields") or [])),
        "result": shape(result) if result is not None and method not in _SHAPELESS else None,
    }


_SHAPELESS = frozenset({"crm.item.fields"})
"""Its example lists the fields of one portal."""


def wrong_call(method: str, params: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a call."""
    if method not in FACTS:
        return [f"unknown method {method}"]
    return [fault for facts in _sources(method) for fault in _wrong_call(method, params, facts)]


def wrong_result(method: str, result: Any) -> list[str]:
    """Return what is wrong with a result."""
    faults: list[str] = []
    for facts in _sources(method):
        if facts["result"] is not None:
            faults += _wrong(result, facts["result"], method, frozenset(_names(method, facts)))
    return faults


def refused_by_simulator(calls: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Any]:
    """Return what the vendor's simulator has against calls; nothing where it or Node is not at hand."""
    specs, node = folder(), shutil.which("node")
    if specs is None or node is None or not (specs.parent / "core.js").is_file():
        return []
    command = [node, "-e", _VALIDATING, str(specs)]
    told = json.dumps(list(calls))
    done = subprocess.run(command, input=told, capture_output=True, text=True, timeout=120, check=True)
    return list(json.loads(done.stdout))


_VALIDATING = """
const folder = process.argv[1], core = require(folder + '/../core.js'), fs = require('fs');
const spec = (name) => JSON.parse(fs.readFileSync(folder + '/' + name + '.json'));
const wrong = JSON.parse(fs.readFileSync(0)).map(([name, asked]) => [name, core.validate(spec(name), asked).errors]);
console.log(JSON.stringify(wrong.filter(([, errors]) => errors.length)));
"""


def shape(value: Any) -> Any:
    """Return the names and types of a value; of a list, those of its rows together."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in sorted(value.items())}
    if isinstance(value, list):
        rows: dict[str, Any] = {}
        for row in value:
            if not isinstance(row, dict):
                return [shape(row)]
            for name, part in row.items():
                told = shape(part)
                if rows.get(name, "any") == "any":
                    rows[name] = told
                elif told not in ("any", rows[name]):
                    rows[name] = "any"
        return [dict(sorted(rows.items()))] if rows else ["any"]
    kinds = {bool: "boolean", int: "number", float: "number", str: "string"}
    return kinds.get(type(value), "any")


def _sources(method: str) -> Iterator[Mapping[str, Any]]:
    yield FACTS[method]
    told = published(method)
    if told is not None:
        yield told


def _wrong_call(method: str, params: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
    known = facts["params"]
    faults = [f"{method}: unknown {name}" for name in params if name not in known]
    faults += [
        f"{method}: missing {name}" for name, (_, must) in known.items() if must and name not in params
    ]
    faults += [
        f"{method}: {name} is no {known[name][0]}"
        for name, value in params.items()
        if name in known and not _is(value, known[name][0])
    ]
    if facts["fields"] or facts["result"]:
        fields = _names(method, facts)
        for name in _asked(params):
            if name not in fields and not _OWN.fullmatch(name) and name != "*":
                faults.append(f"{method}: unknown field {name}")
    return faults


def _names(method: str, facts: Mapping[str, Any]) -> set[str]:
    """Return the fields of what a method is about: the entity's, and those of the examples."""
    found = set(facts["fields"]) | {"id"}
    for result in (facts["result"], FACTS[_WHOLE.get(method, method)]["result"]):
        rows = next(iter((result or {}).values()), None)
        for row in rows if isinstance(rows, list) else [rows]:
            found |= set(row) if isinstance(row, dict) else set()
    return found


_WHOLE = {"crm.item.list": "crm.item.get", "sale.order.list": "sale.order.update"}
"""Where the example of a list shows a few fields only, or none: the method that shows them all."""


def _asked(params: Mapping[str, Any]) -> Iterator[str]:
    for name in params.get("filter") or ():
        yield name[len(_PREFIX.match(name)[0]) :]  # type: ignore[index]
    yield from params.get("order") or ()
    yield from params.get("select") or ()


def _is(value: Any, base: str) -> bool:
    if base == "integer":
        return str(value).lstrip("-").isdecimal()
    if base == "boolean":
        return value in (True, False, "Y", "N", 0, 1, "0", "1")
    if base in ("object", "array"):
        return isinstance(value, dict | list)
    return base in ("any", "char") or isinstance(value, str | int)


def _wrong(value: Any, known: Any, place: str, fields: frozenset[str]) -> list[str]:
    if value is None or known == "any":
        return []
    if isinstance(known, dict) and isinstance(value, dict):
        # Rows of lists may have any field of the entity, and fields of a company's own.
        free = fields if fields & known.keys() else frozenset()
        odd = [one for one in value if one not in known and one not in free and not _OWN.fullmatch(one)]
        faults = [f"{place}.{one} is not published" for one in odd]
        within = fields if len(known) == 1 else frozenset()
        for one in known.keys() & value.keys():
            faults += _wrong(value[one], known[one], f"{place}.{one}", within)
        return faults
    if isinstance(known, list) and isinstance(value, list):
        return [fault for one in value for fault in _wrong(one, known[0], place, fields)]
    if value == [] and isinstance(known, dict):
        return []
    if isinstance(value, str) and known == "string" and place.rpartition(".")[2].startswith("date"):
        return [] if _moment(value) else [f"{place} is no moment with its offset"]
    return [] if shape(value) == known else [f"{place} is no {known}"]


def _moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
