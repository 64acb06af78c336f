"""One process owns a data folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api.lock import FolderTaken, owned, owner_of


def test_a_second_owner_is_refused_with_the_address_of_the_first(tmp_path: Path) -> None:
    with owned(tmp_path, address="http://127.0.0.1:8000"):
        with pytest.raises(FolderTaken) as refused, owned(tmp_path):
            pass
        assert str(os.getpid()) in str(refused.value)
        assert "http://127.0.0.1:8000" in refused.value.remedy
        assert owner_of(tmp_path) == "http://127.0.0.1:8000"
    assert owner_of(tmp_path) is None
    with owned(tmp_path):
        pass


def test_a_command_without_a_door_is_no_address(tmp_path: Path) -> None:
    with owned(tmp_path), pytest.raises(FolderTaken, match="Another Mayak process"):
        owner_of(tmp_path)


def test_an_untouched_folder_has_no_owner(tmp_path: Path) -> None:
    assert owner_of(tmp_path / "absent") is None


def test_a_killed_owner_leaves_nothing_to_clean_up(tmp_path: Path) -> None:
    code = "import os, sys; from pathlib import Path; from api.lock import owned\n"
    code += "with owned(Path(sys.argv[1]), address='http://x'): os.kill(os.getpid(), 9)"
    died = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, timeout=60)
    assert died.returncode == -9
    assert owner_of(tmp_path) is None
    with owned(tmp_path):
        pass
