"""Which vector store a setting names."""

from pathlib import Path

from knowledge.errors import IndexUnavailable
from knowledge.index.port import OpenIndex


def indexes(spec: str, *, folder: Path | None = None) -> OpenIndex:
    """Return the opener `spec` names: `memory`, `chroma` (in `folder`) or `chroma:http://host:port`.

    Raises `IndexUnavailable` for anything else.
    """
    if spec == "memory":
        from knowledge.index.memory import MemoryIndexes

        return MemoryIndexes()
    if spec == "chroma" and folder is not None:
        from knowledge.index.chroma import ChromaFolder

        return ChromaFolder(folder)
    kind, _, address = spec.partition(":")
    if kind == "chroma" and address:
        from knowledge.index.chroma import ChromaServer

        return ChromaServer(address)
    raise IndexUnavailable(
        f"There is no vector store {spec!r}.", remedy="Use memory, chroma, or chroma:http://host:port."
    )
