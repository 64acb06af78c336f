"""When storage takes nothing for a while: a full disk, a locked file, a database that is away.

Nothing is wrong with what was asked then, so it is refused or kept and tried again; whoever runs Mayak is told why.
A fault of the code, such as a column that does not exist, is no outage.
"""

import errno
import sqlite3
from dataclasses import dataclass

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
BROKEN = frozenset({errno.EIO, errno.EROFS})
_PRIMARY = 0xFF
"""The low byte of an SQLite error code is its kind; the rest says where it happened."""
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_CLOSED = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """What is wrong with the storage, in one sentence, and what to do about it."""

    what: str
    remedy: str


def outage_of(fault: BaseException) -> Outage | None:
    """Return the outage that `fault` (of SQLAlchemy, SQLite or the file system) tells of, None for any other fault."""
    from sqlalchemy.exc import DBAPIError, OperationalError, TimeoutError

    if isinstance(fault, TimeoutError):
        return _away("no connection to it came free")
    if isinstance(fault, DBAPIError):
        driver = fault.orig
        if isinstance(driver, sqlite3.Error):
            return _of_sqlite(driver)
        # Other drivers name what the code did wrong by classes of their own.
        return _away(_line(driver)) if isinstance(fault, OperationalError) else None
    if isinstance(fault, sqlite3.Error):
        return _of_sqlite(fault)
    return _of_files(fault) if isinstance(fault, OSError) else None


def _of_sqlite(fault: sqlite3.Error) -> Outage | None:
    kind = getattr(fault, "sqlite_errorcode", 0) & _PRIMARY
    if kind in _LOCKED:
        return Outage(
            what=f"Another program holds the database: {_line(fault)}.",
            remedy="Close what has the database file open (a backup, a database browser) and try again.",
        )
    if kind in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return _full(_line(fault))
    if kind in _CLOSED:
        return _away(_line(fault))
    return None


def _of_files(fault: OSError) -> Outage | None:
    if fault.errno in FULL or fault.errno in BROKEN:
        return _full((fault.strerror or _line(fault)).lower())
    return None


def _full(reason: str) -> Outage:
    return Outage(
        what=f"The disk does not take what is written: {reason}.",
        remedy="Free some space on the disk of MAYAK_DATA and look at its health, then try again.",
    )


def _away(reason: str) -> Outage:
    return Outage(
        what=f"The database does not answer: {reason}.",
        remedy="Check that the database of MAYAK_DATABASE runs, and the rights of its files, then try again.",
    )


def _line(fault: BaseException | None) -> str:
    """Return the first line of the fault's message, without its stop."""
    lines = str(fault).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(fault).__name__
