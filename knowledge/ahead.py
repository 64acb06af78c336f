"""Blocking work done one portion ahead: while one is used here, the next is prepared in a thread."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


async def ahead(
    items: Iterator[T], *, sizes: Callable[[int], int], stop: Callable[[], None]
) -> AsyncIterator[Sequence[T]]:
    """Give the items in portions; `sizes` says how many the nth has, from 0. `stop` must make `items` end soon."""
    number = 0

    def take() -> list[T]:
        return list(islice(items, sizes(number)))

    coming = asyncio.ensure_future(asyncio.to_thread(take))
    try:
        while portion := await coming:
            number += 1
            coming = asyncio.ensure_future(asyncio.to_thread(take))
            yield portion
    finally:
        stop()
        await asyncio.wait([coming])
        if not coming.cancelled():
            # A fault of the thread is already on its way, or nobody is left to tell.
            coming.exception()
