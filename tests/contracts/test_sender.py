"""What every sender keeps to: a letter arrives whole and once, a fault is typed and quotes nothing."""

import asyncio
import email
import email.policy
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.listening import listening
from tools.sender.fake import FakeSender
from tools.sender.outbox import OutboxSender
from tools.sender.port import Letter, Sender, Undelivered
from tools.sender.smtp import Server, SmtpSender

LETTER = Letter(
    by="email", to="anna@example.com", subject="Код: 123456", text="Ваш код 123456.\nНикому его не называйте."
)


@dataclass
class Box:
    """A sender and what arrived of it: (to, subject, text)."""

    sender: Sender
    arrived: Callable[[], list[tuple[str, str, str]]]
    breaks: Callable[[], Awaitable[None]]


@dataclass
class MailServer:
    """As much of SMTP as it takes to be given a letter."""

    letters: list[bytes] = field(default_factory=list)
    port: int = 0
    open: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        self.port = await self.open.enter_async_context(listening(self._talk))

    async def stop(self) -> None:
        await self.open.aclose()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                self.letters.append((await reader.readuntil(b"\r\n.\r\n"))[:-3])
            writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            await writer.drain()
            if verb == b"QUIT":
                break

    def arrived(self) -> list[tuple[str, str, str]]:
        read = [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.letters]
        return [(m["To"], m["Subject"], m.get_content().replace("\r\n", "\n").strip()) for m in read]


@pytest.fixture(params=["fake", "outbox", "smtp"])
async def box(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Box]:
    if request.param == "fake":
        fake = FakeSender()

        async def fail() -> None:
            fake.fail_with = Undelivered("It did not leave.")

        yield Box(fake, lambda: [(one.to, one.subject, one.text) for one in fake.sent], fail)
    elif request.param == "outbox":
        folder = tmp_path / "outbox"

        async def block() -> None:
            folder.touch()

        yield Box(OutboxSender(folder), lambda: _files(folder), block)
    else:
        mail = MailServer()
        await mail.start()
        sender = SmtpSender(Server.read(f"smtp://127.0.0.1:{mail.port}"), sender="help@fonar.example")
        yield Box(sender, mail.arrived, mail.stop)
        await mail.stop()


def _files(folder: Path) -> list[tuple[str, str, str]]:
    found = []
    for path in sorted(folder.glob("*.txt")):
        head, _, text = path.read_text("utf-8").partition("\n\n")
        lines = dict(line.split(": ", 1) for line in head.splitlines())
        found.append((lines["To"], lines["Subject"], text.strip()))
    return found


async def test_a_letter_arrives_whole_and_once(box: Box) -> None:
    await box.sender.send(LETTER)
    assert box.arrived() == [(LETTER.to, LETTER.subject, LETTER.text)]


async def test_letters_at_once_all_arrive(box: Box) -> None:
    many = [Letter(by="email", to=f"{n}@example.com", subject="s", text=f"text {n}") for n in range(8)]
    await asyncio.gather(*map(box.sender.send, many))
    assert sorted(box.arrived()) == sorted((one.to, one.subject, one.text) for one in many)


async def test_a_letter_that_cannot_leave_is_undelivered_and_quoted_nowhere(box: Box) -> None:
    await box.breaks()
    with pytest.raises(Undelivered) as fault:
        await box.sender.send(LETTER)
    assert fault.value.remedy
    told = f"{fault.value!r} {fault.value.remedy} {fault.value.__cause__!r}"
    assert "anna" not in told
    assert "123456" not in told


async def test_every_sender_says_what_it_can_send(box: Box) -> None:
    assert "email" in box.sender.ways


async def test_letters_in_files_are_for_nobody_else(tmp_path: Path) -> None:
    await OutboxSender(tmp_path / "outbox").send(LETTER)
    (file,) = (tmp_path / "outbox").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_mail_server_sends_no_text_messages() -> None:
    sender = SmtpSender(Server.read("smtp://127.0.0.1"), sender="help@fonar.example")
    with pytest.raises(Undelivered):
        await sender.send(Letter(by="phone", to="+7", subject="", text=""))


@pytest.mark.parametrize(
    "url", ["http://mail.example", "smtp://", "mail.example:25", "smtp://mail.example/path"]
)
def test_an_address_that_is_no_mail_server_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="written smtp") as refused:
        Server.read(url)
    assert "mail.example" not in str(refused.value)


def test_a_mail_servers_password_is_read_and_not_shown() -> None:
    server = Server.read("smtps://me%40x:s%2Fcret@mail.example")
    assert (server.secure, server.port, server.user, server.password) == (True, 465, "me@x", "s/cret")
    assert "cret" not in repr(server)
