"""Vectors in Chroma: an embedded folder, or a server on a private address. The only importer of chromadb."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from knowledge.embed.port import Vectors
from knowledge.errors import IndexUnavailable
from knowledge.index.port import Index, Metadata
from knowledge.types import PassageId

_BATCH = 1_000
_PAGE = 5_000
_T = TypeVar("_T")


class ChromaIndex:
    """One collection with cosine distance; vectors are always ours, Chroma embeds nothing."""

    def __init__(self, collection: Any) -> None:
        self._collection = collection

    def upsert(self, ids: Sequence[PassageId], vectors: Vectors, metadata: Sequence[Metadata]) -> None:
        for i in range(0, len(ids), _BATCH):
            part = slice(i, i + _BATCH)
            rows = np.asarray(vectors[part], dtype=np.float32)
            meta = [dict(row) for row in metadata[part]]
            _reached(self._collection.upsert, ids=list(ids[part]), embeddings=rows, metadatas=meta)

    def delete(self, ids: Sequence[PassageId]) -> None:
        for i in range(0, len(ids), _BATCH):
            _reached(self._collection.delete, ids=list(ids[i : i + _BATCH]))

    def query(self, vector: Vectors, k: int) -> list[tuple[PassageId, float]]:
        if k <= 0:
            return []
        row = np.asarray(vector, dtype=np.float32).reshape(1, -1)
        found = _reached(self._collection.query, query_embeddings=row, n_results=k, include=["distances"])
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [(PassageId(name), 1.0 - float(distance)) for name, distance in pairs]

    def count(self) -> int:
        return int(_reached(self._collection.count))

    def digest(self) -> dict[PassageId, str]:
        out: dict[PassageId, str] = {}
        while True:
            page = _reached(self._collection.get, include=["metadatas"], limit=_PAGE, offset=len(out))
            for name, meta in zip(page["ids"], page["metadatas"], strict=True):
                out[PassageId(name)] = str((meta or {}).get("hash", ""))
            if len(page["ids"]) < _PAGE:
                return out


class ChromaFolder:
    """Embedded Chroma in a folder; one process at a time may own it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._client: Any = None

    def __call__(self, name: str, *, dim: int) -> Index:
        if self._client is None:
            import chromadb

            self._folder.mkdir(parents=True, exist_ok=True)
            self._client = _reached(
                chromadb.PersistentClient, path=str(self._folder), settings=_quiet(chromadb)
            )
        return _collection(self._client, name, dim)

    def close(self) -> None:
        """Let go of the folder's files."""
        if self._client is not None:
            self._client.close()
            self._client = None


class ChromaServer:
    """A Chroma server at `host:port`. Keep it on a private address: it has no sign-in of its own here."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.removeprefix("http://").rstrip("/").partition(":")
        self._port = int(port or 8000)
        self._client: Any = None

    def __call__(self, name: str, *, dim: int) -> Index:
        if self._client is None:
            import chromadb

            self._client = _reached(
                chromadb.HttpClient, host=self._host, port=self._port, settings=_quiet(chromadb)
            )
        return _collection(self._client, name, dim)

    def close(self) -> None:
        """Close the connections."""
        if self._client is None:
            return
        # The client and the admin client inside it leave their HTTP sessions open.
        holders = (self._client, getattr(self._client, "_admin_client", None))
        sessions = [getattr(getattr(holder, "_server", None), "_session", None) for holder in holders]
        self._client.close()
        for session in sessions:
            if session is not None:
                session.close()
        self._client = None


def _collection(client: Any, name: str, dim: int) -> ChromaIndex:
    safe = re.sub(r"[^a-zA-Z0-9._-]+", "-", name).strip("-._")[:120]
    return ChromaIndex(
        _reached(
            client.get_or_create_collection,
            f"{safe}-{dim}",
            configuration={"hnsw": {"space": "cosine"}},
            embedding_function=None,
        )
    )


def _quiet(chromadb: Any) -> Any:
    return chromadb.config.Settings(anonymized_telemetry=False, allow_reset=False)


def _reached(call: Callable[..., _T], *args: Any, **named: Any) -> _T:
    import chromadb.errors
    import httpx

    try:
        return call(*args, **named)
    except (chromadb.errors.ChromaError, httpx.HTTPError, OSError, ValueError) as fault:
        raise IndexUnavailable(
            f"The vector store did not answer: {fault}.",
            remedy="Check the folder or the address of Chroma, then run `mayak knowledge reindex`.",
        ) from fault
