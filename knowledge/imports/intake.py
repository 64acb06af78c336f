"""What was read goes into the library: ids, twins, near-duplicates, and the account of it all."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from knowledge.catalogue import hash_of
from knowledge.errors import KnowledgeFault
from knowledge.imports.arriving import Arrival, Ended, File, Opened, Read, Unchanged
from knowledge.imports.near import Near, signature
from knowledge.imports.report import Alike, Progress, Row, skipped
from knowledge.load import Loaded
from knowledge.reading.bundles import Part
from knowledge.sources.port import Brought, Learned, Notes, Stamp
from knowledge.types import DocumentId, Source

_SETTLED_NS = 2_000_000_000
"""A file changed this lately may change again within the same tick of its clock: it gets no stamp."""
_MOST_ALIKE = 3

Tell = Callable[[Progress], None]
Naming = Callable[[Source], DocumentId]
"""What a document is called whose file does not say it; by default the file's stem."""


class Shelf(Protocol):
    """What an import needs from the library."""

    async def prepare(
        self, sources: Sequence[tuple[Source, str]], *, progress: Callable[[int], None]
    ) -> None:
        """Embed what accepting these will need, texts of like length together. Nothing is shown to anybody."""
        ...

    async def accept_many(
        self, sources: Sequence[tuple[Source, str]], *, progress: Callable[[int], None]
    ) -> Sequence[int | KnowledgeFault | None]:
        """Embed and publish; return for each source and its digest how many passages, None when nothing changed, or
        the fault that kept it out."""
        ...

    async def pair(self, pairs: Sequence[tuple[DocumentId, DocumentId]]) -> None:
        """Tell twins of each other."""
        ...

    def embedded(self) -> int:
        """Return how many texts were embedded since the start."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A document on its way into the library, and the place of its row."""

    at: int
    file: str
    source: Source
    digest: str
    loaded: Loaded


class Intake:
    """Takes what was read into the library and keeps the account. `rows` grow in the order of the files."""

    def __init__(
        self,
        *,
        library: Shelf,
        notes: Notes | None,
        manifest: Mapping[str, Mapping[str, Any]],
        origin: str,
        total: int,
        progress: Tell,
        naming: Naming = lambda source: source.id,
    ) -> None:
        self._library = library
        self._notes = notes
        self._manifest = manifest
        self._origin = origin
        self._total = total
        self._progress = progress
        self._naming = naming
        self._before = library.embedded()
        self._near = Near()
        self._taken: dict[DocumentId, str] = {}
        # What each file gave so far; None once something of it was refused.
        self._brought: dict[str, list[Brought] | None] = {}
        self._done = 0
        self._name = ""
        self._publishing: asyncio.Future[None] | None = None
        self.stamps: Mapping[str, Stamp] = {}
        self.rows: list[Row] = []

    @property
    def embedded(self) -> int:
        """How many texts were embedded since this was made."""
        return self._library.embedded() - self._before

    async def open(self) -> None:
        """Recall what earlier imports left."""
        if self._notes is None:
            return
        if self._origin:
            self.stamps = await self._notes.stamps(self._origin)
        known = await self._notes.signatures()
        self._near = Near({name: np.frombuffer(places, dtype="<u4") for name, places in known.items()})

    async def take(self, portion: Sequence[Arrival]) -> None:
        """Take a portion: its documents go into the library together."""
        wanted: list[_Wanted] = []
        ended: list[Ended] = []
        for one in portion:
            match one:
                case Opened(file=file):
                    self._tell(file.name)
                case Unchanged(stamp=stamp):
                    self._keep(stamp)
                case Read(file=file, part=part):
                    self._brought.setdefault(file.name, [])
                    wanted += self._checked(file, part)
                case Ended():
                    ended.append(one)
                    self._done += 1
        sources = [(one.source, one.digest) for one in wanted]
        if sources:
            # The portion before is being published meanwhile.
            await self._library.prepare(sources, progress=lambda _: self._tell(self._name))
        await self.settle()
        self._publishing = asyncio.ensure_future(self._publish(wanted, ended))

    async def settle(self) -> None:
        """Wait until what was taken is in the library; raises what went wrong there."""
        publishing, self._publishing = self._publishing, None
        if publishing is not None:
            await publishing

    async def close(self) -> None:
        """Tell the library of twins, and the caller of the end."""
        await self.settle()
        pairs = [(one, DocumentId(f"{one}.en")) for one in self._taken if f"{one}.en" in self._taken]
        await self._library.pair(pairs)
        self._tell("")

    def _tell(self, name: str) -> None:
        self._name = name
        step = Progress(
            done=self._done, total=self._total, passages=self.embedded, document=name, found=len(self.rows)
        )
        self._progress(step)

    def _keep(self, stamp: Stamp) -> None:
        self._done += 1
        for one in stamp.brought:
            other = self._taken.setdefault(one.document, one.path)
            if other == one.path:
                self.rows.append(Row(path=one.path, document=one.document, result="unchanged"))
            else:
                self._refuse(one.path, _same(one.path, one.document, other))

    def _refuse(self, path: str, part: Part) -> None:
        self.rows.append(skipped(path, reason=part.reason, remedy=part.remedy, why=part.why))

    def _checked(self, file: File, part: Part) -> list[_Wanted]:
        """Return the document to take in, or nothing and a row that says why."""
        path = path_of(file.name, part)
        if part.loaded is None:
            self._brought[file.name] = None
            self._refuse(path, part)
            return []
        source = part_source(path, part, part.loaded, self._manifest.get(file.name, {}))
        if not part.id:
            source = replace(source, id=self._naming(source))
        other = self._taken.get(source.id)
        if other is not None:
            self._brought[file.name] = None
            self._refuse(path, _same(path, source.id, other))
            return []
        self._taken[source.id] = path
        at = len(self.rows)
        self.rows.append(Row(path=path, document=source.id, result="unchanged"))
        return [_Wanted(at=at, file=file.name, source=source, digest=_digest(source), loaded=part.loaded)]

    async def _publish(self, wanted: Sequence[_Wanted], ended: Sequence[Ended]) -> None:
        await self._accept(wanted)
        await self._stamp(ended)

    async def _accept(self, wanted: Sequence[_Wanted]) -> None:
        if not wanted:
            return
        sources = [(one.source, one.digest) for one in wanted]
        results = await self._library.accept_many(sources, progress=lambda _: self._tell(self._name))
        learned: list[Learned] = []
        for one, result in zip(wanted, results, strict=True):
            if isinstance(result, KnowledgeFault):
                self._brought[one.file] = None
                del self._taken[one.source.id]
                self.rows[one.at] = replace(
                    self.rows[one.at],
                    document=None,
                    result="skipped",
                    reason=result.message,
                    remedy=result.remedy,
                    why=result.why,
                )
                continue
            learned.append(self._noticed(one, passages=result))
            brought = self._brought.get(one.file)
            if brought is not None:
                path = self.rows[one.at].path
                brought.append(Brought(path=path, document=one.source.id, digest=one.digest))
        if self._notes is not None:
            await self._notes.learn(learned)

    def _noticed(self, one: _Wanted, *, passages: int | None) -> Learned:
        """Write the row of a document that is in the library; return what was learned about it."""
        source, loaded = one.source, one.loaded
        places = signature(source.text)
        alike: list[Alike] = []
        if places is not None:
            like = self._near.like(source.id, places)[:_MOST_ALIKE]
            alike = [Alike(document=other, share=round(share, 2)) for other, share in like]
            self._near.add(source.id, places)
        self.rows[one.at] = replace(
            self.rows[one.at],
            result="unchanged" if passages is None else "imported",
            passages=passages or 0,
            notes=loaded.notes,
            flags=loaded.flags,
            alike=tuple(alike),
        )
        kept = b"" if places is None else places.astype("<u4").tobytes()
        return Learned(document=source.id, notes=loaded.notes, flags=loaded.flags, signature=kept)

    async def _stamp(self, ended: Sequence[Ended]) -> None:
        settled = time.time_ns() - _SETTLED_NS
        stamps: dict[str, Stamp] = {}
        for one in ended:
            brought = self._brought.pop(one.file.name, None)
            if brought and one.modified_ns < settled:
                stamps[one.file.name] = Stamp(
                    size=one.size, modified_ns=one.modified_ns, rules=one.file.rules, brought=tuple(brought)
                )
        if stamps and self._origin and self._notes is not None:
            await self._notes.stamp(self._origin, stamps)


def path_of(file: str, part: Part) -> str:
    """Return the path of a part: the file's own, its member (`a.zip/b.md`) or line (`a.jsonl#7`)."""
    if not part.name:
        return file
    return f"{file}#{part.name}" if part.name.isdecimal() else f"{file}/{part.name}"


def part_source(path: str, part: Part, loaded: Loaded, row: Mapping[str, Any]) -> Source:
    """Return a part as a document; what its own row says of id and language goes first."""
    source = source_of(path, loaded, row)
    if not part.id:
        return source
    return replace(source, id=DocumentId(part.id), language=part.language or loaded.language)


def source_of(name: str, loaded: Loaded, row: Mapping[str, Any]) -> Source:
    """Return a loaded file as a document: id from the stem, `.en` added under a folder `en`, the rest from its row."""
    path = Path(name)
    language = loaded.language
    for folder in path.parts[:-1]:
        language = "ru" if folder == "ru" else "en" if folder == "en" else language
    english = "en" in path.parts[:-1]
    return Source(
        id=DocumentId(f"{path.stem}.en" if english else path.stem),
        title=str(row.get("title") or loaded.title),
        text=loaded.text,
        language=language,
        source=name,
        format=loaded.format,
        audience=str(row.get("audience") or "customer"),
        department=row.get("department"),
        valid_from=row.get("valid_from"),
        valid_until=row.get("valid_until"),
        status=row.get("status") or "published",
        approved=bool(row.get("approved", False)),
    )


def _same(path: str, document: DocumentId, other: str) -> Part:
    reason = f"{path} has the same id as {other}: {document}."
    return Part(name="", reason=reason, remedy="Rename one of the two.", why="same_id")


def _digest(source: Source) -> str:
    parts = [source.title, source.text, source.language, source.audience, source.department]
    parts += [str(source.valid_from), str(source.valid_until), source.status]
    # Only said where it is so: documents imported before it could be said are not taken for changed.
    return hash_of(json.dumps([*parts, "approved"] if source.approved else parts))
