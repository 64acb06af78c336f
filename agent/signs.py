"""What tells whether evidence carries a sentence, as numbers a fitted judge weighs. Pure but for the encoder.

```
sentence ┬─ coverage   how much of it the best sentence, its neighbourhood and the whole passage have
         ├─ clauses    each of its clauses beside the clause of the evidence closest to it: words, numbers, denial
         ├─ edits      what was put in, taken out or exchanged, beside the best sentence
         ├─ matters    values of a matter where the evidence has another value of it
         ├─ rules      what `agent.contradiction` finds
         └─ meaning    cosines of whole sentences and clauses, and where their directions differ
```
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from agent import lexicon
from agent import rulings as rules
from agent.alignment import Floats, Word, every_word, meaningful, read, relation, strange
from agent.clauses import Clause, clauses
from agent.contradiction import Ground, numbers_occur, script
from agent.pairing import FAIR, NOTHING, TITLE, Pair, Scope, Signs, coverage, scope_of, singles, window_of
from agent.ports import Encoder

Vector = NDArray[np.float32]

TITLE_OF_CLAUSE = 0.6
"""How much a word counts that stands in the title only, for a clause."""
HEIR, EARLIER = 0.9, 0.6
"""How much a word counts that a clause takes over from the clauses before it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Signed:
    """The signs of a sentence beside evidence, the place that has most of it, and the two directions compared."""

    signs: Signs
    place: str
    said: Vector
    nearest: Vector


def signs_of(said: str, text: str, title: str, *, encoder: Encoder) -> Signed:
    """Return the signs of a sentence beside a piece of evidence that stands under a title."""
    pair = Pair(said=said, title=title, given=read(text, title, encoder), encoder=encoder)
    # One call for all that the sentence needs: the encoder remembers, and a batch costs little more than a text.
    encoder.vectors([said, *_parts(said), *strange(pair.words, pair.given)])
    single = singles(pair)
    order = sorted(range(len(single)), key=lambda n: -single[n].share)
    home = single[order[0]]
    window = window_of(pair, single, home)
    passage = scope_of(pair, 0, len(single) - 1, title_counts=1.0)
    place = " ".join(pair.given.units[window.first : window.last + 1])
    signs: Signs = {
        "words": len(pair.words),
        "numbers": len(pair.numbers),
        "foreign": script(said) != script(text),
        "sentences": len(single),
        "length": len(said) / max(1, len(place)),
        "margin": home.share - (single[order[1]].share if len(order) > 1 else 0.0),
        **coverage(pair, home, "sentence"),
        **coverage(pair, window, "window"),
        **coverage(pair, passage, "passage"),
        **_by_clause(pair, home),
        **_edits(pair, home.first),
        **_matters(pair, home.first),
        **_denials(pair, place),
        **_meaning(pair, home.first, place),
    }
    ground = Ground(place=place, whole=text, title=title, opening=pair.given.units[0])
    signs |= {f"rule_{name}": value for name, value in rules.found(said, ground).items()}
    signs["numbers_occur"] = numbers_occur(said, ground)
    whole = encoder.vectors([said])[0]
    nearest = pair.given.unit_vectors[int(np.argmax(pair.given.unit_vectors @ whole))]
    exact = {name: float(value) for name, value in signs.items()}
    return Signed(signs=exact, place=place, said=whole, nearest=nearest)


# Clause by clause. --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A clause of the sentence beside a clause of the evidence."""

    clause: Clause
    columns: tuple[int, ...]
    own: Floats
    inherited: Floats
    share: float
    held: int


def _by_clause(pair: Pair, home: Scope) -> Signs:
    found = [one for claim in clauses(pair.said) if (one := _claim(pair, claim, home)) is not None]

    def least(name: str, empty: float) -> float:
        return min((one[name] for one in found), default=empty)

    def most(name: str) -> float:
        return max((one[name] for one in found), default=0.0)

    def mean(name: str) -> float:
        return float(np.mean([one[name] for one in found])) if found else 0.0

    return {
        "claims": len(found),
        "clause_least": least("share", 0.0),
        "clause_mean": mean("share"),
        "clause_word": least("word", 0.0),
        "clause_own": least("own", 0.0),
        "clause_numbers": least("numbers", 1.0),
        "clause_denied": most("denied"),
        "clause_denied_all": least("denied", 0.0),
        "clause_back": mean("back"),
        "clause_back_least": least("back", 0.0),
        "exchanged": least("exchanged", 1.0),
        "rival_number": most("rival_number"),
        "rival_denied": most("rival_denied"),
        "opposed": most("opposed"),
        "homes": len({one["home"] for one in found}),
    }


def _claim(pair: Pair, claim: Clause, home: Scope) -> Signs | None:
    """Return the signs of one clause of the sentence; None where it says nothing or there is nothing beside it."""
    own = set(meaningful(claim.text))
    rows = [n for n, word in enumerate(pair.words) if word in own]
    if not (rows or claim.numbers) or not pair.given.clauses:
        return None
    weights = pair.weights[rows]
    beside = _beside(pair, claim, rows, weights)
    best = max(beside, key=lambda one: one.share)
    rest = [one for one in beside if one is not best]
    near = "; ".join(one.text for one in pair.given.clauses if one.sentence == best.clause.sentence)
    titled = TITLE * pair.titled[rows]
    return {
        "share": best.share,
        "word": _least(np.maximum(np.maximum(best.own, best.inherited), titled), weights),
        "own": _least(best.own, weights),
        "numbers": best.held / len(claim.numbers) if claim.numbers else 1.0,
        "denied": best.clause.denies(claim) != claim.denies(best.clause),
        "rival_number": _rival_number(claim, best, rest, weights),
        "rival_denied": max(
            (1 + r.share - best.share for r in rest if r.clause.denies(claim) != claim.denies(r.clause)),
            default=0.0,
        ),
        "opposed": lexicon.opposed(claim.text, near),
        "home": best.clause.sentence,
        **_backwards(pair, best, rows, home),
    }


def _beside(pair: Pair, claim: Clause, rows: Sequence[int], weights: Floats) -> list[Beside]:
    given = pair.given
    close = pair.close[list(rows)]
    titled = TITLE_OF_CLAUSE * pair.titled[list(rows)]
    whole = weights.sum() + len(claim.numbers) + NOTHING
    out: list[Beside] = []
    sentence, before = -1, np.zeros(len(rows))
    for clause, columns in zip(given.clauses, given.clause_columns, strict=True):
        if clause.sentence != sentence:
            sentence, before = clause.sentence, np.zeros(len(rows))
        own = close[:, list(columns)].max(axis=1) if columns and len(rows) else np.zeros(len(rows))
        words = np.maximum(np.maximum(own, (HEIR if clause.heir else EARLIER) * before), titled)
        held = sum(clause.holds(number) for number in claim.numbers)
        share = float(((weights * words).sum() + held) / whole)
        out.append(Beside(clause=clause, columns=columns, own=own, inherited=before, share=share, held=held))
        before = np.maximum(before, own)
    return out


def _least(words: Floats, weights: Floats) -> float:
    heavy = words[weights >= 1.0]
    return float(heavy.min()) if len(heavy) else 1.0


def _rival_number(claim: Clause, best: Beside, rest: Sequence[Beside], weights: Floats) -> float:
    """Return how well a clause with another value fits the words of the claim: 1 is as well as its own clause."""

    def fit(one: Beside) -> float:
        words = np.maximum(one.own, EARLIER * one.inherited)
        return float((weights * words).sum() / (weights.sum() + NOTHING))

    return max(
        (
            1 + fit(one) - fit(best)
            for one in rest
            if any(one.clause.rivals(number) or one.clause.nothing(number) for number in claim.numbers)
        ),
        default=0.0,
    )


def _backwards(pair: Pair, best: Beside, rows: Sequence[int], home: Scope) -> Signs:
    """Return how much of the clause of the evidence the sentence has, and how near an unmatched word is to one left over."""
    if not best.columns or not rows:
        return {"back": 0.0, "exchanged": 1.0}
    covered = pair.close[:, list(best.columns)].max(axis=0)
    lost = [row for row in rows if home.words[row] < FAIR and pair.weights[row] >= 1.0]
    left = [column for column, near in zip(best.columns, covered, strict=True) if near < FAIR]
    exchanged = 1.0 if not lost else -0.5
    if lost and left:
        exchanged = min(float(pair.close[row, left].max()) for row in lost)
    return {"back": float(covered.mean()), "exchanged": exchanged}


# Edits and matters. -------------------------------------------------------------------------------------------


def _edits(pair: Pair, home: int) -> Signs:
    """Return what the sentence exchanges, puts in and leaves out beside the best sentence of the evidence."""
    ours, theirs = every_word(pair.said), every_word(pair.given.units[home])
    steps = SequenceMatcher(
        None, [word.stem for word, _ in theirs], [word.stem for word, _ in ours], autojunk=False
    ).get_opcodes()
    kept = [step for step in steps if step[0] == "equal"]
    first, last = (kept[0][1], kept[-1][2]) if kept else (0, 0)
    known = {word.stem for word, _ in theirs} | {pair.given.words[n].stem for n in pair.given.titled}
    said = {word.stem for word, _ in ours}
    place = {word: n for n, word in enumerate(pair.given.words)}
    row = {word: n for n, word in enumerate(pair.words)}
    exchanged: list[float] = []
    added: list[float] = []
    dropped = 0
    for kind, i1, i2, j1, j2 in steps:
        new = [row[w] for w, light in ours[j1:j2] if not light and w.stem not in known and w in row]
        old = [place[w] for w, light in theirs[i1:i2] if not light and w.stem not in said and w in place]
        if kind == "replace" and new and old:
            exchanged += [float(pair.close[n, old].max()) for n in new]
        elif kind in ("replace", "insert") and new:
            columns = [*pair.given.unit_columns[home], *pair.given.titled]
            added += [float(pair.close[n, columns].max()) if columns else 0.0 for n in new]
        if kind in ("delete", "replace") and first <= i1 and i2 <= last:
            dropped += len(old)
    return {
        "kept": sum(step[2] - step[1] for step in kept) / max(1, len(ours)),
        "edit_exchanged": len(exchanged),
        "edit_exchanged_least": min(exchanged, default=1.0),
        "edit_exchanged_most": max(exchanged, default=1.0),
        "edit_added": len(added),
        "edit_added_least": min(added, default=1.0),
        "edit_dropped": dropped,
    }


def _matters(pair: Pair, home: int) -> Signs:
    """Return how many words of the sentence are another value of a matter than the evidence has."""
    given = pair.given
    shares = [float(pair.best(columns).sum()) for columns in given.clause_columns]
    clause = given.clause_columns[int(np.argmax(shares))] if shares else ()
    scopes = {
        "matters_sentence": given.unit_columns[home],
        "matters_clause": clause,
        "matters_passage": tuple(range(len(given.words))),
    }
    return {name: float(_other_values(pair, columns)) for name, columns in scopes.items()}


def _other_values(pair: Pair, columns: Sequence[int]) -> int:
    near = np.maximum(pair.best(columns), pair.titled) >= lexicon.threshold("alike")
    found = 0
    for n, word in enumerate(pair.words):
        if near[n]:
            continue
        others = [pair.given.words[c] for c in columns if relation(word, pair.given.words[c]) == "apart"]
        found += any(not _says(pair, other) for other in others)
    return found


def _says(pair: Pair, word: Word) -> bool:
    return any(mine.stem == word.stem or relation(mine, word) == "same" for mine in pair.words)


# Denials and meaning. -----------------------------------------------------------------------------------------


def _denials(pair: Pair, place: str) -> Signs:
    here, there = lexicon.negations(pair.said), lexicon.negations(place)
    claims = lexicon.claims(pair.said) - lexicon.claims(f"{place} {pair.title}")
    return {
        "denials": here,
        "denials_there": there,
        "denials_differ": bool(here) != bool(there),
        "opposed_place": lexicon.opposed(pair.said, place),
        "more_claimed": len(claims),
    }


def _meaning(pair: Pair, home: int, place: str) -> Signs:
    given, encoder = pair.given, pair.encoder
    parts = _parts(pair.said)
    whole, window, *of_parts = encoder.vectors([pair.said, place, *parts])
    units = given.unit_vectors @ whole
    cells = np.concatenate([given.clause_vectors, given.unit_vectors])
    each = (np.stack(of_parts) @ cells.T).max(axis=1)
    return {
        "cosine": units.max(),
        "cosine_home": units[home],
        "cosine_clause": (given.clause_vectors @ whole).max() if len(given.clauses) else 0.0,
        "cosine_window": float(window @ whole),
        "cosine_part_least": each.min(),
        "cosine_part_mean": each.mean(),
    }


def _parts(said: str) -> list[str]:
    """Return the clauses of a sentence; one alone is the sentence itself, encoded once."""
    parts = [clause.text for clause in clauses(said)]
    return parts if len(parts) > 1 else [said]
