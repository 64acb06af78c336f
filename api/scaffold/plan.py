"""What a new tool's files are called and hold; nothing is written here. Pure but for reading the templates.

```
tools/NAME/        port, fake, functions, texts/{ru,en}.toml
tests/contracts/   test_NAME.py
evals/cases/       NAME.yaml
```
"""

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import Template

TEMPLATES = Path(__file__).with_name("templates")
LONGEST_NAME = 24
"""So that no line of a template grows past what the formatter would break."""
LONGEST_TITLE = 40
ASSURANCES = ("channel", "verified", "stepped_up")
REFUSED = frozenset({"utils", "util", "helpers", "common", "misc", "core", "shared"})
"""Names that say nothing; the project's own tests refuse them."""
REFUSED_ENDINGS = ("manager", "helper", "util", "utils", "service", "handler")

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_TITLE = re.compile(r"[^\W_]+([ -][^\W_]+)*")
_SCOPE = re.compile(r"[a-z][a-z0-9_]*:read")
_IMPORT = re.compile(r"from (?P<module>[\w.]+) import (?P<names>[\w, ]+)\n")

FILES: Mapping[str, str] = {
    "tools/$name/__init__.py": "package.py.tmpl",
    "tools/$name/port.py": "port.py.tmpl",
    "tools/$name/fake.py": "fake.py.tmpl",
    "tools/$name/functions.py": "functions.py.tmpl",
    "tools/$name/texts/__init__.py": "texts.py.tmpl",
    "tools/$name/texts/ru.toml": "ru.toml.tmpl",
    "tools/$name/texts/en.toml": "en.toml.tmpl",
    "tests/contracts/test_$name.py": "contract.py.tmpl",
    "evals/cases/$name.yaml": "case.yaml.tmpl",
}
"""Path in the working tree to its template."""
WIRING: Mapping[str, str] = {
    "api/container.py": "container.py.tmpl",
    "demo/policy.toml": "policy.toml.tmpl",
}
"""What is left to a person: where it goes, and the template of what goes there."""


class BadTool(Exception):
    """A tool cannot be begun like this; `remedy` says how it can."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTool:
    """What a person says of the tool: the system's name in code, and what customers call what is in it (plural)."""

    name: str
    ru: str
    en: str
    scope: str
    assurance: str

    @property
    def tools(self) -> tuple[str, str]:
        """The names of its two tools."""
        return f"{self.name}_status", f"my_{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Texts by path: those to be written, and those a person puts in."""

    tool: NewTool
    files: Mapping[str, str]
    wiring: Mapping[str, str]

    def checks(self) -> tuple[str, ...]:
        """Return the commands that check the product."""
        return (
            "scripts/check --fast",
            f"python -m pytest tests/contracts/test_{self.tool.name}.py",
            "mayak eval lint",
        )


def new_tool(
    name: str, *, ru: str = "", en: str = "", scope: str = "", assurance: str = "channel"
) -> NewTool:
    """Return what was asked for, completed; `BadTool` when a part of it cannot be used."""
    _check_name(name)
    words = name.replace("_", " ")
    ru, en, scope = ru.strip() or words, en.strip() or words, scope.strip() or f"{name}:read"
    for language, title in (("--ru", ru), ("--en", en)):
        if len(title) > LONGEST_TITLE or not _TITLE.fullmatch(title):
            raise BadTool(
                f"{language} {title[:80]!r} is no name of things.",
                remedy=f"Write what customers say, in the plural: words of letters, {LONGEST_TITLE} characters at most.",
            )
    if not _SCOPE.fullmatch(scope):
        raise BadTool(
            f"{scope!r} is no purpose of reading.",
            remedy="Write it as orders:read: small letters, then :read.",
        )
    if assurance not in ASSURANCES:
        raise BadTool(f"{assurance!r} is no assurance.", remedy=f"Use one of {', '.join(ASSURANCES)}.")
    return NewTool(name=name, ru=ru.lower(), en=en.lower(), scope=scope, assurance=assurance)


def planned(tool: NewTool, *, today: date) -> Plan:
    """Return all files of the tool and what is left to do by hand."""
    words = {
        "name": tool.name,
        "Name": "".join(part.capitalize() for part in tool.name.split("_")),
        "UPPER": tool.name.upper(),
        "dashed": tool.name.replace("_", "-"),
        "scope": tool.scope,
        "assurance": tool.assurance,
        "ru": tool.ru,
        "en": tool.en,
        "ru_title": tool.ru[:1].upper() + tool.ru[1:],
        "en_title": tool.en[:1].upper() + tool.en[1:],
        "today": today.isoformat(),
    }
    return Plan(
        tool=tool,
        files={Template(path).substitute(words): _rendered(name, words) for path, name in FILES.items()},
        wiring={path: _rendered(name, words) for path, name in WIRING.items()},
    )


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or not name.isascii():
        raise BadTool(
            f"{name[:80]!r} is no name for a tool.",
            remedy="Use small Latin letters, digits and single underscores, a letter first, as in loyalty_points.",
        )
    if len(name) > LONGEST_NAME:
        raise BadTool(f"{name!r} is too long.", remedy=f"Use {LONGEST_NAME} characters at most.")
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise BadTool(f"{name!r} is a word of Python.", remedy=f"Call it otherwise, such as {name}_records.")
    if name in REFUSED or name.split("_")[-1] in REFUSED_ENDINGS:
        raise BadTool(
            f"{name!r} does not say what it is about.",
            remedy="Name the things in it: warranties, visits, meters.",
        )


def _rendered(template: str, words: Mapping[str, str]) -> str:
    text = Template((TEMPLATES / template).read_text("utf-8")).substitute(words)
    return _sorted_imports(text) if template.endswith(".py.tmpl") else text


def _sorted_imports(text: str) -> str:
    """Sort each run of one-line imports as the linter wants it: where the new ones stand depends on the name."""
    lines = text.splitlines(keepends=True)
    first = 0
    while first < len(lines):
        last = first
        while last < len(lines) and _IMPORT.fullmatch(lines[last]):
            lines[last] = _IMPORT.sub(_with_sorted_names, lines[last])
            last += 1
        lines[first:last] = sorted(lines[first:last], key=lambda line: _natural(line.split()[1]))
        first = max(last, first + 1)
    return "".join(lines)


def _with_sorted_names(found: re.Match[str]) -> str:
    names = sorted(found["names"].split(", "), key=lambda name: (_kind(name), _natural(name)))
    return f"from {found['module']} import {', '.join(names)}\n"


def _kind(name: str) -> int:
    """Constants first, then classes, then everything else."""
    if len(name) > 1 and name.isupper():
        return 0
    return 1 if name[0].isupper() else 2


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|\D+", text)]
