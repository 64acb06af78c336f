"""The customer's door as a client: one conversation over `/v1`, for commands and evals.

The transport decides what is behind it: a running server's socket, or the application in this process.
Both are the same code path from the first byte of the request on.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from tools.context import Language


class DoorClosed(Exception):
    """The server refused or did not answer; `remedy` says what to do."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class Visit:
    """One open conversation; `id` and `token` name it."""

    def __init__(self, client: httpx.AsyncClient, opened: Mapping[str, Any]) -> None:
        self._client = client
        self.id = str(opened["id"])
        self.token = str(opened["token"])
        self.opened = opened

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def send(self, text: str = "", *, action: Mapping[str, Any] | None = None) -> int:
        """Send one message or button; return its sequence number."""
        body: dict[str, Any] = {"key": secrets.token_urlsafe(12)}
        body |= {"action": dict(action)} if action is not None else {"text": text}
        path = f"/v1/conversations/{self.id}/messages"
        answer = checked(await self._client.post(path, json=body, headers=self._headers))
        return int(answer["seq"])

    async def get(self, path: str) -> dict[str, Any]:
        """Read a resource below the conversation."""
        response = await self._client.get(f"/v1/conversations/{self.id}{path}", headers=self._headers)
        return checked(response)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Write to a resource below the conversation."""
        url = f"/v1/conversations/{self.id}{path}"
        return checked(await self._client.post(url, json=dict(body), headers=self._headers))

    async def turn_after(self, seq: int, *, seconds: float = 60.0) -> dict[str, Any]:
        """Wait for the turn that took up message `seq` and return its public answer object."""
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            found = await self.get(f"/turns?message={seq}")
            if found.get("turn"):
                return dict(found["turn"])
            await asyncio.sleep(0.02)
        raise DoorClosed(
            f"No answer within {seconds:.0f} s.",
            remedy="The message is kept; look at the server's log and at /readyz.",
        )

    async def events(self, *, after: int = 0) -> AsyncIterator[tuple[int, str, dict[str, Any]]]:
        """Follow the conversation's events: (number, type, data); number 0 for those without one."""
        url = f"/v1/conversations/{self.id}/events?after={after}"
        async with self._client.stream("GET", url, headers=self._headers, timeout=None) as response:
            fields: dict[str, str] = {}
            async for line in response.aiter_lines():
                if line.startswith(":"):
                    continue
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                elif "data" in fields:
                    number = int(fields.get("id", "0"))
                    yield number, fields.get("event", "message"), json.loads(fields["data"])
                    fields = {}
                else:
                    fields = {}


async def open_visit(
    client: httpx.AsyncClient, *, language: Language | None = None, identity: str | None = None
) -> Visit:
    """Open a conversation; `identity` is a signed token, without one the visitor is anonymous."""
    body = {name: value for name, value in {"language": language, "identity": identity}.items() if value}
    return Visit(client, checked(await client.post("/v1/conversations", json=body)))


def checked(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON of a good answer; raise `DoorClosed` with the problem's words otherwise."""
    try:
        body = response.json() if response.content else {}
    except ValueError:
        body = {}
    if response.is_success:
        return dict(body)
    raise DoorClosed(
        str(body.get("detail") or body.get("title") or f"HTTP {response.status_code}"),
        remedy=str(body.get("remedy", "")),
    )
