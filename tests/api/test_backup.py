"""A backup is one file that is whole or told not to be, and a restore is whole or did not happen."""

import asyncio
import io
import json
import os
import shutil
import sqlite3
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.backup import archive, place, restoring, seal, sqlite, taking
from api.backup.faults import BackupFault, Damaged, NotABackup, WrongPassphrase
from api.backup.manifest import Manifest
from api.backup.sqlite import rows_of
from api.cli import load
from api.commands.context import Context
from api.lock import FolderTaken, owned
from api.migrate import migrate
from api.rights.erasures import Erasures
from api.rights.forgotten import BadLedger, ledger_in, ledger_of
from api.rights.subject import subject_of_customer
from api.settings import ROOT, Settings
from tests.api.desk import SECRET
from tests.api.rights_desk import AGATHA, BORIS, MAIL, PHONE, furnished, premises_at

QUIET: Callable[..., None] = lambda *told: None  # noqa: E731


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two customers, a key and a letter."""
    folder = tmp_path_factory.mktemp("filled") / "data"

    async def fill() -> None:
        async with premises_at(folder) as premises:
            await furnished(premises)

    asyncio.run(fill())
    (folder / "executor.id").write_text("e" * 32)
    (folder / "outbox").mkdir(exist_ok=True)
    (folder / "outbox" / "1.txt").write_text("To: somebody\n\nкод 1234", "utf-8")
    (folder / "chroma").mkdir(exist_ok=True)
    (folder / "chroma" / "derived.bin").write_bytes(b"vectors")
    with closing(sqlite3.connect(folder / "durable.sqlite")) as engine:
        engine.execute("CREATE TABLE steps (id TEXT, n BLOB)")
        engine.execute("INSERT INTO steps VALUES ('w', x'00ff')")
        engine.commit()
    return folder


@pytest.fixture
def settings(filled: Path, tmp_path: Path) -> Settings:
    shutil.copytree(filled, tmp_path / "data")
    return settings_at(tmp_path / "data")


def settings_at(data: Path) -> Settings:
    return Settings(data=data, identity_secret=SECRET, embedder="fake", company=ROOT / "demo")


def taken(settings: Settings, *, passphrase: str | None = None, name: str = "b.mayak") -> Path:
    return taking.take(settings, settings.data.parent / name, passphrase=passphrase, tell=QUIET).file


def restored(
    settings: Settings,
    file: Path,
    *,
    over: bool = False,
    erasures: Path | None = None,
    passphrase: str | None = None,
) -> restoring.Restored:
    with owned(settings.data):
        return restoring.restore(
            settings, file, passphrase=lambda: passphrase, over=over, erasures=erasures, tell=QUIET
        )


def verified(file: Path, *, passphrase: str | None = None) -> Manifest:
    return restoring.verify(file, passphrase=lambda: passphrase, folder=file.parent, tell=QUIET)


def state_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but locks and what databases keep beside them."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith((".lock", "-wal", "-shm"))
    }


def test_a_backup_restores_to_the_same_rows_files_and_keys(settings: Settings, tmp_path: Path) -> None:
    file = taken(settings)
    target = settings_at(tmp_path / "other")
    done = restored(target, file)
    before, after = rows_of(settings.data / "mayak.sqlite"), rows_of(target.data / "mayak.sqlite")
    # The restore itself is a line of the audit.
    written = {"audit", "audit_head", "audit_keys", "knowledge_meta"}
    assert {n: r for n, r in before.items() if n not in written} == {
        n: r for n, r in after.items() if n not in written
    }
    assert after["audit"].rows == before["audit"].rows + 1
    assert rows_of(settings.data / "durable.sqlite") == rows_of(target.data / "durable.sqlite")
    assert (target.data / "executor.id").read_text() == "e" * 32
    assert (target.data / "outbox" / "1.txt").read_text("utf-8").endswith("код 1234")
    assert not (target.data / "chroma" / "derived.bin").exists()
    assert done.aside is None
    assert (done.indexed, done.problem) == (0, "")
    assert sorted(p.name for p in target.data.iterdir() if not place.is_state(p.name)) == [
        "backup.lock",
        "mayak.lock",
    ]


def test_what_is_written_between_the_two_moments_is_in_our_copy_and_not_in_the_engines(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, reading = [], sqlite._reading

    @contextmanager
    def slow(path: Path) -> Iterator[sqlite3.Connection]:
        if held:
            with closing(sqlite3.connect(settings.data / "durable.sqlite")) as base:
                base.execute("INSERT INTO steps VALUES ('late', x'')")
                base.commit()
            with closing(sqlite3.connect(settings.data / "mayak.sqlite")) as base:
                base.execute("INSERT OR REPLACE INTO pulse (id, beats, filler) VALUES (1, 4711, '')")
                base.commit()
        held.append(path.name)
        with reading(path) as connection:
            yield connection

    with closing(sqlite3.connect(settings.data / "durable.sqlite")) as base:
        base.execute("PRAGMA journal_mode=WAL")
    monkeypatch.setattr(sqlite, "_reading", slow)
    new = settings_at(settings.data.parent / "new")
    restored(new, taken(settings))
    assert held == ["durable.sqlite", "mayak.sqlite"]
    for name, query in (
        ("durable", "SELECT n FROM steps WHERE id = 'late'"),
        ("mayak", "SELECT beats FROM pulse"),
    ):
        with closing(sqlite3.connect(new.data / f"{name}.sqlite")) as base:
            assert base.execute(query).fetchall() == ([(4711,)] if name == "mayak" else [])


def test_only_its_owner_may_read_a_backup_and_nothing_is_left_beside_it(settings: Settings) -> None:
    file = taken(settings)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not [p for p in (*settings.data.iterdir(), *file.parent.iterdir()) if p.name.startswith(".")]


def test_a_backup_is_never_written_over_another_file(settings: Settings) -> None:
    file = settings.data.parent / "b.mayak"
    file.write_text("dear")
    with pytest.raises(BackupFault, match="there already"):
        taken(settings)
    assert file.read_text() == "dear"


def test_a_folder_without_an_installation_is_not_backed_up(tmp_path: Path) -> None:
    with pytest.raises(BackupFault, match="nothing to back up"):
        taking.take(settings_at(tmp_path), tmp_path / "b", passphrase=None, tell=QUIET)


def test_a_sealed_backup_shows_nothing_and_opens_with_its_passphrase_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "COST", 2**10)
    file = taken(settings, passphrase="верный ключ")
    assert not file.read_bytes().startswith(archive.GZIP)
    assert verified(file, passphrase="верный ключ").tables["messages"].rows
    for wrong in ("неверный", None):
        with pytest.raises(WrongPassphrase):
            verified(file, passphrase=wrong)


@pytest.mark.parametrize("sealed", [False, True])
def test_a_backup_cut_off_or_changed_anywhere_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, sealed: bool
) -> None:
    monkeypatch.setattr(seal, "COST", 2**10)
    # So that there are several frames to cut between.
    monkeypatch.setattr(seal, "FRAME", 2**12)
    secret = "слово" if sealed else None
    whole = taken(settings, passphrase=secret).read_bytes()
    bad = settings.data.parent / "bad"
    frame = len(whole) // (2**12 + 16) // 2 * (2**12 + 16)
    for length in (0, 5, 200, frame, len(whole) // 2, len(whole) - 20, len(whole) - 1):
        bad.write_bytes(whole[:length])
        with pytest.raises(BackupFault):
            verified(bad, passphrase=secret)
    for at in (3, 60, 400, len(whole) // 2, len(whole) - 6):
        changed = bytearray(whole)
        changed[at] ^= 1
        # Gzip's head has bits that mean nothing to anybody.
        bad.write_bytes(changed)
        if sealed or at > 10:
            with pytest.raises(BackupFault):
                verified(bad, passphrase=secret)


def test_frames_of_a_sealed_file_cannot_change_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "FRAME", 64)
    out = io.BytesIO()
    with seal.Sealing(out, "p", cost=2**4) as sealing:
        sealing.write(bytes(range(192)))
    head, size = out.getvalue().index(b"\n", len(seal.MAGIC)) + 1, 64 + seal.TAG
    data = out.getvalue()
    swapped = data[:head] + data[head + size : head + 2 * size] + data[head : head + size]
    with pytest.raises(Damaged):
        io.BufferedReader(seal.Opening(io.BytesIO(swapped + data[head + 2 * size :]), "p")).read()
    assert io.BufferedReader(seal.Opening(io.BytesIO(data), "p")).read() == bytes(range(192))


@pytest.mark.parametrize("told", [{"n": 2**30}, {"n": 3}, {"r": 999}, {"salt": "00"}, {"kdf": "none"}])
def test_a_head_that_asks_for_too_much_is_refused_before_it_costs_anything(told: dict[str, object]) -> None:
    head = {"kdf": "scrypt", "n": 16, "r": 8, "p": 1, "salt": "0" * 32, "prefix": "0" * 14, "check": "00"}
    file = io.BytesIO(seal.MAGIC + json.dumps(head | told).encode() + b"\n")
    with pytest.raises(Damaged):
        seal.Opening(file, "p")


def forged(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, data in members:
            member.size = len(data) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(data))
    return path


def members_of(file: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(file) as tar:
        return [(one, read.read() if (read := tar.extractfile(one)) else b"") for one in tar]


@pytest.mark.parametrize("name", ["../out", "/etc/out", "files/../../out", "files//out", "", "files/."])
def test_a_name_that_leads_out_of_the_folder_is_refused(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    members = members_of(taken(settings))
    manifest = json.loads(members[0][1])
    last = members[-1][0]
    manifest["files"][-1]["path"] = last.name = name
    bad = forged(tmp_path / "bad", [(members[0][0], json.dumps(manifest).encode()), *members[1:]])
    with pytest.raises(BackupFault):
        restored(settings_at(tmp_path / "new"), bad)
    assert not (tmp_path / "out").exists()
    assert place.is_empty(tmp_path / "new")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_links_devices_and_folders_are_refused(settings: Settings, tmp_path: Path, kind: bytes) -> None:
    members = members_of(taken(settings))
    members[-1][0].type = kind
    members[-1][0].linkname = "/etc/passwd"
    with pytest.raises(Damaged):
        restored(settings_at(tmp_path / "new"), forged(tmp_path / "bad", members))


def test_a_file_the_manifest_does_not_name_and_one_that_is_missing_are_told(
    settings: Settings, tmp_path: Path
) -> None:
    members = members_of(taken(settings))
    with pytest.raises(Damaged, match="missing"):
        verified(forged(tmp_path / "less", members[:-1]))
    with pytest.raises(Damaged, match="does not name"):
        verified(forged(tmp_path / "more", [*members, (tarfile.TarInfo("files/x"), b"x")]))


@pytest.mark.parametrize("name", ["mayak.sqlite", "mayak.lock", "restore.json", "before-1", "chroma"])
def test_a_file_in_the_place_of_the_houses_own_is_refused(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    members = members_of(taken(settings))
    manifest = json.loads(members[0][1])
    manifest["files"][-1]["path"] = members[-1][0].name = f"files/{name}"
    bad = forged(tmp_path / "bad", [(members[0][0], json.dumps(manifest).encode()), *members[1:]])
    with pytest.raises(Damaged):
        restored(settings_at(tmp_path / "new"), bad)
    assert place.is_empty(tmp_path / "new")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 zip", b"hello", b"\x1f\x8b\x08 not gzip"])
def test_a_file_that_is_no_backup_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "f").write_bytes(data)
    with pytest.raises((NotABackup, Damaged)):
        verified(tmp_path / "f")


def test_rows_that_differ_from_the_manifest_are_told_although_every_file_is_as_it_says(
    settings: Settings, tmp_path: Path
) -> None:
    members = members_of(taken(settings))
    manifest = json.loads(members[0][1])
    manifest["tables"]["messages"]["rows"] += 1
    bad = forged(tmp_path / "bad", [(members[0][0], json.dumps(manifest).encode()), *members[1:]])
    with pytest.raises(Damaged, match="messages"):
        verified(bad)


def test_a_newer_releases_backup_is_refused_with_its_release(settings: Settings, tmp_path: Path) -> None:
    with closing(sqlite3.connect(settings.data / "mayak.sqlite")) as base:
        base.execute("UPDATE alembic_version SET version_num = '9999'")
        base.commit()
    with pytest.raises(BackupFault, match="newer release") as fault:
        restored(settings_at(tmp_path / "new"), taken(settings))
    assert "Install Mayak" in fault.value.remedy
    assert place.is_empty(tmp_path / "new")


def test_an_older_releases_backup_is_migrated(tmp_path: Path) -> None:
    from alembic import command

    from api.migrate import _config, _connected

    old = settings_at(tmp_path / "old")
    old.data.mkdir()
    with _connected(old.database_url) as connection:
        command.upgrade(_config(connection), "0022")
    new = settings_at(tmp_path / "new")
    assert restored(new, taken(old)).migrated
    migrate(new.database_url)
    assert "forgotten" in rows_of(new.data / "mayak.sqlite")


def test_a_folder_in_use_is_replaced_only_when_told_to_and_goes_back(settings: Settings) -> None:
    file = taken(settings)
    (settings.data / "later.txt").write_text("later")
    before = state_of(settings.data)
    with pytest.raises(BackupFault, match="holds an installation") as fault:
        restored(settings, file)
    assert "--replace" in fault.value.remedy
    assert state_of(settings.data) == before
    done = restored(settings, file, over=True)
    assert done.aside is not None
    assert not (settings.data / "later.txt").exists()
    with owned(settings.data):
        restoring.put_back(settings, done.aside, over=True)
    assert (settings.data / "later.txt").read_text() == "later"
    assert (settings.data / "chroma" / "derived.bin").read_bytes() == b"vectors"


def test_a_folder_that_a_server_owns_is_left_alone(settings: Settings) -> None:
    file = taken(settings)
    # Another open file of the same process is another owner to the kernel.
    with owned(settings.data, address="http://127.0.0.1:1"), pytest.raises(FolderTaken):
        restored(settings, file, over=True)


def test_a_restore_that_fails_leaves_the_folder_as_it_was(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = taken(settings)
    before = state_of(settings.data)

    def full(*told: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(restoring, "migrate_or_say", full)
    with pytest.raises(OSError, match="No space"):
        restored(settings, file, over=True)
    assert state_of(settings.data) == before


def test_a_disk_that_fills_up_while_a_backup_is_written_leaves_no_file(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*told: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        taken(settings)
    assert [p.name for p in settings.data.parent.iterdir()] == ["data"]
    assert not [p for p in settings.data.iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_restore_cut_off_between_any_two_names_is_finished_by_the_next_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    data = tmp_path / "data"
    for folder, text in (("data", "old"), (f"data/{place.STAGED}x/state", "new")):
        for name in ("a", "b", "c/d"):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    renames, rename = 0, Path.rename

    def dying(self: Path, target: Path) -> Path:
        nonlocal renames
        renames += 1
        if renames == cut:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", dying)
    try:
        place.put(data, data / f"{place.STAGED}x" / "state", aside=data / "before-1")
    except KeyboardInterrupt:
        assert cut <= 6
    with owned(data):
        read = [(data / n).read_text() for n in ("a", "b", "c/d")]
        kept = [(data / "before-1" / n).read_text() for n in ("a", "b", "c/d")]
    assert (read, kept) == (["new"] * 3, ["old"] * 3)
    assert not (data / place.MARK).exists()


def rows_about(data: Path, *words: str) -> list[str]:
    return [w for w in words for p in data.glob("*.sqlite*") if w.encode() in p.read_bytes()]


async def erase(settings: Settings, folder: Path) -> None:
    async with premises_at(folder) as premises:
        job = Erasures(premises)
        async with premises.engine.connect() as connection:
            subject = await subject_of_customer(connection, AGATHA)
        await job.carry_out(await job.ask(subject, whole=True))


def test_who_was_forgotten_after_the_backup_is_forgotten_again(settings: Settings) -> None:
    file = taken(settings)
    asyncio.run(erase(settings, settings.data))
    done = restored(settings, file, over=True)
    assert (done.erased, done.ledger, done.kept) == (1, True, 0)
    assert rows_about(settings.data, AGATHA, PHONE, MAIL) == []
    assert rows_about(settings.data, BORIS)
    # The proof the customer was given still stands, beside that of the second time.
    with closing(sqlite3.connect(settings.data / "mayak.sqlite")) as base:
        assert base.execute("SELECT count(*) FROM erasures WHERE state = 'done'").fetchone() == (2,)


def test_a_list_of_the_forgotten_names_nobody_and_works_elsewhere(settings: Settings, tmp_path: Path) -> None:
    file = taken(settings)
    asyncio.run(erase(settings, settings.data))

    async def listed() -> dict[str, object]:
        async with premises_at(settings.data) as premises:
            ledger = await ledger_of(premises.engine, secret=SECRET, now=premises.clock.now())
            return ledger.as_dict()

    out = tmp_path / "forgotten.json"
    out.write_text(json.dumps(asyncio.run(listed())), "utf-8")
    assert AGATHA not in out.read_text("utf-8")
    new = settings_at(tmp_path / "new")
    assert restored(new, file, erasures=out).erased == 1
    assert rows_about(new.data, AGATHA, PHONE, MAIL) == []
    stranger = replace(settings_at(tmp_path / "third"), identity_secret="z" * 40)
    with pytest.raises(BadLedger, match="another secret"):
        restored(stranger, file, erasures=out)
    assert place.is_empty(stranger.data)


def test_without_a_list_nobody_is_forgotten_again_and_that_is_said(
    settings: Settings, tmp_path: Path
) -> None:
    done = restored(settings_at(tmp_path / "new"), taken(settings))
    assert (done.erased, done.ledger) == (0, False)
    with pytest.raises(BadLedger):
        ledger_in(settings.data / "executor.id")


class Fixed(Context):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def settings(self) -> Settings:
        return self._settings


def test_the_commands_tell_in_json_and_end_with_1_for_a_bad_file(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "COST", 2**10)
    word, file = tmp_path / "word", str(tmp_path / "b.mayak")
    word.write_text("секрет\n", "utf-8")
    run, app, obj = CliRunner(), load(), Fixed(settings)
    key = ["--passphrase-file", str(word), "--json"]
    made = run.invoke(app, ["backup", file, *key], obj=obj)
    assert made.exit_code == 0, made.output
    whole = run.invoke(app, ["backup", "verify", file, *key], obj=obj)
    assert json.loads(whole.stdout)["sha256"] == json.loads(made.stdout)["sha256"]
    back = run.invoke(app, ["restore", file, *key], obj=Fixed(settings_at(tmp_path / "new")))
    assert json.loads(back.stdout)["digest_equal"] is True
    told = run.invoke(app, ["restore", file, *key], obj=obj)
    assert isinstance(told.exception, BackupFault)
    assert told.exit_code == 1
    audit = run.invoke(app, ["audit", "list", "--json"], obj=Fixed(settings_at(tmp_path / "new")))
    assert [row["act"] for row in json.loads(audit.stdout)][:2] == ["backup.restore", "backup.take"]
