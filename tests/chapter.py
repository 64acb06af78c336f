"""Runs a chapter of the documentation: its code blocks, in their order, in a copy of the project.

```
bash                   run; the working directory is the tree, variables live on to the next block
python file=PATH       written to PATH, and so is any other language
toml append=PATH       put at the end of PATH
diff file=PATH         applied: what its lines without + say must stand in PATH exactly once
json told              must be contained in what the last bash block printed last
```
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from tests.tree import run

VARIABLES = ".variables"
MAYAK = '#!/bin/sh\nexec python -m api.cli "$@"\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block; `line` is where it begins in the chapter."""

    language: str
    what: Mapping[str, str]
    text: str
    line: int


def blocks(chapter: str) -> list[Block]:
    """Return the fenced blocks of a Markdown text; those without a language are left out."""
    found = []
    for token in MarkdownIt().parse(chapter):
        words = token.info.split() if token.type == "fence" else []
        if words:
            what = dict(word.partition("=")[::2] for word in words[1:])
            line = (token.map or [0])[0] + 1
            found.append(Block(language=words[0], what=what, text=token.content, line=line))
    return found


class Chapter:
    """One reading of a chapter in a tree; `printed` is what the last commands printed."""

    def __init__(self, tree: Path, **settings: str) -> None:
        self._tree = tree
        self.printed = ""
        binaries = tree / ".bin"
        binaries.mkdir()
        (binaries / "mayak").write_text(MAYAK)
        (binaries / "mayak").chmod(0o755)
        self._settings = settings | {"CHAPTER_BIN": str(binaries)}

    def run(self, block: Block) -> None:
        """Do what the block says. Raises `AssertionError` with the block's line."""
        where = f"line {block.line}"
        match block.language, [*block.what]:
            case "bash", []:
                self._bash(block.text, where)
            case "json", ["told"]:
                told = self.printed[self.printed.index("{") :]
                assert contains(json.loads(told), json.loads(block.text)), f"{where}: {told}"
            case "diff", ["file"]:
                path = self._tree / block.what["file"]
                path.write_text(patched(path.read_text("utf-8"), block.text, where), "utf-8")
            case _, ["file"]:
                (self._tree / block.what["file"]).write_text(block.text, "utf-8")
            case _, ["append"]:
                path = self._tree / block.what["append"]
                path.write_text(f"{path.read_text('utf-8')}\n{block.text}", "utf-8")
            case other:
                raise AssertionError(f"{where}: nobody knows what to do with {other}")

    def _bash(self, text: str, where: str) -> None:
        kept = f'export PATH="$CHAPTER_BIN{os.pathsep}$PATH"; touch {VARIABLES}; . ./{VARIABLES}; set -euo pipefail'
        script = f"{kept}\n{text}\ndeclare -p talk > {VARIABLES} 2>/dev/null || true\n"
        done = run("bash", "-c", script, tree=self._tree, **self._settings)
        self.printed = done.stdout
        assert done.returncode == 0, f"{where}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"


def patched(text: str, diff: str, where: str) -> str:
    """Return the text with the change made; the place is found by the words, whatever stands around it."""
    lines = diff.splitlines()
    before = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
    after = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
    assert text.count(before) == 1, (
        f"{where}: these lines stand {text.count(before)} times in the file:\n{before}"
    )
    return text.replace(before, after)


def contains(whole: Any, part: Any) -> bool:
    """Whether `whole` has everything of `part`; lists must be of one length."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            name in whole and contains(whole[name], value) for name, value in part.items()
        )
    if isinstance(part, list):
        return (
            isinstance(whole, list)
            and len(whole) == len(part)
            and all(contains(one, other) for one, other in zip(whole, part, strict=True))
        )
    return bool(whole == part)
