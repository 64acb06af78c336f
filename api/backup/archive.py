"""The file itself: a tar of regular files behind gzip, its manifest first; sealed where there is a passphrase.

Reading believes nothing: only files that the manifest names, in its order, with its sizes and digests.
"""

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from api.backup.faults import BackupFault, Damaged, NotABackup, WrongPassphrase
from api.backup.manifest import MOST_BYTES, NAME, Kept, Manifest, manifest_of
from api.backup.seal import Opening, Sealing, is_sealed

PRIVATE = 0o600
CHUNK = 2**20
LEVEL = 5
GZIP = b"\x1f\x8b"
Tell = Callable[[int, int], None]
"""Bytes done, bytes in all."""


def hashed(path: Path) -> tuple[int, str]:
    """Return size and sha256 of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            digest.update(part)
            size += len(part)
    return size, digest.hexdigest()


def write(target: Path, manifest: Manifest, folder: Path, *, passphrase: str | None, tell: Tell) -> str:
    """Write the files of a folder that the manifest names to `target`, which must not exist; return its sha256.

    It has its name only when it is whole and on the disk. Raises `BackupFault`, `OSError`.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    if target.exists() or target.is_symlink():
        raise _taken(target)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE)
    try:
        with os.fdopen(handle, "wb") as file:
            _fill(file, manifest, folder, passphrase=passphrase, tell=tell)
            file.flush()
            os.fsync(file.fileno())
        digest = hashed(part)[1]
        _name(part, target)
        return digest
    finally:
        part.unlink(missing_ok=True)


def _name(part: Path, target: Path) -> None:
    try:
        # Unlike a rename, a link never takes the place of another file.
        os.link(part, target)
    except FileExistsError as there:
        raise _taken(target) from there
    except OSError:
        # Disks for carrying about often know no links.
        if target.exists():
            raise _taken(target) from None
        part.rename(target)


def _taken(target: Path) -> BackupFault:
    return BackupFault(
        f"{target} is there already.", remedy="Name a new file; a backup is never written over another."
    )


def _fill(file: IO[bytes], manifest: Manifest, folder: Path, *, passphrase: str | None, tell: Tell) -> None:
    done, total = 0, manifest.size
    with ExitStack() as stack:
        out: IO[bytes] = file
        if passphrase is not None:
            out = stack.enter_context(io.BufferedWriter(Sealing(file, passphrase)))
        zipped = stack.enter_context(gzip.GzipFile("", "wb", LEVEL, out, 0))
        tar = stack.enter_context(tarfile.open(fileobj=zipped, mode="w|", format=tarfile.PAX_FORMAT))
        told = manifest.as_bytes()
        tar.addfile(_member(NAME, len(told)), io.BytesIO(told))
        for one in manifest.files:
            path = folder / one.path
            with path.open("rb") as source:
                tar.addfile(_member(one.path, one.size, at=int(path.stat().st_mtime)), source)
            done += one.size
            tell(done, total)


def _member(name: str, size: int, *, at: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, PRIVATE, at
    return member


def read(
    source: Path,
    *,
    passphrase: Callable[[], str | None],
    into: Callable[[Manifest], Path | None] = lambda manifest: None,
    tell: Tell = lambda done, total: None,
) -> Manifest:
    """Read a backup to its end and compare all of it with its manifest; files are written to the folder `into` gives.

    `passphrase` is asked when the file is sealed. Raises `NotABackup`, `Damaged`, `WrongPassphrase`, `OSError`.
    """
    try:
        with _opened(source, passphrase) as tar:
            members = iter(tar)
            manifest = _manifest(tar, next(members, None))
            _files(tar, members, manifest, folder=into(manifest), tell=tell)
            return manifest
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError) as cut:
        raise Damaged(f"it ends too early or was changed ({type(cut).__name__})") from cut


@contextmanager
def _opened(source: Path, passphrase: Callable[[], str | None]) -> Iterator[tarfile.TarFile]:
    with ExitStack() as stack:
        file = stack.enter_context(source.open("rb"))
        start = file.read(16)
        file.seek(0)
        plain: IO[bytes] = file
        if is_sealed(start):
            if (given := passphrase()) is None:
                raise WrongPassphrase("The backup is sealed, and no passphrase was given.")
            plain = stack.enter_context(io.BufferedReader(Opening(file, given), CHUNK))
        elif not start.startswith(GZIP):
            raise NotABackup("it does not begin like one")
        zipped = stack.enter_context(gzip.GzipFile(fileobj=plain, mode="rb"))
        try:
            tar = stack.enter_context(tarfile.open(fileobj=zipped, mode="r|"))
        except tarfile.ReadError as wrong:
            raise NotABackup("there is no archive in it") from wrong
        yield tar
        # Only the end of gzip, and of the seal, says that nothing was cut off.
        while zipped.read(CHUNK):
            pass


def _manifest(tar: tarfile.TarFile, member: tarfile.TarInfo | None) -> Manifest:
    if member is None or member.name != NAME or not member.isreg() or member.size > MOST_BYTES:
        raise NotABackup("it does not begin with a manifest")
    file = tar.extractfile(member)
    assert file is not None, "regular files can be read"
    return manifest_of(file.read())


def _files(
    tar: tarfile.TarFile,
    members: Iterator[tarfile.TarInfo],
    manifest: Manifest,
    *,
    folder: Path | None,
    tell: Tell,
) -> None:
    done = 0
    for one in manifest.files:
        member = next(members, None)
        if member is None:
            raise Damaged(f"{one.path} is missing")
        # Links, devices and folders are nothing a backup has, and neither is any other name.
        if not member.isreg() or member.name != one.path or member.size != one.size:
            raise Damaged(f"{member.name!r} stands where {one.path} should")
        _file(tar, member, one, target=folder / one.path if folder is not None else None)
        done += one.size
        tell(done, manifest.size)
    if (more := next(members, None)) is not None:
        raise Damaged(f"it holds {more.name!r}, which its manifest does not name")


def _file(tar: tarfile.TarFile, member: tarfile.TarInfo, one: Kept, *, target: Path | None) -> None:
    source = tar.extractfile(member)
    assert source is not None, "regular files can be read"
    digest = hashlib.sha256()
    with ExitStack() as stack:
        out: IO[bytes] | None = None
        if target is not None:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            out = stack.enter_context(os.fdopen(os.open(target, flags, PRIVATE), "wb"))
        while part := source.read(CHUNK):
            digest.update(part)
            if out is not None:
                out.write(part)
        if out is not None:
            out.flush()
            os.fsync(out.fileno())
    if target is not None:
        # What goes by its age goes by its own.
        os.utime(target, (member.mtime, member.mtime))
    if digest.hexdigest() != one.sha256:
        raise Damaged(f"{one.path} is not what it was")
