"""One contract for every vector store."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from knowledge.embed.port import unit
from knowledge.errors import IndexUnavailable
from knowledge.index.choose import indexes
from knowledge.index.port import OpenIndex
from knowledge.types import PassageId

DIM = 8
KINDS = ["memory", "chroma", pytest.param("chroma-server", marks=pytest.mark.heavy)]


@pytest.fixture(scope="module")
def chroma_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("chroma-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chroma = Path(sys.executable).with_name("chroma")
    command = [chroma, "run", "--path", folder, "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield f"chroma:http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("chroma did not start")


@pytest.fixture(params=KINDS)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenIndex]:
    if request.param == "chroma-server":
        made = indexes(request.getfixturevalue("chroma_server"))
    else:
        made = indexes(request.param, folder=tmp_path / "chroma")
    yield made
    made.close()


@pytest.fixture
def index(opener: OpenIndex, request: pytest.FixtureRequest):
    name = f"kb-{abs(hash(request.node.name))}"
    return opener(name, dim=DIM)


def rows(*numbers: int) -> np.ndarray:
    return unit(np.stack([np.random.default_rng(number).normal(size=DIM) for number in numbers]))


def ids(*numbers: int) -> list[PassageId]:
    return [PassageId(f"doc#{number}") for number in numbers]


def fill(index, *numbers: int) -> None:
    index.upsert(
        ids(*numbers), rows(*numbers), [{"hash": f"h{number}", "document": "doc"} for number in numbers]
    )


class TestIndex:
    def test_the_nearest_row_comes_first_with_its_cosine(self, index):
        fill(index, *range(1, 21))
        found = index.query(rows(7)[0], 5)
        assert found[0] == ("doc#7", pytest.approx(1.0, abs=1e-3))
        exact = sorted((float(score) for score in rows(*range(1, 21)) @ rows(7)[0]), reverse=True)[:5]
        assert [score for _, score in found] == pytest.approx(exact, abs=1e-3)

    def test_all_rows_can_be_asked_for_and_more_than_there_are(self, index):
        fill(index, *range(1, 301))
        assert {name for name, _ in index.query(rows(1)[0], 300)} == set(ids(*range(1, 301)))
        assert len(index.query(rows(1)[0], 1_000)) == 300
        assert index.query(rows(1)[0], 0) == []

    def test_an_empty_index_finds_nothing(self, index):
        assert index.query(rows(1)[0], 5) == []
        assert (index.count(), index.digest()) == (0, {})

    def test_a_row_put_again_is_replaced(self, index):
        fill(index, 1, 2)
        index.upsert(ids(1), rows(9), [{"hash": "new", "document": "doc"}])
        assert index.count() == 2
        assert index.digest() == {"doc#1": "new", "doc#2": "h2"}
        assert index.query(rows(9)[0], 1)[0][0] == "doc#1"

    def test_forgotten_rows_are_not_found_and_unknown_ones_are_ignored(self, index):
        fill(index, 1, 2, 3)
        index.delete(ids(2, 99))
        index.delete([])
        assert set(index.digest()) == {"doc#1", "doc#3"}
        assert "doc#2" not in dict(index.query(rows(2)[0], 10))

    def test_two_names_are_two_indexes(self, index, opener):
        fill(index, 1)
        assert opener("kb-another", dim=DIM).count() == 0

    def test_thousands_of_rows_go_in_and_come_back_whole(self, index):
        many = list(range(1, 2_501))
        fill(index, *many)
        assert index.count() == 2_500
        assert len(index.digest()) == 2_500
        assert index.query(rows(1_777)[0], 3)[0][0] == "doc#1777"


def test_an_embedded_folder_remembers_after_it_was_closed(tmp_path):
    first = indexes("chroma", folder=tmp_path)
    fill(first("kb-kept", dim=DIM), 1, 2, 3)
    first.close()
    second = indexes("chroma", folder=tmp_path)
    assert second("kb-kept", dim=DIM).digest() == {f"doc#{n}": f"h{n}" for n in (1, 2, 3)}
    second.close()


@pytest.mark.parametrize("spec", ["", "faiss", "chroma"])
def test_an_unknown_store_is_refused_with_a_remedy(spec):
    with pytest.raises(IndexUnavailable) as caught:
        indexes(spec)
    assert caught.value.remedy


def test_a_server_that_is_not_there_is_a_fault_with_a_remedy():
    with pytest.raises(IndexUnavailable) as caught:
        indexes("chroma:http://127.0.0.1:9")("kb-none", dim=DIM)
    assert caught.value.remedy
