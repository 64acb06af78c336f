"""LlamaIndex's stock retrievers over its in-memory index. The only importer of llama_index."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from api.bench.peers.port import Peer
from knowledge.embed.port import Embedder, Vectors
from knowledge.rank.mix import field_text
from knowledge.types import Language, Passage

Kind = Literal["BM25", "vectors", "BM25 + vectors"]
_STEMMERS: Mapping[Language, str] = {"ru": "russian", "en": "english"}
_DEPTH = 10


class LlamaIndex:
    """BM25 with the language's stemmer and stop words, the vector index, or the fusion of both by reciprocal ranks."""

    def __init__(self, embedder: Embedder, *, kind: Kind) -> None:
        self._embedder = embedder
        self._kind = kind
        self._retriever: Any = None

    def index(self, passages: Sequence[Passage], vectors: Vectors, *, language: Language) -> None:
        from llama_index.core.schema import TextNode

        nodes = [
            TextNode(id_=str(one.id), text=field_text(one, "body"), embedding=row.tolist())
            for one, row in zip(passages, vectors, strict=True)
        ]
        match self._kind:
            case "BM25":
                self._retriever = _by_words(nodes, language)
            case "vectors":
                self._retriever = _by_meaning(nodes, self._embedder)
            case _:
                self._retriever = _fused(_by_words(nodes, language), _by_meaning(nodes, self._embedder))

    def find(self, question: str, *, k: int) -> list[str]:
        return [str(one.node.node_id) for one in self._retriever.retrieve(question)[:k]]


def peers(embedder: Embedder) -> Mapping[str, Peer]:
    """Return the retrievers by the name they are shown under."""
    kinds: tuple[Kind, ...] = ("BM25", "vectors", "BM25 + vectors")
    return {f"LlamaIndex, {kind}": LlamaIndex(embedder, kind=kind) for kind in kinds}


def _by_words(nodes: Sequence[Any], language: Language) -> Any:
    import Stemmer
    from llama_index.retrievers.bm25 import BM25Retriever

    return BM25Retriever.from_defaults(
        nodes=list(nodes),
        stemmer=Stemmer.Stemmer(_STEMMERS[language]),
        language=language,
        similarity_top_k=_DEPTH,
    )


def _by_meaning(nodes: Sequence[Any], embedder: Embedder) -> Any:
    from llama_index.core import VectorStoreIndex

    index = VectorStoreIndex(nodes=list(nodes), embed_model=_adapted(embedder))
    return index.as_retriever(similarity_top_k=_DEPTH)


def _fused(words: Any, meaning: Any) -> Any:
    from llama_index.core.llms.mock import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever

    # One query, the customer's own: no model is asked for others, and the class wants one all the same.
    return QueryFusionRetriever(
        [meaning, words],
        llm=MockLLM(),
        mode="reciprocal_rerank",
        similarity_top_k=_DEPTH,
        num_queries=1,
        use_async=False,
    )


def _adapted(embedder: Embedder) -> Any:
    """Return the embedder behind LlamaIndex's own interface."""
    from llama_index.core.base.embeddings.base import BaseEmbedding

    class Adapted(BaseEmbedding):  # type: ignore[misc]
        def _get_query_embedding(self, query: str) -> list[float]:
            return [float(number) for number in embedder.queries([query])[0]]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

        def _get_text_embedding(self, text: str) -> list[float]:
            return [float(number) for number in embedder.passages([text])[0]]

    return Adapted(model_name=embedder.name)
