"""Haystack's stock retrievers over its in-memory store. The only importer of haystack."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from api.bench.peers.port import Peer
from knowledge.embed.port import Embedder, Vectors
from knowledge.rank.mix import field_text
from knowledge.types import Language, Passage

Kind = Literal["BM25", "vectors", "BM25 + vectors"]


class Haystack:
    """BM25, vectors by cosine, or both joined by reciprocal ranks; everything else as Haystack sets it."""

    def __init__(self, embedder: Embedder, *, kind: Kind) -> None:
        self._embedder = embedder
        self._kind = kind
        self._words: Any = None
        self._meaning: Any = None
        self._joiner: Any = None

    def index(self, passages: Sequence[Passage], vectors: Vectors, *, language: Language) -> None:
        from haystack import Document
        from haystack.components.joiners import DocumentJoiner
        from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
        from haystack.document_stores.in_memory import InMemoryDocumentStore

        store = InMemoryDocumentStore(embedding_similarity_function="cosine")
        store.write_documents(
            [
                Document(id=str(one.id), content=field_text(one, "body"), embedding=row.tolist())
                for one, row in zip(passages, vectors, strict=True)
            ]
        )
        self._words = InMemoryBM25Retriever(store)
        self._meaning = InMemoryEmbeddingRetriever(store)
        self._joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion")

    def find(self, question: str, *, k: int) -> list[str]:
        lists: list[list[Any]] = []
        if self._kind != "vectors":
            lists.append(self._words.run(query=question, top_k=k)["documents"])
        if self._kind != "BM25":
            vector = self._embedder.queries([question])[0].tolist()
            lists.append(self._meaning.run(query_embedding=vector, top_k=k)["documents"])
        found = lists[0] if len(lists) == 1 else self._joiner.run(documents=lists, top_k=k)["documents"]
        return [str(one.id) for one in found]


def peers(embedder: Embedder) -> Mapping[str, Peer]:
    """Return the retrievers by the name they are shown under."""
    kinds: tuple[Kind, ...] = ("BM25", "vectors", "BM25 + vectors")
    return {f"Haystack, {kind}": Haystack(embedder, kind=kind) for kind in kinds}
