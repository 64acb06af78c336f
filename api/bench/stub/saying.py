"""What the stub model says: one tool call where it was given nothing to quote, else a sentence of the evidence. Pure.

```
messages ─┬─ a JSON schema is asked for ───► the smallest object of that schema, strings are the quote
          ├─ no evidence yet, a search ────► a call of the first tool that takes a text, with the question
          └─ else ─────────────────────────► the sentence nearest to the question, and its [ref]
```
Evidence is the JSON object `{"evidence": [{"ref", "text"}, …], "question"}` in a message, wherever it stands in it.
The same request always gets the same answer.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

NOTHING = "-"
"""Said where there is nothing to quote."""
DEPTH = 8
"""Levels of a schema that are filled; a schema that contains itself would never end."""

_SENTENCE = re.compile(r"[^\s#|*>-][^\n]*?[.!?](?=\s|$)")
_WORD = re.compile(r"\w{3,}")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A whole answer: `text`, or a call of `tool` with JSON `arguments`."""

    text: str = ""
    tool: str = ""
    arguments: str = ""

    def pieces(self) -> list[str]:
        """Return the text as it streams, about a word a piece."""
        return re.findall(r"\S+\s*", self.text)


def said(body: Mapping[str, Any]) -> Said:
    """Return the answer to one request of the chat completions protocol."""
    messages = body.get("messages") or []
    evidence, question = _evidence(messages)
    schema = ((body.get("response_format") or {}).get("json_schema") or {}).get("schema")
    sentence, ref = nearest(question, evidence)
    if schema is not None:
        filled = _filled(schema, schema, {"text": sentence, "ref": ref}, DEPTH)
        return Said(text=json.dumps(filled, ensure_ascii=False))
    call = None if evidence else _search(body.get("tools") or [], messages)
    if call is not None:
        return call
    return Said(text=f"{sentence} [{ref}]" if ref else sentence)


def nearest(question: str, evidence: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Return the sentence of the evidence, pairs of ref and text, that shares most words with the question, and its ref."""
    wanted = _stems(question)
    best, found = -1, (NOTHING, "")
    for ref, text in evidence:
        for sentence, stems in _sentences(text):
            if (shared := len(stems & wanted)) > best:
                best, found = shared, (sentence, ref)
    return found


@lru_cache(maxsize=4096)
def _sentences(text: str) -> tuple[tuple[str, frozenset[str]], ...]:
    found = [match.group(0).strip() for match in _SENTENCE.finditer(text)] or [text.strip()]
    return tuple((sentence, _stems(sentence)) for sentence in found)


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:5] for word in _WORD.findall(text.casefold()))


def _evidence(messages: Sequence[Mapping[str, Any]]) -> tuple[list[tuple[str, str]], str]:
    """Return the evidence of the latest message that holds some, and the latest question."""
    asked = next((_text(one) for one in reversed(messages) if one.get("role") == "user"), "")
    for message in reversed(messages):
        for data in _objects(_text(message)):
            rows = [row for row in data.get("evidence") or () if isinstance(row, dict) and "text" in row]
            pairs = [(str(row.get("ref", "")), str(row["text"])) for row in rows]
            if pairs:
                return pairs, str(data.get("question") or asked)
    return [], asked


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects with evidence that stand in a text, as they are or inside a JSON string."""
    for mark in ('{"evidence"', '{\\"evidence\\"'):
        at = text.rfind(mark)
        if at < 0:
            continue
        try:
            plain = text[at:] if mark[1] == '"' else str(_DECODER.raw_decode(f'"{text[at:]}')[0])
            data, _ = _DECODER.raw_decode(plain)
        except ValueError:
            continue
        if isinstance(data, dict):
            yield data


def _search(tools: Sequence[Mapping[str, Any]], messages: Sequence[Mapping[str, Any]]) -> Said | None:
    """Call the first tool whose one required argument is a text; never a second time after the same question."""
    if messages and messages[-1].get("role") == "tool":
        return None
    question = next((_text(one) for one in reversed(messages) if one.get("role") == "user"), "")
    for tool in tools:
        function = tool.get("function") or {}
        parameters = function.get("parameters") or {}
        required = parameters.get("required") or []
        kinds = [(parameters.get("properties") or {}).get(name, {}).get("type") for name in required]
        if kinds == ["string"]:
            arguments = json.dumps({required[0]: question}, ensure_ascii=False)
            return Said(tool=str(function.get("name")), arguments=arguments)
    return None


def _filled(schema: Mapping[str, Any], root: Mapping[str, Any], quote: Mapping[str, str], depth: int) -> Any:
    """Return the smallest value of a JSON schema; `quote` has the `text` and the `ref` that strings become."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        schema = (root.get("$defs") or root.get("definitions") or {}).get(name, {})
    if "enum" in schema or "const" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            kinds = [kind for kind in schema[union] if kind.get("type") != "null"]
            return _filled(kinds[0], root, quote, depth) if kinds and depth > 0 else None
    match schema.get("type"):
        case "object":
            properties = (schema.get("properties") or {}) if depth > 0 else {}
            return {name: _named(name, properties[name], root, quote, depth - 1) for name in properties}
        case "array":
            return [_filled(schema.get("items") or {}, root, quote, depth - 1)] if depth > 0 else []
        case "boolean":
            return False
        case "integer" | "number":
            return 0
        case _:
            return quote["text"]


def _named(
    name: str, schema: Mapping[str, Any], root: Mapping[str, Any], quote: Mapping[str, str], depth: int
) -> Any:
    if name == "refs" and schema.get("type") == "array":
        return [quote["ref"]]
    return _filled(schema, root, quote, depth)
