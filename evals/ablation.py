"""What each part of the search is worth: the same questions, every part left out in turn."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from evals.retrieval import Bar, Settings, asking, measure, opened
from knowledge.lexical import Lexical
from knowledge.rank.mix import FIELDS, Mix
from knowledge.text.words import plain_words

if TYPE_CHECKING:
    from knowledge.records import Question
    from knowledge.search import Search
    from knowledge.types import Passage

_FIGURES = ("hit@1", "hit@5", "hit@10", "recall@k")
Change = Callable[[Mix], Mix]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The search with something changed; `needs` says on which questions it can be seen at all."""

    name: str
    change: Change = lambda mix: mix
    plain: bool = False
    searches: int | None = None
    needs: Callable[[Sequence["Question"]], bool] = lambda asked: True


def _embedder(rank: int) -> Change:
    none = dict.fromkeys(FIELDS, 0.0)
    return lambda mix: replace(
        mix, dense=tuple(none if n == rank else kept for n, kept in enumerate(mix.dense))
    )


def _lexical(*parts: str) -> Change:
    return lambda mix: replace(mix, lexical={**mix.lexical, **dict.fromkeys(parts, 0.0)})


def _titles(mix: Mix) -> Mix:
    off = {name: 0.0 for name in mix.lexical if name.endswith("title")}
    dense = tuple({**weights, "title": 0.0} for weights in mix.dense)
    return replace(mix, dense=dense, lexical={**mix.lexical, **off})


def _only_lexical(mix: Mix) -> Mix:
    return _embedder(1)(_embedder(0)(mix))


def _follow_ups(asked: Sequence["Question"]) -> bool:
    return any(one.context for one in asked)


def _stories(asked: Sequence["Question"]) -> bool:
    return any(one.story for one in asked)


VARIANTS: tuple[Variant, ...] = (
    Variant(name="whole"),
    Variant(name="without first embedder", change=_embedder(0)),
    Variant(name="without second embedder", change=_embedder(1)),
    Variant(name="without embedders", change=_only_lexical),
    Variant(name="without words", change=_lexical("words", "words_title")),
    Variant(name="without letters", change=_lexical("letters_title", "letters_body")),
    Variant(
        name="without words and letters",
        change=_lexical("words", "words_title", "letters_title", "letters_body"),
    ),
    Variant(name="without titles", change=_titles),
    Variant(name="without morphology", plain=True),
    Variant(name="without repair", change=lambda mix: replace(mix, repair=False)),
    Variant(name="without several questions in one", change=lambda mix: replace(mix, several=False)),
    Variant(
        name="without names from context", change=lambda mix: replace(mix, subject=0.0), needs=_follow_ups
    ),
    Variant(
        name="without context",
        change=lambda mix: replace(mix, subject=0.0, context=0.0),
        needs=_follow_ups,
    ),
    Variant(name="story in one search", searches=1, needs=_stories),
    Variant(name="story in two searches", searches=2, needs=_stories),
    Variant(name="story in three searches", searches=3, needs=_stories),
)


def ablate(sets: Sequence[Settings], *, bar: Bar) -> dict[str, dict[str, dict[str, float]]]:
    """Return set → variant → `hit@1`, `hit@5`, `hit@10`, `recall@k`. Raises `BadRecords`."""
    return {_name(settings): dict(_of(settings, bar=bar)) for settings in sets}


def table(rows: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Return the figures as Markdown, one table a set."""
    out: list[str] = []
    for name, variants in rows.items():
        used = [figure for figure in _FIGURES if any(figure in one for one in variants.values())]
        out += [f"{name}\n", f"| search | {' | '.join(used)} |", f"|---|{'---|' * len(used)}"]
        for variant, figures in variants.items():
            out.append(f"| {variant} | {' | '.join(f'{figures[one]:.3f}' for one in used)} |")
        out.append("")
    return "\n".join(out).strip()


def _name(settings: Settings) -> str:
    source = settings.company or settings.passages
    return "/".join(source.absolute().parts[-2:]) if source else ""


def _of(settings: Settings, *, bar: Bar) -> Iterator[tuple[str, dict[str, float]]]:
    passages, asked = settings.read()
    # Vectors of questions are kept: the same ones are asked again by every variant.
    with opened(settings, passages, bar=bar, questions_too=True) as search:
        for variant in VARIANTS:
            if variant.needs(asked):
                yield variant.name, _figures(search, variant, passages, asked, settings=settings, bar=bar)


def _figures(
    search: "Search",
    variant: Variant,
    passages: Sequence["Passage"],
    asked: Sequence["Question"],
    *,
    settings: Settings,
    bar: Bar,
) -> dict[str, float]:
    changed = replace(
        search,
        mix=variant.change(search.mix),
        lexical=Lexical(passages, terms=plain_words) if variant.plain else search.lexical,
    )
    run = replace(settings, searches=variant.searches or settings.searches)
    told = asyncio.run(asking(changed, asked, settings=run, tell=bar(f"{_name(settings)}: {variant.name}")))
    figures: dict[str, Any] = measure(told.questions, told.found, k=settings.k)
    return {name: float(figures[name]) for name in _FIGURES if name in figures}
