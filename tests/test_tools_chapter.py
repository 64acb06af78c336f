"""The chapter for tool developers is run as a reader would: nothing in it may be out of date."""

from pathlib import Path

import pytest

from tests.chapter import Chapter, blocks, contains, patched
from tests.conftest import ROOT
from tests.tree import copied

CHAPTER = ROOT / "docs" / "tools-developer.md"


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_every_block_of_the_chapter_does_what_it_says(tmp_path: Path) -> None:
    tree = copied(tmp_path / "tree")
    chapter = Chapter(tree, MAYAK_EMBEDDER="fake", MAYAK_DATA=str(tmp_path / "data"))
    steps = blocks(CHAPTER.read_text("utf-8"))
    assert [step.language for step in steps].count("bash") >= 6
    for step in steps:
        chapter.run(step)


def test_a_reader_of_the_chapter_finds_every_block_marked_with_what_to_do() -> None:
    for step in blocks(CHAPTER.read_text("utf-8")):
        assert step.language == "bash" or len(step.what) == 1, f"line {step.line}"


def test_a_change_is_made_where_its_lines_stand_and_refused_where_they_do_not() -> None:
    assert patched("a\nb\nc\n", " a\n-b\n+x\n", "here") == "a\nx\nc\n"
    with pytest.raises(AssertionError, match="0 times"):
        patched("a\nc\n", " a\n-b\n+x\n", "here")
    with pytest.raises(AssertionError, match="2 times"):
        patched("a\na\n", " a\n+x\n", "here")


def test_what_is_told_may_hold_more_than_what_is_printed_in_the_chapter() -> None:
    whole = {"a": [{"b": 1, "c": 2}], "d": None}
    assert contains(whole, {"a": [{"b": 1}]})
    assert not contains(whole, {"a": []})
    assert not contains(whole, {"a": [{"b": 2}]})
