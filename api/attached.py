"""The container's choices about the systems the pack describes: their addresses, keys and toolkits."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

from agent.pack import Pack
from api.settings import BadSetting, Settings
from tools.http_client import HttpSystem, Limits
from tools.intents.port import Intents
from tools.openapi.asking import Asking
from tools.openapi.functions import openapi_tools
from tools.openapi.system import System
from tools.toolkit import Toolkit


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """One system, ready to be asked."""

    system: System
    asking: Asking


def attached(settings: Settings, pack: Pack, stack: AsyncExitStack) -> Mapping[str, Attached]:
    """Return the pack's systems by name; `stack` closes their connections. Raises `BadSetting`."""
    keys = by_name("system_keys", settings.system_keys, known=pack.systems)
    urls = by_name("system_urls", settings.system_urls, known=pack.systems)
    if not settings.pack_systems:
        return {}
    return {
        name: _attached(system, url=urls.get(name, system.url), key=keys.get(name, ""), stack=stack)
        for name, system in pack.systems.items()
    }


def attached_kits(
    described: Mapping[str, Attached], intents: Intents, *, now: Callable[[], datetime]
) -> Iterator[Toolkit]:
    """Return the toolkits of all systems."""
    for each in described.values():
        yield from openapi_tools(each.system, each.asking, intents, now=now)


def _attached(system: System, *, url: str, key: str, stack: AsyncExitStack) -> Attached:
    shown, seconds = system.mapping.key, system.mapping.seconds
    http = HttpSystem(
        system.name,
        url,
        headers={shown.header: f"{shown.prefix}{key}"} if key else {},
        limits=Limits(call=seconds, attempt=seconds / 2),
    )
    stack.push_async_callback(http.close)
    return Attached(system=system, asking=Asking(http, seconds=seconds))


def by_name(setting: str, rows: Collection[str], *, known: Collection[str]) -> Mapping[str, str]:
    """Return the values of a setting by the system they are for. Raises `BadSetting` for one that fits none."""
    found: dict[str, str] = {}
    for row in rows:
        name, _, value = row.partition("=")
        if name not in known or not value:
            raise BadSetting(
                f"MAYAK_{setting.upper()}: “{name if value else '…'}” is no system of the pack.",
                remedy=f"Write NAME=VALUE, several by commas; the names are those of systems/NAME.toml: "
                f"{', '.join(known) or 'there are none'}.",
            )
        found[name] = value
    return found
