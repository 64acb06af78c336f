"""Writes a planned tool into a working tree: all of its files or none."""

import tomllib
from pathlib import Path

from api.scaffold.plan import BadTool, Plan


def check_tree(root: Path) -> None:
    """Return if `root` is a working tree of this project; `BadTool` otherwise."""
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text("utf-8")).get("project", {})
    except (OSError, ValueError):
        project = {}
    if project.get("name") != "mayak" or not (root / "tools" / "toolbox.py").is_file():
        raise BadTool(
            f"{root} is no working tree of Mayak.",
            remedy="Run the command inside a clone of the project, or name one with --folder.",
        )


def write(plan: Plan, root: Path) -> tuple[str, ...]:
    """Write every file of the plan below `root` and return their paths; what cannot be finished is undone.

    Raises `BadTool` when a name is taken, `OSError` when the disk refuses.
    """
    check_tree(root)
    _check_free(plan, root)
    made: list[Path] = []
    try:
        for name, text in plan.files.items():
            path = root / name
            made += _folders(path.parent)
            # "x" refuses a file that came between the look and the write.
            with path.open("x", encoding="utf-8") as file:
                made.append(path)
                file.write(text)
    except BaseException:
        for path in reversed(made):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
        raise
    return tuple(plan.files)


def _check_free(plan: Plan, root: Path) -> None:
    name = plan.tool.name
    places = [root / "tools" / name, root / "tools" / f"{name}.py", *(root / path for path in plan.files)]
    taken = next((path for path in places if path.exists() or path.is_symlink()), None)
    if taken is not None:
        raise BadTool(
            f"{taken.relative_to(root)} exists already: the name {name!r} is taken.",
            remedy="Choose another name, or delete what is there if it was only a trial.",
        )
    known = root / "tools" / "texts" / "en.toml"
    cues = tomllib.loads(known.read_text("utf-8")).get("cues", {}) if known.is_file() else {}
    double = next((tool for tool in plan.tool.tools if tool in cues), None)
    if double is not None:
        raise BadTool(f"There is a tool {double!r} already.", remedy="Choose another name.")


def _folders(folder: Path) -> list[Path]:
    """Make a folder with its parents and return those that were not there, outermost first."""
    absent = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(absent):
        each.mkdir()
    return absent[::-1]
