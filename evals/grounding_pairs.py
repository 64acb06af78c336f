"""Sentences about evidence, labelled: the project's own set, and pairs from outside.

```
evals/pairs/grounding_{tuned,held,blind}.yaml - id: returns          evals/pairs, tuned on | held out | blind
                                              evidence: {title, text} | {corpus, id}
                                              sentences: {supported: [...], number: [...], …}
evals/pairs/grounding_first.jsonl             as PAIRS.jsonl: older ones, fitted to beside the tuned half
PAIRS.jsonl                                 {id, evidence, sentence, title?, language?, label?}
```
Evidence named by `corpus` and `id` is looked up in the public sets; where those are absent its pairs are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import yaml

from agent.contradiction import script
from evals.marked import BadCases, Marked
from knowledge.errors import BadRecords
from knowledge.records import rows_of

DATA = Path(__file__).with_name("pairs")
Half = Literal["tuned", "held", "blind"]
HALVES: tuple[Half, ...] = get_args(Half)
Kind = Literal["supported", "contradicted", "unsupported", "number", "negation", "other_subject"]
"""What is true of a sentence: the evidence carries it, says otherwise, or is silent; or the sentence has another
number, a denial more or less, or gives to one thing what is said of another."""
KINDS: tuple[Kind, ...] = get_args(Kind)
AGAINST: frozenset[Kind] = frozenset({"contradicted", "number", "negation", "other_subject"})
"""Kinds that say something else than the evidence, rather than something more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One sentence beside one piece of evidence; `kind` None when it was not told."""

    id: str
    title: str
    evidence: str
    sentence: str
    language: str
    kind: Kind | None
    half: Half | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs that could be read, and the public sets that others needed and that are not here."""

    rows: tuple[Pair, ...]
    left_out: tuple[str, ...] = ()


def read_half(half: Half, *, evaldata: Path | None, folder: Path = DATA) -> Pairs:
    """Read one half of the project's own set. Raises `BadCases` with every fault, `BadRecords` for a public set."""
    path = folder / f"grounding_{half}.yaml"
    marked, rows, absent = Marked(path.name), list[Pair](), dict[str, int]()
    root = marked.open(path)
    corpora: dict[str, Mapping[str, tuple[str, str]]] = {}
    seen: set[str] = set()
    for node in marked.items(root) if root is not None else ():
        fields = marked.fields(
            node, known=("id", "evidence", "sentences"), needed=("id", "evidence", "sentences")
        )
        if set(fields) != {"id", "evidence", "sentences"}:
            continue
        name = marked.text(fields["id"])
        if name in seen:
            marked.wrong(fields["id"], f"`{name}` is written twice", remedy="Give each evidence its own id.")
        seen.add(name)
        said = _sentences(marked, fields["sentences"])
        given = _evidence(marked, fields["evidence"], evaldata, corpora)
        if isinstance(given, str):
            absent[given] = absent.get(given, 0) + len(said)
            continue
        title, text = given
        rows += [
            Pair(
                id=f"{name}/{kind}/{n}",
                title=title,
                evidence=text,
                sentence=sentence,
                language=script(sentence),
                kind=kind,
                half=half,
            )
            for kind, n, sentence in said
        ]
    if marked.faults:
        raise BadCases(marked.faults)
    left_out = tuple(f"{corpus}: {count} pairs ({half})" for corpus, count in absent.items())
    return Pairs(rows=tuple(rows), left_out=left_out)


def to_fit(*, evaldata: Path | None) -> Pairs:
    """Read all pairs a judge may be fitted to: the tuned half, and those of `grounding_first.jsonl`."""
    tuned = read_half("tuned", evaldata=evaldata)
    return Pairs(rows=(*tuned.rows, *read_pairs(DATA / "grounding_first.jsonl")), left_out=tuned.left_out)


def read_pairs(path: Path) -> list[Pair]:
    """Read pairs from outside, a JSON object a line. Raises `BadRecords`."""
    found = []
    for n, row in rows_of(path):
        for field in ("id", "evidence", "sentence"):
            if row.get(field) is None:
                raise BadRecords(
                    f"{path.name}:{n} has no {field!r}.", remedy="Give {id, evidence, sentence, label?}."
                )
        label = row.get("label")
        if label is not None and label not in KINDS:
            raise BadRecords(
                f"{path.name}:{n}: label {label!r} is not known.", remedy=f"Use one of: {', '.join(KINDS)}."
            )
        said = str(row["sentence"])
        found.append(
            Pair(
                id=str(row["id"]),
                title=str(row.get("title") or ""),
                evidence=str(row["evidence"]),
                sentence=said,
                language=str(row.get("language") or script(said)),
                kind=label,
            )
        )
    return found


def _sentences(marked: Marked, node: yaml.Node) -> list[tuple[Kind, int, str]]:
    fields = marked.fields(node, known=KINDS)
    out: list[tuple[Kind, int, str]] = []
    for kind in KINDS:
        for n, item in enumerate(marked.items(fields[kind]) if kind in fields else (), start=1):
            said = marked.text(item)
            if not said.strip():
                marked.wrong(item, "a sentence was expected", remedy="Write the sentence here.")
            out.append((kind, n, said))
    return out


def _evidence(
    marked: Marked,
    node: yaml.Node,
    evaldata: Path | None,
    corpora: dict[str, Mapping[str, tuple[str, str]]],
) -> tuple[str, str] | str:
    """Return title and text, or the name of the public set that would have them."""
    fields = marked.fields(node, known=("title", "text", "corpus", "id"))
    names = {name: marked.text(value) for name, value in fields.items()}
    if set(names) == {"title", "text"}:
        return names["title"], names["text"]
    if set(names) != {"corpus", "id"}:
        marked.wrong(
            node, "evidence is {title, text} or {corpus, id}", remedy="Give one of the two, complete."
        )
        return "", ""
    corpus = names["corpus"]
    if corpus not in corpora:
        corpora[corpus] = _corpus(corpus, evaldata)
    if not corpora[corpus]:
        return corpus
    if names["id"] not in corpora[corpus]:
        marked.wrong(
            fields["id"], f"{corpus} has no `{names['id']}`", remedy="Take an id of its passages file."
        )
        return "", ""
    return corpora[corpus][names["id"]]


def _corpus(name: str, evaldata: Path | None) -> Mapping[str, tuple[str, str]]:
    file = evaldata / f"{name}.passages.jsonl" if evaldata is not None else None
    if file is None or not file.is_file():
        return {}
    return {str(row["id"]): (str(row.get("title") or ""), str(row["text"])) for _, row in rows_of(file)}


def labelled(pairs: Sequence[Pair]) -> list[Pair]:
    """Return those whose kind was told."""
    return [pair for pair in pairs if pair.kind is not None]
