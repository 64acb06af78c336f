"""A second factor for staff: codes of an authenticator app (RFC 6238), and recovery codes for whoever lost it.

```
begin ─► secret, shown once ─► confirm(code) ─► recovery codes, shown once
proved(code):  step now-1 … now+1, later than the last one used ─┬─► yes, the step is used up
               a recovery code that is left ─────────────────────┴─► yes, the code is gone
```
The secret lies sealed in the database under a key made of the installation's own secret, which is not in there.
"""

import base64
import binascii
import hashlib
import hmac
import logging
import os
import re
import secrets
from datetime import datetime

import pyotp
import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.records.factors import Factor, Factors
from api.security import hashed

STEP_SECONDS = 30
WINDOW = 1
"""Steps by which the clocks of the app and of this server may differ, either way."""
DIGITS = 6
CODES = 10
CODE_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Letters and digits that are not taken for one another."""
CODE_GROUPS, GROUP = 4, 4
NONCE_BYTES = 12

logger = logging.getLogger("mayak.sign_in")


class Unreadable(Exception):
    """A sealed secret was sealed under another key, or for somebody else."""


class Seal:
    """Seals secrets of staff under a key made of the installation's secret; each is bound to its login."""

    def __init__(self, secret: str) -> None:
        self._cipher = AESGCM(hmac.new(secret.encode(), b"second factors", hashlib.sha256).digest())

    def close(self, text: str, *, login: str) -> str:
        """Return the text sealed, in base64."""
        nonce = os.urandom(NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), login.encode())).decode()

    def open(self, sealed: str, *, login: str) -> str:
        """Return what was sealed for this login. Raises `Unreadable`."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            nonce, rest = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
            return self._cipher.decrypt(nonce, rest, login.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError) as wrong:
            raise Unreadable from wrong


class SecondFactor:
    """What somebody has beside their password. Attempts are counted by whoever asks, before they ask."""

    def __init__(self, factors: Factors, *, secret: str) -> None:
        self._factors = factors
        self._seal = Seal(secret)

    async def begin(self, login: str) -> str | None:
        """Return a new secret in base32, not in use yet; None where one is in use."""
        made = pyotp.random_base32()
        return made if await self._factors.begin(login, sealed=self._seal.close(made, login=login)) else None

    async def begun(self, login: str) -> str | None:
        """Return the secret that waits to be confirmed, None for none."""
        factor = await self._factors.of(login)
        if factor is None or factor.confirmed:
            return None
        return self._opened(factor.sealed, login)

    async def confirm(self, login: str, code: str) -> tuple[str, ...] | None:
        """Put the secret into use and return the recovery codes; None when the code does not fit."""
        found = await self.begun(login)
        step = step_of(code, secret=found, now=self._factors.clock.now()) if found else None
        if step is None:
            return None
        made = recovery_codes()
        done = await self._factors.confirm(login, step=step, codes=[hashed(plain(one)) for one in made])
        return made if done else None

    async def proved(self, login: str, code: str) -> bool:
        """Use up a code of the app or a recovery code; False when it is neither, or was used before."""
        factor = await self._factors.of(login)
        if factor is None or not factor.confirmed:
            return False
        written = plain(code)
        if re.fullmatch(rf"[0-9]{{{DIGITS}}}", written):
            found = self._opened(factor.sealed, login)
            step = step_of(written, secret=found, now=self._factors.clock.now()) if found else None
            return step is not None and await self._factors.use_step(login, step)
        return await self._factors.use_code(login, hashed(written))

    async def renew(self, login: str) -> tuple[str, ...]:
        """Return new recovery codes; all earlier ones are gone."""
        made = recovery_codes()
        await self._factors.renew(login, codes=[hashed(plain(one)) for one in made])
        return made

    async def remove(self, login: str) -> bool:
        """Forget the factor; False where there was none."""
        return await self._factors.remove(login)

    async def of(self, login: str) -> Factor | None:
        """Return what somebody has, None for nothing."""
        return await self._factors.of(login)

    def _opened(self, sealed: str, login: str) -> str | None:
        try:
            return self._seal.open(sealed, login=login)
        except Unreadable:
            # The installation's secret is another one than it was; recovery codes still count.
            logger.error(
                "The second factor of %s cannot be read: `mayak staff reset-factor %s`.", login, login
            )
            return None


def step_of(code: str, *, secret: str, now: datetime) -> int | None:
    """Return the step of time whose code this is, None when it is none of those around `now`."""
    written = plain(code)
    current = int(now.timestamp()) // STEP_SECONDS
    clock = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
    found = None
    for step in range(current - WINDOW, current + WINDOW + 1):
        # Every step is compared, so that the time this takes tells nothing.
        if hmac.compare_digest(clock.generate_otp(step).encode(), written.encode()):
            found = step
    return found


def plain(code: str) -> str:
    """Return a typed code without what people put between its parts."""
    return re.sub(r"[\s\-‐-―]+", "", code).upper()[:64]


def recovery_codes() -> tuple[str, ...]:
    """Return ten codes of 78 bits of chance each, in groups of four."""
    return tuple(
        "-".join("".join(secrets.choice(CODE_LETTERS) for _ in range(GROUP)) for _ in range(CODE_GROUPS))
        for _ in range(CODES)
    )


def app_address(secret: str, *, login: str, company: str) -> str:
    """Return the otpauth:// address an authenticator app reads."""
    clock = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS, name=login, issuer=company)
    return str(clock.provisioning_uri())


def qr_code(address: str) -> str:
    """Return the address as an SVG to stand in a page: dark on light, with its quiet border."""
    made = segno.make(address, error="m", micro=False)
    return str(made.svg_inline(scale=5, border=4, dark="#000", light="#fff", omitsize=True))


def in_groups(secret: str) -> str:
    """Return a secret as people type it: in groups of four."""
    return " ".join(secret[at : at + GROUP] for at in range(0, len(secret), GROUP))
