"""Which addresses of models and embedders lie in another country: nothing is sent there unless somebody allowed it.

```
own machine, own network ─► here        in MAYAK_HOME_HOSTS ─► here        any other ─► abroad
```
Being here is not being the company's own: a customer's consent is needed all the same.
"""

import ipaddress
from urllib.parse import urlsplit

from api.settings import BadSetting, Settings

PROVIDER = "api.openai.com"
"""The host that is asked where no address is set."""
NETWORK = (".local", ".internal", ".lan", ".localhost")
"""Ends of names that lead nowhere but the own network."""


def is_abroad(url: str, settings: Settings) -> bool:
    """Return whether the address is in another country and nobody allowed that one may be asked."""
    host = (urlsplit(url).hostname or "") if url else PROVIDER
    return not settings.cross_border and not _here(host.lower()) and host.lower() not in settings.home_hosts


def refuse_abroad(name: str, url: str, settings: Settings) -> None:
    """Raise `BadSetting` for an address in another country; `name` is the setting that holds it."""
    if is_abroad(url, settings):
        raise BadSetting(
            f"{name}: {urlsplit(url).hostname or PROVIDER} may be in another country.",
            remedy="Name the host in MAYAK_HOME_HOSTS if it is in this one, or set MAYAK_CROSS_BORDER=yes.",
        )


def _here(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # A name without a dot is one of the own network; an address that cannot be read is told elsewhere.
        return "." not in host or host.endswith(NETWORK)
    return address.is_private or address.is_loopback
