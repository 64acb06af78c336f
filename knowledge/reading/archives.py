"""ZIP containers looked over before anything is unpacked: size, ratio, number of parts."""

import io
import zipfile
from typing import TYPE_CHECKING

from knowledge.errors import TooLarge, Unreadable

if TYPE_CHECKING:
    from knowledge.load import Limits

_MEGABYTE = 1_000_000


def check_archive(data: bytes, limits: "Limits", *, what: str, main: str) -> list[str]:
    """Return the names of the parts of an office file. Raises `Unreadable`, `TooLarge`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as fault:
        if data.startswith(b"\xd0\xcf\x11\xe0"):
            raise Unreadable(
                f"it is an old or password-protected {what} file.",
                remedy="Save it in the current format, without a password.",
                why="locked",
            ) from fault
        raise Unreadable(
            f"it is not a {what} file.", remedy="Save it in the current format.", why="wrong_kind"
        ) from fault
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members) or 1
    many = len(members) > limits.members
    if many or unpacked > limits.unpacked or unpacked > limits.ratio * packed + _MEGABYTE:
        raise TooLarge(
            f"it unpacks to {unpacked / _MEGABYTE:.0f} MB in {len(members)} parts.",
            remedy="Save the text alone as a new document.",
        )
    names = [member.filename for member in members]
    if main not in names:
        raise Unreadable(
            f"it is an archive, but not a {what} file.",
            remedy="Save it in the current format.",
            why="wrong_kind",
        )
    return names
