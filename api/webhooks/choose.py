"""The container's choices about webhooks: which of the pack are told, what signs their events, where they may lead."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from agent.pack import Pack
from agent.webhooks import Webhook
from api.settings import BadSetting, Settings

LEAST, MOST = 24, 64
"""Bytes of a secret, as Standard Webhooks asks."""
MAKE = (
    'Make one: python -c "import base64, secrets; '
    "print('whsec_' + base64.b64encode(secrets.token_bytes(32)).decode())\""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A webhook of the pack and what signs its events, the newest secret first."""

    webhook: Webhook
    secrets: tuple[str, ...] = field(repr=False)


def subscriptions(settings: Settings, pack: Pack) -> tuple[Subscription, ...]:
    """Return the webhooks to tell, none where they are switched off. Raises `BadSetting`."""
    if not settings.webhooks:
        return ()
    webhooks = pack.company.webhooks
    secrets = _secrets(settings, webhooks)
    for webhook in webhooks:
        found = urlsplit(webhook.url)
        port = found.port or (443 if found.scheme == "https" else 80)
        if found.scheme != "https" and not {found.hostname, f"{found.hostname}:{port}"}.intersection(
            settings.webhook_hosts
        ):
            raise BadSetting(
                f"The webhook {webhook.name} has an address without TLS.",
                remedy="Write https://…, or name its host in MAYAK_WEBHOOK_HOSTS if it is the company's own.",
            )
        if not secrets[webhook.name]:
            raise BadSetting(
                f"The webhook {webhook.name} has no secret to sign with.",
                remedy=f"Set MAYAK_WEBHOOK_SECRETS={webhook.name}=whsec_…, or MAYAK_WEBHOOKS=no. {MAKE}",
            )
    return tuple(Subscription(webhook=one, secrets=tuple(secrets[one.name])) for one in webhooks)


def _secrets(settings: Settings, webhooks: Sequence[Webhook]) -> dict[str, list[str]]:
    secrets: dict[str, list[str]] = {webhook.name: [] for webhook in webhooks}
    for text in settings.webhook_secrets:
        name, _, secret = text.partition("=")
        if name not in secrets:
            raise BadSetting(
                f"MAYAK_WEBHOOK_SECRETS: “{name if secret else '…'}” is no webhook of the pack.",
                remedy="Write NAME=whsec_…, several by commas; the names are those of [[webhooks]] in company.toml: "
                f"{', '.join(secrets) or 'there are none'}.",
            )
        if not usable(secret):
            raise BadSetting(
                f"MAYAK_WEBHOOK_SECRETS: the secret of {name} cannot sign.",
                remedy=f"It must be base64 of {LEAST} to {MOST} random bytes. {MAKE}",
            )
        secrets[name].append(secret)
    return secrets


def usable(secret: str) -> bool:
    """Return whether a secret can sign: base64 of 24 to 64 bytes, with or without `whsec_` before it."""
    plain = secret.removeprefix("whsec_").rstrip("=")
    try:
        return LEAST <= len(base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)) <= MOST
    except (binascii.Error, ValueError):
        return False
