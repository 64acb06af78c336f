"""Which sender carries one-time codes: the settings' own, or files where the demo runs."""

from agent.pack import Pack
from agent.terms import OneTimeCodes
from api.settings import ROOT, BadSetting, Settings
from tools.sender.outbox import OutboxSender
from tools.sender.port import Sender
from tools.sender.smtp import Server, SmtpSender

OUTBOX = "outbox"
"""The setting that writes letters to files, and the folder of them inside the data folder."""


def sender(settings: Settings, pack: Pack, codes: OneTimeCodes) -> Sender:
    """Return what carries this company's codes. Raises `BadSetting`."""
    found = _named(settings, pack)
    if codes.by not in found.ways:
        raise BadSetting(
            f"Codes go by {codes.by}, and MAYAK_SENDER cannot send that way.",
            remedy='Set by = "email" under [assurance.codes] in policy.toml, or use another sender.',
        )
    return found


def _named(settings: Settings, pack: Pack) -> Sender:
    if settings.sender == OUTBOX or (
        not settings.sender and pack.folder.resolve() == (ROOT / "demo").resolve()
    ):
        return OutboxSender(settings.data / OUTBOX)
    if not settings.sender:
        raise BadSetting(
            "policy.toml counts one-time codes, and nothing sends them.",
            remedy="Set MAYAK_SENDER to smtp://user:password@host:587, to outbox for a trial with files, or take "
            "“code” out of `factors` under [assurance] in policy.toml.",
        )
    origin = settings.sender_from or pack.company.contacts.email
    if not origin:
        raise BadSetting(
            "Codes have no address to come from.",
            remedy="Set MAYAK_SENDER_FROM, or `email` under [contacts] in company.toml.",
        )
    try:
        return SmtpSender(Server.read(settings.sender), sender=origin)
    except ValueError as wrong:
        raise BadSetting(
            f"MAYAK_SENDER cannot be used: {wrong}.",
            remedy="Write smtp://user:password@host:587, smtps://… for TLS from the first byte, or outbox.",
        ) from wrong
