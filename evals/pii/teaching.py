"""Fitting the tagger of Latin names: sentences with names of many countries put into them, messages without any.

```
public sentences, names replaced ──┐
taught.toml, names put in ─────────┼─► a word a row ─► logistic regression ─► weights of 8 bits
messages of customers, no names ───┘
```
Judged on templates of the public set it was not fitted to: groups of templates are left out in turn.
"""

import base64
import json
import re
import tomllib
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

from agent.privacy.latin import FILTER, SIZE, Weights, bits, features, latin_names, words_of
from knowledge.records import rows_of

TAUGHT = Path(__file__).with_name("taught.toml")
EACH_PUBLIC, EACH_TAUGHT, PLAIN = 6, 60, 6_000
"""How often a public sentence and a taught one are used, each time with other names; how many messages without names."""
BOUND = 0.12
"""A name that leaves does more harm than a word that is masked and put back."""
USUAL = 3
"""How often a word occurs in messages to be an ordinary one."""
TEXTS = ("xquad", "vkcloud_faq", "vkcloud_docs", "dstc11_hotel")
"""Sets whose words in small letters are ordinary ones."""
FOLDS = 4
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Lesson:
    """A text and the places of its names; `group` is the template it was made of."""

    text: str
    names: tuple[tuple[int, int], ...]
    group: str


class Names:
    """Names of people and places of many countries, from Faker's lists."""

    def __init__(self, locales: Sequence[str], *, seed: int) -> None:
        from faker import Faker

        self.random = Random(seed)
        self._fakers = [Faker(locale) for locale in locales]
        for n, one in enumerate(self._fakers):
            one.seed_instance(seed + n)

    def make(self, kind: str) -> str:
        """Return something of a kind: person, first, last, city, company, street, country."""
        one = self.random.choice(self._fakers)
        if kind == "person":
            first, last = str(one.first_name()), str(one.last_name())
            middle = f" {self.random.choice('ABCDEFGHJKLMNPRST')}." if self.random.random() < 0.12 else ""
            return f"{first}{middle} {last}"
        makers = {"first": "first_name", "last": "last_name", "street": "street_address"}
        made = getattr(one, makers.get(kind, kind))()
        return " ".join(str(made).split())


def heard_of(locales: Sequence[str]) -> bytes:
    """Return a Bloom filter of the names of people in Faker's lists, in Latin letters."""
    return _filter(word for locale in locales for word in _listed(locale))


def common_in(messages: Iterable[str]) -> bytes:
    """Return a Bloom filter of the words that messages use again and again."""
    seen = Counter(word.text for text in messages for word in words_of(text) if word.text.islower())
    return _filter(word for word, times in seen.items() if times >= USUAL)


def _filter(words: Iterable[str]) -> bytes:
    filled = bytearray(FILTER // 8)
    for word in set(words):
        for place in bits(word):
            filled[place >> 3] |= 1 << (place & 7)
    return bytes(filled)


def _listed(locale: str) -> Iterator[str]:
    provider = import_module(f"faker.providers.person.{locale}").Provider
    for field in dir(provider):
        if re.fullmatch(r"(?:first|last)_names?(?:_\w+)?", field):
            listed = getattr(provider, field)
            for name in listed if isinstance(listed, list | tuple | dict) else ():
                yield from (word.text.lower() for word in words_of(str(name)) if len(word.text) > 2)


def lessons(
    public: Iterable[Mapping[str, Any]], messages: Sequence[str], *, seed: int = 7
) -> Iterator[Lesson]:
    """Yield what is taught: public sentences with other names, own ones, and messages that name nobody."""
    known = tomllib.loads(TAUGHT.read_text("utf-8"))
    names = Names(known["locales"], seed=seed)
    for row in public:
        for _ in range(EACH_PUBLIC):
            yield _renamed(row, names)
    for n, template in enumerate(known["sentences"]):
        for _ in range(EACH_TAUGHT if "{" in template else EACH_TAUGHT // 4):
            yield _filled(template, names, known["brands"], group=f"own-{n}")
    for text in names.random.sample(list(messages), min(PLAIN, len(messages))):
        shown = text[:1].upper() + text[1:] if names.random.random() < 0.6 else text
        yield Lesson(shown, (), "plain")


def _renamed(row: Mapping[str, Any], names: Names) -> Lesson:
    text, out, places, at = row["text"], "", [], 0
    for span in sorted(
        (s for s in row["spans"] if s["type"] == "PERSON"), key=lambda span: int(span["start"])
    ):
        if span["start"] < at:
            continue
        out += text[at : span["start"]]
        old = str(span["value"])
        new = names.make("person" if " " in old else names.random.choice(("first", "last")))
        new = new.lower() if old.islower() else new.upper() if old.isupper() and len(old) > 3 else new
        places.append((len(out), len(out) + len(new)))
        out, at = out + new, span["end"]
    return Lesson(out + text[at:], tuple(places), f"public-{row['template_id']}")


def _filled(template: str, names: Names, brands: Sequence[str], *, group: str) -> Lesson:
    out, places, at = "", [], 0
    small = names.random.random() < 0.06
    for found in _SLOT.finditer(template):
        out += template[at : found.start()]
        value = names.random.choice(brands) if found[1] == "brand" else names.make(found[1])
        value = value.lower() if small else value
        if found[1] in ("person", "first", "last"):
            places.append((len(out), len(out) + len(value)))
        out, at = out + value, found.end()
    return Lesson(out + template[at:], tuple(places), group)


def fit(taught: Sequence[Lesson], *, heard: bytes, common: bytes) -> Weights:
    """Return weights fitted to every word of the lessons.

    One name in four is taken as one nobody has heard of: else the list would be believed more than the words around.
    """
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    known, strange = Weights((), 0.0, BOUND, heard, common), Weights((), 0.0, BOUND, b"", common)
    columns: list[int] = []
    starts, labels = [0], []
    for lesson in taught:
        words = words_of(lesson.text)
        named = False
        for n, word in enumerate(words):
            columns += sorted(
                set(
                    features(
                        words,
                        n,
                        named=named,
                        told=lambda w: (known if zlib.crc32(w.encode()) % 4 else strange).told(w),
                    )
                )
            )
            starts.append(len(columns))
            named = any(start <= word.start and word.end <= end for start, end in lesson.names)
            labels.append(named)
    table = csr_matrix(([1.0] * len(columns), columns, starts), shape=(len(labels), SIZE))
    model = LogisticRegression(C=1.0, solver="liblinear", max_iter=200).fit(table, labels)
    return Weights(
        [float(weight) for weight in model.coef_[0]], float(model.intercept_[0]), BOUND, heard, common
    )


def written(weights: Weights) -> str:
    """Return weights as they are kept: eight bits each, packed."""
    scale = max(abs(weight) for weight in weights.places) / 127 or 1.0
    packed = bytes(round(weight / scale) & 0xFF for weight in weights.places)
    body = {
        "bias": round(weights.bias, 6),
        "bound": weights.bound,
        "common": base64.b64encode(zlib.compress(weights.common, 9)).decode(),
        "heard": base64.b64encode(zlib.compress(weights.heard, 9)).decode(),
        "scale": scale,
        "weights": base64.b64encode(zlib.compress(packed, 9)).decode(),
    }
    return json.dumps(body) + "\n"


@dataclass(frozen=True, slots=True)
class School:
    """What is taught with: public sentences, messages that name nobody, and what is known of words."""

    public: Sequence[Mapping[str, Any]]
    messages: Sequence[str]
    heard: bytes
    common: bytes

    def fit(self, *, without: Collection[int] = ()) -> Weights:
        """Return weights fitted to everything but some templates of the public sentences."""
        rows = [row for row in self.public if row["template_id"] not in without]
        return fit(list(lessons(rows, self.messages)), heard=self.heard, common=self.common)


def school(evaldata: Path) -> School:
    """Read what is taught with from the folder of public sets. Raises `BadRecords`."""
    public = [row for _, row in rows_of(evaldata / "pii" / "presidio_en.open.jsonl")]
    sets = ("clinc150", "banking77")
    messages = [
        str(row["text"]) for name in sets for _, row in rows_of(evaldata / "intents" / f"{name}.train.jsonl")
    ]
    texts = (
        str(row["text"])
        for name in TEXTS
        for _, row in rows_of(evaldata / "kb_en" / f"{name}.passages.jsonl")
    )
    locales = tomllib.loads(TAUGHT.read_text("utf-8"))["locales"]
    return School(public, messages, heard_of(locales), common_in((*messages, *texts)))


def unseen(taught: School) -> dict[str, float]:
    """Return how names are found in public sentences whose templates were left out of the lessons."""
    groups = sorted({int(row["template_id"]) for row in taught.public})
    found = gold = right = given = 0
    for fold in range(FOLDS):
        out = {group for n, group in enumerate(groups) if n % FOLDS == fold}
        weights = taught.fit(without=out)
        for row in (row for row in taught.public if row["template_id"] in out):
            spans = list(latin_names(row["text"], weights=weights))
            names = [span for span in row["spans"] if span["type"] == "PERSON"]
            inside = {n for span in spans for n in range(span.start, span.end)}
            gold += len(names)
            found += sum(_covers(inside, row["text"], span) for span in names)
            given += len(spans)
            right += sum(
                any(s["start"] < span.end and span.start < s["end"] for s in names) for span in spans
            )
    return {"recall_unseen": found / max(1, gold), "precision_unseen": right / max(1, given)}


def _covers(inside: Collection[int], text: str, span: Mapping[str, Any]) -> bool:
    return all(n in inside for n in range(span["start"], span["end"]) if text[n].isalpha())
