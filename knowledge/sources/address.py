"""Which addresses may be asked: public ones only, decided after the name was resolved, for every address it has."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence

from knowledge.sources.errors import Forbidden, Unreachable

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port in, numeric addresses out; raises `Unreachable`."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SECONDS = 10.0


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    loop = asyncio.get_running_loop()
    try:
        found = await asyncio.wait_for(loop.getaddrinfo(host, port, type=socket.SOCK_STREAM), _SECONDS)
    except (OSError, UnicodeError, TimeoutError) as fault:
        raise Unreachable(f"There is no address for {host}.", remedy="Check the name.") from fault
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


async def public_address(host: str, port: int, *, using: Resolve) -> str:
    """Return the address to connect to. Raises `Forbidden` if any address of the host is not public."""
    addresses = await using(host, port)
    if not addresses:
        raise Unreachable(f"There is no address for {host}.", remedy="Check the name.")
    for address in addresses:
        if not public(address):
            raise Forbidden(
                f"{host} is at {address}, which is not a public address.",
                remedy="Import internal pages from files: save them into a folder.",
                why="private",
            )
    return addresses[0]


def public(address: str) -> bool:
    """Say whether a numeric address is one of the open internet, also when it carries another one inside."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inside = _inside(found)
        if inside is not None:
            return public(str(inside))
    closed = found.is_multicast or found.is_reserved or found.is_unspecified or found.is_loopback
    return found.is_global and not (closed or found.is_link_local or found.is_private)


def _inside(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 one leads to: mapped, translated or tunnelled."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    tunnel = address.teredo
    return address.ipv4_mapped or address.sixtofour or (tunnel[1] if tunnel else None)
