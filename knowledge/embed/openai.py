"""Embeddings from OpenAI or any server that speaks its protocol."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from knowledge.embed.port import Vectors, unit
from knowledge.errors import EmbedderUnavailable

_BATCH = 64
_LIMIT_CHARS = 24_000


class OpenAIEmbedder:
    """`outside`: whether the server is another company's. `url` is the base of an OpenAI-compatible server ("http://host:port/v1"); without it, OpenAI's own.

    The width is learned from the first answer. `timeout` is seconds for one request; two retries.
    """

    def __init__(
        self,
        model: str,
        *,
        url: str | None = None,
        key: str | None = None,
        timeout: float = 30.0,
        outside: bool = True,
    ) -> None:
        self.outside = outside
        self._model = model
        self._url = url
        self._key = key
        self._timeout = timeout
        self._client: Any = None
        self._dim: int | None = None

    @property
    def name(self) -> str:
        return f"openai:{self._model}"

    @property
    def dim(self) -> int:
        if self._dim is None:
            self._dim = self._request(["dim"]).shape[1]
        return self._dim

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        clean = [text[:_LIMIT_CHARS] if text.strip() else "." for text in texts]
        rows = [self._request(clean[i : i + _BATCH]) for i in range(0, len(clean), _BATCH)]
        out = unit(np.concatenate(rows))
        self._dim = out.shape[1]
        return out

    def _request(self, texts: list[str]) -> Vectors:
        import openai

        if self._client is None:
            self._client = openai.OpenAI(
                base_url=self._url, api_key=self._key or "none", timeout=self._timeout, max_retries=2
            )
        try:
            answer = self._client.embeddings.create(model=self._model, input=texts, encoding_format="float")
        except openai.OpenAIError as fault:
            raise EmbedderUnavailable(
                f"The embedding server did not answer: {fault}.",
                remedy="Check the URL, the key and the model name of the embedder.",
            ) from fault
        rows = [row.embedding for row in sorted(answer.data, key=lambda row: row.index)]
        return np.asarray(rows, dtype=np.float32)
