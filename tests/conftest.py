"""What every test shares: the evaluation data, and an honest account of what was skipped."""

import gc
import os
from pathlib import Path

import pytest

pytest_plugins = (
    ["tests.postgres", "tests.systems.canaille", "tests.systems.tryton"]
    if Path(__file__).with_name("postgres.py").exists()
    else []
)

ROOT = Path(__file__).resolve().parent.parent
STRICT = os.environ.get("MAYAK_TEST_STRICT") == "1"


def evaldata_folder() -> Path | None:
    """The evaluation data beside the checkout, or where MAYAK_EVALDATA says; None where it is absent."""
    named = os.environ.get("MAYAK_EVALDATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "evaldata"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def evaldata() -> Path:
    folder = evaldata_folder()
    if folder is None:
        pytest.skip("the evaluation data is not here; set MAYAK_EVALDATA")
    return folder


@pytest.fixture(autouse=True)
def _evaldata_where_marked(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("evaldata") and evaldata_folder() is None:
        pytest.skip("the evaluation data is not here; set MAYAK_EVALDATA")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that ask for much time go first, so that nobody waits for one of them alone at the end."""

    def asked(item: pytest.Item) -> float:
        marker = item.get_closest_marker("timeout")
        return float(marker.args[0]) if marker is not None and marker.args else 0.0

    items.sort(key=asked, reverse=True)


def pytest_collection_finish() -> None:
    # Thousands of tests and all their modules stay to the end; a collector would walk them again and again.
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Two more than there are cores: half of the tests' time is waiting for servers and browsers of their own.

    The heavy ones reckon more than they wait, and hold models in memory.
    """
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    return (os.cpu_count() or 1) + (1 if config.option.markexpr == "heavy" else 2)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In the gate a skip is a failure, unless it is for want of the evaluation data."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not STRICT or reporter is None:
        return
    wrong = [r for r in reporter.stats.get("skipped", []) if "evaluation data" not in str(r.longrepr)]
    if wrong:
        reporter.write_line(f"{len(wrong)} tests were skipped where nothing may be", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
