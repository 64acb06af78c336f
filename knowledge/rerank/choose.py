"""Which reranker a setting names."""

from knowledge.errors import EmbedderUnavailable
from knowledge.rerank.port import Reranker


def reranker(spec: str) -> Reranker | None:
    """Build the reranker `spec` names, None for none; models load at first use.

    "" · `fake` · `sentence-transformers:<name or folder>`. Raises `EmbedderUnavailable` for anything else.
    """
    kind, _, rest = spec.strip().partition(":")
    if not kind:
        return None
    if kind == "fake":
        from knowledge.rerank.fake import FakeReranker

        return FakeReranker()
    if kind == "sentence-transformers" and rest:
        from knowledge.rerank.cross_encoder import CrossEncoderReranker

        return CrossEncoderReranker(rest)
    raise EmbedderUnavailable(
        f"There is no reranker {spec!r}.",
        remedy="Use sentence-transformers:<name or folder>, or leave it empty.",
    )
