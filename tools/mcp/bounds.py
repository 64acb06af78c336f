"""An HTTP client for a server nobody vouches for: bounded answers, nothing packed, no detours."""

from collections.abc import AsyncIterator

import httpx

MOST_BYTES = 16 * 2**20
"""Bytes of one response; longer ones are not read to the end. Servers send a structured result twice, once as text."""
SILENT_SECONDS = 120.0
"""After which an answer nobody waits for any more is given up; calls have bounds of their own, far shorter."""


class TooLong(httpx.ReadError):
    """The response exceeds `MOST_BYTES`."""


class _Counted(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for chunk in self._stream:
            taken += len(chunk)
            if taken > MOST_BYTES:
                raise TooLong(f"the answer is longer than {MOST_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Bounded(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            # A few packed kilobytes can hold gigabytes, and it was asked for unpacked.
            await response.aclose()
            raise httpx.DecodingError("the answer is packed, though it was asked for as it is")
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _Counted(response.stream)
        return response


def bounded_client(*, token: str, seconds: float) -> httpx.AsyncClient:
    """Return a client that sends `token` as a bearer token; `seconds` bound connecting and sending, calls bound reading."""
    headers = {"Accept-Encoding": "identity"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return httpx.AsyncClient(
        headers=headers,
        timeout=httpx.Timeout(seconds, read=SILENT_SECONDS),
        transport=_Bounded(),
        trust_env=False,
        follow_redirects=False,
    )
