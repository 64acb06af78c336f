"""What a command gets: settings, the knowledge library, or the whole house, each opened when asked for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.ports import House
    from api.container import Building
    from api.settings import Settings
    from knowledge.library import Library


class Context:
    """Opens parts of the house lazily; nothing heavy is imported before it is needed."""

    def settings(self) -> "Settings":
        """Read the settings. Raises `BadSetting`."""
        from api.settings import read_settings

        return read_settings()

    @asynccontextmanager
    async def library(self) -> "AsyncIterator[Library]":
        """The knowledge library on this installation's data folder, which it owns meanwhile.

        Raises `FolderTaken` while a server runs there: two processes never open one folder.
        """
        import asyncio

        from api.container import open_library
        from api.lock import owned
        from api.migrate import migrate_or_say

        settings = self.settings()
        with owned(settings.data):
            await asyncio.to_thread(migrate_or_say, settings.database_url)
            async with open_library(settings) as library:
                yield library

    @asynccontextmanager
    async def building(self) -> "AsyncIterator[Building]":
        """The whole installation in this process, which owns its data folder meanwhile; no turn runs in it.

        Raises `FolderTaken` while a server runs there.
        """
        import asyncio

        from api.container import open_building
        from api.lock import owned
        from api.migrate import migrate_or_say

        settings = self.settings()
        with owned(settings.data):
            await asyncio.to_thread(migrate_or_say, settings.database_url)
            async with open_building(settings) as building:
                yield building

    @asynccontextmanager
    async def house(self) -> "AsyncIterator[House]":
        """The built house: the running server's if one owns the data folder, else one in this process."""
        from api.house import open_house

        async with open_house(self.settings()) as house:
            yield house
