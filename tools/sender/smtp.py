"""A sender over SMTP, through the standard library: encrypted, or to this machine itself."""

import asyncio
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from tools.contacts import By
from tools.sender.port import Letter, Undelivered

SECONDS = 10.0
"""For each step of the conversation with the server."""
PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A mail server: `smtps` speaks TLS from the first byte, `smtp` turns to it before anything is said."""

    secure: bool
    host: str
    port: int
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def read(cls, url: str) -> "Server":
        """Read smtp[s]://[user:password@]host[:port]. Raises `ValueError`, which does not repeat it."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/"):
            raise ValueError("it is not written smtp[s]://[user:password@]host[:port]")
        return cls(
            secure=parts.scheme == "smtps",
            host=parts.hostname,
            port=parts.port or PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )


class SmtpSender:
    """Sends e-mails from one address."""

    ways: frozenset[By] = frozenset({"email"})

    def __init__(self, server: Server, *, sender: str) -> None:
        self._server = server
        self._from = sender

    async def send(self, letter: Letter) -> None:
        if letter.by not in self.ways:
            raise Undelivered("A mail server sends e-mails alone.", remedy='Set by = "email" in policy.toml.')
        message = EmailMessage()
        message["From"], message["To"] = self._from, letter.to
        message["Subject"], message["Date"] = letter.subject, formatdate()
        message["Message-ID"] = make_msgid(domain=self._from.rpartition("@")[2] or None)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        try:
            await asyncio.to_thread(self._post, message)
        except (OSError, smtplib.SMTPException) as fault:
            # What the server said may repeat the address.
            raise Undelivered(f"The mail server took no letter: {type(fault).__name__}.") from None

    def _post(self, message: EmailMessage) -> None:
        with _open(self._server) as line:
            line.send_message(message)


def greeted(server: Server) -> None:
    """Go as far as a letter would and send none. Blocking. Raises `OSError`, `smtplib.SMTPException`."""
    with _open(server) as line:
        line.noop()


@contextmanager
def _open(server: Server) -> Iterator[smtplib.SMTP]:
    trust = ssl.create_default_context()
    if server.secure:
        line: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=trust)
    else:
        line = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
    with line:
        if not server.secure and not _here(server.host):
            line.starttls(context=trust)
        if server.user:
            line.login(server.user, server.password)
        yield line


def _here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
