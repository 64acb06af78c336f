"""What settings tell of every system alike."""

from api.settings import Settings
from tools.http_client import Limits


def limits_of(settings: Settings) -> Limits:
    """Return what one call may cost."""
    return Limits(call=settings.system_timeout, attempt=settings.system_timeout / 2)
