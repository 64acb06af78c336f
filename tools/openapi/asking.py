"""One question to the system and what may be believed of its answer: the agreed shape, and only the customer's own.

```
arguments ─► checked ─► system ─► checked against the schema ─► rows ─► whose? ─► fields
              │                     └─ another shape: Unavailable   └─ another's: as if it were not there
              └─ not as agreed: nothing is sent
```
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tools.context import CustomerId
from tools.errors import Declined, NotFound, Rejected, Unavailable, Unsent
from tools.http_client import HttpSystem
from tools.openapi.document import Operation
from tools.openapi.expression import Unmatched, found, plain
from tools.openapi.mapping import Reading
from tools.openapi.request import Request, request_of

log = logging.getLogger(__name__)

MOST_ROWS = 2000
"""Rows looked at for one question, all pages together."""
_NOT_THERE = frozenset({403, 404, 410})
_NOT_SO = frozenset({400, 409, 422})
_REMEDY = (
    "Compare the system's answers with its document; if the system is right, mend the document in the pack."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What was found, field by field; `more` says that the system has further pages nobody read."""

    rows: tuple[Mapping[str, Any], ...]
    more: bool = False


class Asking:
    """Asks one system; a question lasts `seconds` at most, all its pages together."""

    def __init__(self, system: HttpSystem, *, seconds: float = 5.0) -> None:
        self._system, self._seconds = system, seconds

    async def one(
        self,
        reading: Reading,
        operation: Operation,
        arguments: Mapping[str, Any],
        *,
        owner: CustomerId | None,
    ) -> Mapping[str, Any]:
        """Return the fields of one thing; `NotFound` when it is absent, or another's."""
        try:
            answer = await self._answer(operation, arguments)
        except Rejected as wrong:
            # What the system cannot even be asked for is not there.
            raise NotFound() from wrong
        with _agreed(self._system.name, operation):
            row = found(reading.row, answer) if reading.row else answer
            if row is None or not _owned(reading, answer, row, owner):
                raise NotFound()
            return _fields(reading, row)

    async def many(
        self,
        reading: Reading,
        operation: Operation,
        arguments: Mapping[str, Any],
        *,
        owner: CustomerId | None,
    ) -> Rows:
        """Return the rows of a list that are the owner's."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._turned(reading, operation, arguments, owner=owner)
        except TimeoutError as slow:
            raise Unavailable(f"{self._system.name} takes too long for a list of {operation.id}") from slow

    async def change(
        self, operation: Operation, arguments: Mapping[str, Any], *, row: str, fields: Mapping[str, str]
    ) -> Mapping[str, Any]:
        """Send a change once; return the fields of its answer.

        `Rejected` and `Unsent`: nothing was done. `Unavailable`: nobody knows.
        """
        request = request_of(operation, arguments)
        try:
            answer = await self._system.write(
                request.method,
                request.path,
                parameters=request.parameters,
                body=request.body,
                bare=request.body is None,
                headers=request.headers,
            )
        except Declined as refusal:
            log.warning("%s refused %s: %s", self._system.name, operation.id, refusal.status)
            if refusal.status in _NOT_THERE | _NOT_SO:
                raise Rejected("refused") from refusal
            raise Unsent(str(refusal), remedy=refusal.remedy) from refusal
        with _agreed(self._system.name, operation):
            told = self._checked(operation, plain(answer))
            thing = found(row, told) if row else told
            return {name: found(expression, thing) for name, expression in fields.items()}

    def _checked(self, operation: Operation, answer: Any) -> Any:
        fault = operation.answers.fault(answer) if operation.answers else ""
        if fault:
            raise _other_shape(self._system.name, operation, fault)
        return answer

    async def _turned(
        self,
        reading: Reading,
        operation: Operation,
        arguments: Mapping[str, Any],
        *,
        owner: CustomerId | None,
    ) -> Rows:
        rows: list[Mapping[str, Any]] = []
        seen = 0
        pages = _Turning(reading)
        while True:
            answer = await self._answer(operation, {**arguments, **pages.arguments()})
            with _agreed(self._system.name, operation):
                batch = found(reading.rows, answer)
                if not isinstance(batch, list):
                    raise Unmatched(reading.rows)
                rows += [_fields(reading, row) for row in batch if _owned(reading, answer, row, owner)]
                seen += len(batch)
                further = pages.further(answer, rows=len(batch))
            if not further:
                return Rows(rows=tuple(rows))
            if pages.turned >= pages.most or seen >= MOST_ROWS:
                return Rows(rows=tuple(rows), more=True)

    async def _answer(self, operation: Operation, arguments: Mapping[str, Any]) -> Any:
        request = request_of(operation, arguments)
        try:
            answer = plain(await self._read(request))
        except Declined as refusal:
            raise self._told(refusal, operation) from refusal
        return self._checked(operation, answer)

    async def _read(self, request: Request) -> Any:
        if request.method == "GET":
            return await self._system.read(
                request.path, parameters=request.parameters, headers=request.headers
            )
        return await self._system.read(
            request.path, parameters=request.parameters, body=request.body or {}, headers=request.headers
        )

    def _told(self, refusal: Declined, operation: Operation) -> Exception:
        """Say what a refusal means; that somebody's record is there and forbidden looks as if it were absent."""
        if refusal.status != 404:
            log.warning("%s refused %s: %s", self._system.name, operation.id, refusal.status)
        if refusal.status in _NOT_THERE:
            return NotFound()
        if refusal.status in _NOT_SO:
            return Rejected("refused")
        return Unavailable(str(refusal), remedy=refusal.remedy)


@contextmanager
def _agreed(system: str, operation: Operation) -> Iterator[None]:
    """Whatever a mapping cannot be run over was another answer than agreed."""
    try:
        yield
    except Unmatched as other:
        raise _other_shape(system, operation, str(other)) from other


def _other_shape(system: str, operation: Operation, where: str) -> Unavailable:
    log.warning("%s answered %s in another shape: %s", system, operation.id, where)
    return Unavailable(f"{system} answered {operation.id} in another shape: {where}", remedy=_REMEDY)


def _fields(reading: Reading, row: Any) -> Mapping[str, Any]:
    return {name: found(expression, row) for name, expression in reading.fields.items()}


def _owned(reading: Reading, answer: Any, row: Any, owner: CustomerId | None) -> bool:
    proofs = ((reading.owner, row), (reading.owner_of_answer, answer))
    return all(
        owner is not None and owner in set(_ids(found(expression, value)))
        for expression, value in proofs
        if expression
    )


def _ids(value: Any) -> Iterator[str]:
    """Yield the ids a proof holds; what is no id proves nothing."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str | int) and not isinstance(each, bool) and str(each):
            yield str(each)


class _Turning:
    """Where in a list the questions are."""

    def __init__(self, reading: Reading) -> None:
        self._pages, self._read, self.turned = reading.pages, 0, 0
        self._cursor: Any = None
        self._seen: set[str] = set()
        self.most = reading.pages.most if reading.pages else 1

    def arguments(self) -> dict[str, Any]:
        """Return what the next question has besides the others' arguments."""
        pages = self._pages
        if pages is None:
            return {}
        size = {pages.size_argument: pages.size} if pages.size_argument else {}
        if pages.by == "cursor":
            return {**size, **({pages.argument: self._cursor} if self._cursor is not None else {})}
        return {**size, pages.argument: self._read if pages.by == "offset" else pages.first + self.turned}

    def further(self, answer: Any, *, rows: int) -> bool:
        """Take note of an answer; return whether there is another page."""
        pages = self._pages
        self.turned += 1
        self._read += rows
        if pages is None:
            return False
        if pages.by != "cursor":
            return rows >= pages.size
        cursor = found(pages.next, answer)
        if not isinstance(cursor, str | int) or isinstance(cursor, bool) or cursor == "":
            return False
        again = str(cursor) in self._seen
        self._seen.add(str(cursor))
        self._cursor = cursor
        # A cursor that leads back would be followed for ever.
        if again:
            raise Unmatched(pages.next)
        return True
