"""The servers of tests leave nothing open, whatever their callers did."""

import asyncio
import gc
import socket
import warnings

import pytest

from tests.listening import Serve, listening


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def _flooding(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"a" * 65_536)
        await writer.drain()


async def _leaving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"a" * 10_000_000)


@pytest.mark.parametrize("serve", [_silent, _flooding, _leaving])
@pytest.mark.parametrize("steps", range(6))
def test_no_connection_outlives_the_block(serve: Serve, steps: int) -> None:
    async def story(caller: socket.socket) -> None:
        async with listening(serve) as port:
            await asyncio.get_running_loop().sock_connect(caller, ("127.0.0.1", port))
            for _ in range(steps):
                await asyncio.sleep(0)

    with warnings.catch_warnings(record=True) as found, socket.socket() as caller:
        warnings.simplefilter("always")
        caller.setblocking(False)
        # What other tests left is not what is looked for, and may be a gigabyte to walk.
        gc.freeze()
        with asyncio.Runner() as runner:
            runner.run(story(caller))
        gc.collect()
    assert [str(each.message) for each in found] == []


async def test_a_conversation_is_served_to_its_end() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())

    async with listening(echo) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"here\n")
        assert await reader.read() == b"here\n"
        writer.close()
        await writer.wait_closed()
