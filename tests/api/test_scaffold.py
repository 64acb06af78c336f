"""`mayak tools new`: all files or none, refusals with remedies, and a product that passes the project's checks."""

import ast
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from api.cli import load
from api.scaffold.plan import LONGEST_NAME, BadTool, new_tool, planned
from api.scaffold.writing import write
from tests.conftest import ROOT
from tests.tree import copied, run
from tools.phrases import Phrases

TODAY = date(2026, 11, 29)
LONGEST = "abcdefgh_abcdefgh_abcdef"
NAMES = ["warranties", "x", "x1", "zz_top", "a2_b10", "crm2", LONGEST]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """As much of a working tree as the command looks at."""
    (tmp_path / "tools" / "orders").mkdir(parents=True)
    (tmp_path / "tools" / "toolbox.py").touch()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "mayak"\n')
    return tmp_path


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


class TestNames:
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("", "is no name"),
            ("Warranty", "is no name"),
            ("my-warranty", "is no name"),
            ("1warranty", "is no name"),
            ("_warranty", "is no name"),
            ("warranty_", "is no name"),
            ("war__ranty", "is no name"),
            ("гарантия", "is no name"),
            ("../escape", "is no name"),
            ("a/b", "is no name"),
            ("warranty\n", "is no name"),
            ("a" * 500, "is too long"),
            ("class", "is a word of Python"),
            ("async", "is a word of Python"),
            ("match", "is a word of Python"),
            ("utils", "does not say what it is about"),
            ("customer_service", "does not say what it is about"),
        ],
    )
    def test_a_name_that_cannot_be_used_is_refused_with_what_to_do(self, name: str, said: str) -> None:
        with pytest.raises(BadTool, match=said) as refused:
            new_tool(name)
        assert refused.value.remedy
        assert len(str(refused.value)) < 600

    @pytest.mark.parametrize("title", ['гаран"тии', "a\nb", "{x}", "$name", "x" * 41, "[a-z]", " - "])
    def test_a_title_that_would_break_a_text_is_refused(self, title: str) -> None:
        with pytest.raises(BadTool, match="--ru"):
            new_tool("warranties", ru=title)

    def test_a_purpose_or_an_assurance_that_is_none_is_refused(self) -> None:
        with pytest.raises(BadTool, match="purpose"):
            new_tool("warranties", scope="all data")
        with pytest.raises(BadTool, match="assurance"):
            new_tool("warranties", assurance="anonymous")


class TestWriting:
    @pytest.mark.parametrize(
        "taken", ["tools/visits/port.py", "tools/visits.py", "tests/contracts/test_visits.py"]
    )
    def test_a_name_that_is_taken_is_refused_and_nothing_is_touched(self, tree: Path, taken: str) -> None:
        (tree / taken).parent.mkdir(parents=True, exist_ok=True)
        (tree / taken).write_text("mine")
        before = files(tree)
        with pytest.raises(BadTool, match="exists already") as refused:
            write(planned(new_tool("visits"), today=TODAY), tree)
        assert refused.value.remedy
        assert files(tree) == before
        assert (tree / taken).read_text() == "mine"

    def test_what_cannot_be_finished_is_undone(self, tree: Path) -> None:
        # The cases' folder is a file: the last of the files cannot be written.
        (tree / "evals").mkdir()
        (tree / "evals" / "cases").touch()
        before = files(tree)
        with pytest.raises(OSError, match="cases"):
            write(planned(new_tool("visits"), today=TODAY), tree)
        assert files(tree) == before

    def test_a_folder_that_is_no_working_tree_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(BadTool, match="no working tree"):
            write(planned(new_tool("visits"), today=TODAY), tmp_path)
        assert files(tmp_path) == []

    def test_a_tool_that_the_house_has_is_not_begun_again(self, tree: Path) -> None:
        (tree / "tools" / "texts").mkdir()
        (tree / "tools" / "texts" / "en.toml").write_text("[cues]\nmy_profile = []\n")
        with pytest.raises(BadTool, match="'my_profile' already"):
            write(planned(new_tool("profile"), today=TODAY), tree)

    def test_the_command_tells_what_it_made_and_what_is_left_to_do(self, tree: Path) -> None:
        arguments = ["tools", "new", "visits", "--ru", "визиты", "--folder", str(tree)]
        done = CliRunner().invoke(load(), [*arguments, "--json"])
        assert done.exit_code == 0, done.output
        told = json.loads(done.output)
        assert told["tools"] == ["visits_status", "my_visits"]
        assert all((tree / path).is_file() for path in told["created"])
        assert "visits_tools(FakeVisits()" in told["wiring"]["api/container.py"]
        assert '[purposes."visits:read"]' in told["wiring"]["demo/policy.toml"]
        again = subprocess.run(
            [sys.executable, "-m", "api.cli", *arguments], capture_output=True, text=True, check=False
        )
        assert again.returncode == 1
        assert "What to do: Choose another name" in again.stderr
        assert "Traceback" not in again.stderr


class TestProduct:
    @pytest.mark.parametrize("name", NAMES)
    def test_it_is_formatted_and_sorted_whatever_its_name(self, name: str, tree: Path) -> None:
        assert len(LONGEST) == LONGEST_NAME
        write(planned(new_tool(name), today=TODAY), tree)
        (tree / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"))
        # The linter tells its own modules from others' by their files.
        for path in (*(ROOT / "tools").glob("*.py"), ROOT / "tests" / "tools" / "shop.py"):
            place = tree / path.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        for words in (("format", "--check"), ("check",)):
            command = [str(Path(sys.executable).with_name("ruff")), *words, "."]
            done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout

    def test_its_texts_are_in_toml_and_say_the_same_in_both_languages(self, tree: Path) -> None:
        plan = planned(new_tool("visits", ru="Визиты мастера", en="Repair visits"), today=TODAY)
        write(plan, tree)
        phrases = Phrases(tree / "tools" / "visits" / "texts")
        assert phrases.differences() == []
        assert "мои визиты мастера" in phrases.items("cues.my_visits", "ru")
        assert phrases.say("state.open", "en", number="A-1", since="2026-11-01").startswith("Repair visits")
        for path, text in plan.files.items():
            if path.endswith(".py") and path.startswith("tools/"):
                ast.parse(text)
                assert text.isascii() or "…" in text
        (case,) = yaml.safe_load(plan.files["evals/cases/visits.yaml"])["cases"]
        assert case["expect"]["tools_called"] == ["my_visits"]

    @pytest.mark.heavy
    @pytest.mark.timeout(1200)
    def test_it_passes_the_projects_own_checks_untouched(self, tmp_path: Path) -> None:
        root = copied(tmp_path / "tree")
        made = run(
            "python", "-m", "api.cli", "tools", "new", "warranties", "--ru", "гарантии", "--json", tree=root
        )
        assert made.returncode == 0, made.stderr
        for command in (
            ("scripts/check", "--fast"),
            ("python", "-m", "pytest", "-n0", "tests/contracts/test_warranties.py"),
            ("python", "-m", "pytest", "-n0", "tests/test_architecture.py", "-k", "warranties"),
            ("python", "-m", "api.cli", "eval", "lint"),
        ):
            done = run(*command, tree=root)
            assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
