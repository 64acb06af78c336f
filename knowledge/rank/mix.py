"""The weights of a search, read from data."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from knowledge.errors import BadRecords
from knowledge.lexical import PARTS
from knowledge.rank.follow_up import Openness
from knowledge.rank.story import Shares
from knowledge.types import Passage, title_of

FIELDS = ("title", "body")
_FILE = Path(__file__).with_name("mix.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """`dense` holds field → weight for each embedder in order, `lexical` part → weight; the rest as in mix.toml."""

    dense: tuple[Mapping[str, float], ...]
    lexical: Mapping[str, float]
    exact: int
    deep: int
    sample: int
    language: float
    context: float
    subject: float
    several: bool
    repair: bool
    whole: Openness
    leaning: Openness
    rerank_depth: int
    rerank_share: float
    story: Shares


def field_text(passage: Passage, field: str) -> str:
    """Return what is embedded for a field, "" for nothing."""
    title = title_of(passage)
    return title if field == "title" else f"{title}\n{passage.text}".strip()


@lru_cache(maxsize=4)
def mix(path: Path = _FILE) -> Mix:
    """Read the weights. Raises `BadRecords` when the file cannot be understood."""
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        weights, depth, prefer = data["weights"], data["depth"], data["prefer"]
        lexical = {**weights["words"], **weights["letters"]}
        return Mix(
            dense=tuple(
                {field: float(weights[rank][field]) for field in FIELDS} for rank in ("first", "second")
            ),
            lexical={part: float(lexical[part]) for part in PARTS},
            exact=int(depth["exact"]),
            deep=int(depth["deep"]),
            sample=int(depth["sample"]),
            language=float(prefer["language"]),
            context=float(prefer["context"]),
            subject=float(prefer["subject"]),
            several=bool(prefer["several"]),
            repair=bool(prefer["repair"]),
            whole=_openness(data["open"]["whole"]),
            leaning=_openness(data["open"]["leaning"]),
            rerank_depth=int(data["rerank"]["depth"]),
            rerank_share=float(data["rerank"]["share"]),
            story=Shares(**{name: float(share) for name, share in data["story"].items()}),
        )
    except (OSError, KeyError, TypeError, ValueError) as fault:
        raise BadRecords(
            f"{path.name} cannot be read: {fault!r}.", remedy="Restore the file as shipped."
        ) from fault


def _openness(pair: Sequence[float]) -> Openness:
    wide, shut = pair
    if not wide < shut:
        raise ValueError(f"{wide} is not less than {shut}")
    return Openness(wide=float(wide), shut=float(shut))
