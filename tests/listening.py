"""A server of a test's own on the loopback, over bare connections; when the block ends, none of them is left open.

What a test leaves open is found by the garbage collector in the middle of another test, and fails that one.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve, port: int = 0) -> AsyncIterator[int]:
    """Meet each connection with `serve` while the block runs, and close it after; gives the port."""
    connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections[task] = writer
        task.add_done_callback(connections.pop)
        # A caller that went away is nobody's fault.
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                await serve(reader, writer)
            finally:
                writer.close()
                await writer.wait_closed()

    server = await asyncio.start_server(meet, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        # A connection that was taken a moment ago comes to its task three steps of the loop later.
        for _ in range(5):
            await asyncio.sleep(0)
        tasks = list(connections)
        for task, writer in connections.items():
            # Not closed: closing waits until somebody reads what is still to be sent.
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
