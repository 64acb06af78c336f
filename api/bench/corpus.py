"""Corpora of any size out of real text: documents as they are, then new ones recombined from their sentences.

```
real documents, in an order drawn by lot ─► until the size is reached
        └─► sentences and headings ─► sections of about a passage each ─► twenty sections a document ─► the rest
```
Deterministic: the same text and size give the same files. Planted questions are thinned sentences that stand in one
real document only and are kept out of the recombination; a search that finds another passage first has missed.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from random import Random

from knowledge.ingest import files_of
from knowledge.language import language_of
from knowledge.load import load
from knowledge.reading.markup import blocks, escape
from knowledge.split import split
from knowledge.text.sentences import sentences
from knowledge.text.tokens import count
from knowledge.types import DocumentId, Language

SECTIONS = 20
"""Passages of a recombined document."""
FILLED = (90, 190)
"""Tokens of a recombined section, drawn between the two: it stays one passage."""
PLANTED = 210
_WORDS = range(8, 26)
_KEPT = 0.6
_MARKS = frozenset("|{}[]<>")


class BadCorpus(Exception):
    """A corpus cannot be read; `remedy` says what to give."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One real document as Markdown."""

    title: str
    text: str
    language: Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A question and the sentence that its right passage contains."""

    question: str
    sentence: str
    language: Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """What was written: how many documents and passages, how many of them real, and the planted questions."""

    documents: int
    passages: int
    real_passages: int
    planted: tuple[Planted, ...]


def read_texts(paths: Sequence[Path], *, company: Path) -> list[Text]:
    """Return the rows of jsonl files `{id, title, text}`, or the documents of a company pack when none is given."""
    if paths:
        return [text for path in paths for text in _documents(path)]
    root, files = files_of(company / "knowledge")
    found = [load(file) for file in files]
    if not found:
        raise BadCorpus(f"There are no documents in {root}.", remedy="Give text with --corpus FILE.jsonl.")
    return [Text(title=one.title, text=one.text, language=one.language) for one in found]


def write_corpus(texts: Sequence[Text], folder: Path, *, passages: int, seed: int = 1) -> Corpus:
    """Write a corpus of `passages` passages (a few more: documents stay whole) into an empty folder."""
    lot = Random(f"{seed}:{passages}")
    order = list(texts)
    lot.shuffle(order)
    real: list[Text] = []
    have = 0
    for text in order:
        if have >= passages:
            break
        pieces = split(text.text, document=DocumentId("d"), title=text.title, language=text.language)
        if pieces:
            real.append(text)
            have += len(pieces)
    seen = Counter(sentence for text in texts for sentence in _said(text))
    planted = _planted(real, seen, lot)
    made = _recombined(texts, {one.sentence for one in planted}, lot) if have < passages else iter(())
    written = 0
    for text in real:
        _write(folder, written, text)
        written += 1
    total = have
    while total < passages:
        _write(folder, written, next(made))
        written, total = written + 1, total + SECTIONS
    return Corpus(documents=written, passages=total, real_passages=have, planted=tuple(planted))


def _documents(path: Path) -> Iterator[Text]:
    """Give the rows of a file; rows of one title that follow each other are parts of one document."""
    for title, rows in groupby(_rows(path), key=lambda row: row[0]):
        text = "\n\n".join(part for _, part in rows)
        yield Text(title=title, text=text, language=language_of(f"{title} {text}"[:2_000]))


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as fault:
        raise BadCorpus(f"{path} cannot be read: {fault.strerror}.", remedy="Check the path.") from fault
    for n, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            title, text = str(row["title"]), str(row["text"])
        except (ValueError, KeyError, TypeError) as fault:
            raise BadCorpus(
                f"{path}, line {n} is not a passage: {fault!r}.",
                remedy='Write one JSON object a line: {"id": "…", "title": "…", "text": "…"}.',
            ) from fault
        yield title, text


def _said(text: Text) -> Iterator[str]:
    """Give the plain sentences of a document; tables, code and headings have none."""
    for block in blocks(text.text):
        if block.kind in ("text", "item"):
            for sentence in sentences(block.text):
                plain = " ".join(sentence.split())
                if len(plain.split()) in range(4, 60) and not _MARKS & set(plain):
                    yield plain


def _planted(real: Sequence[Text], seen: Counter[str], lot: Random) -> list[Planted]:
    found = [
        Planted(question=_thinned(sentence, lot), sentence=sentence, language=text.language)
        for text in real
        for sentence in _said(text)
        if seen[sentence] == 1 and len(sentence.split()) in _WORDS
    ]
    found = [one for one in found if one.question not in one.sentence]
    lot.shuffle(found)
    return found[:PLANTED]


def _thinned(sentence: str, lot: Random) -> str:
    words = sentence.split()
    kept = sorted(lot.sample(range(len(words)), max(5, round(_KEPT * len(words)))))
    return " ".join(words[i].strip('.,:;!?…«»"()') for i in kept)


def _recombined(texts: Sequence[Text], without: set[str], lot: Random) -> Iterator[Text]:
    pools: dict[Language, tuple[list[tuple[str, int]], list[str]]] = {}
    for language in sorted({text.language for text in texts}):
        own = [text for text in texts if text.language == language]
        said = dict.fromkeys(sentence for text in own for sentence in _said(text) if sentence not in without)
        if said:
            titles = sorted({" ".join(text.title.split()) for text in own if text.title.strip()})
            pools[language] = [(one, count(one)) for one in said], titles or [next(iter(said))]
    if not pools:
        raise BadCorpus("The text has no sentences to recombine.", remedy="Give longer text with --corpus.")
    languages = list(pools)
    weights = [len(pools[language][0]) for language in languages]
    while True:
        language = lot.choices(languages, weights)[0]
        pool, titles = pools[language]
        sections = "\n\n".join(_section(pool, lot.choice(titles), lot) for _ in range(SECTIONS))
        title = lot.choice(titles)
        yield Text(title=title, text=f"# {escape(title)}\n\n{sections}", language=language)


def _section(pool: Sequence[tuple[str, int]], heading: str, lot: Random) -> str:
    size, wanted = 0, lot.randint(*FILLED)
    lines: list[str] = []
    while size < wanted:
        sentence, tokens = lot.choice(pool)
        if lines and size + tokens > FILLED[1]:
            break
        lines.append(sentence)
        size += tokens
    return f"## {escape(heading)}\n\n{escape(' '.join(lines))}"


def _write(folder: Path, n: int, text: Text) -> None:
    place = folder / text.language / f"{n:06}.md"
    place.parent.mkdir(parents=True, exist_ok=True)
    head = "" if text.text.lstrip().startswith("# ") else f"# {escape(text.title)}\n\n"
    place.write_text(head + text.text, "utf-8")
