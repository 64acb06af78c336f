"""`mayak eval grounding --fit`: the judge of sentences fitted to the pairs it may see, and written as data.

```
tuned pairs ─► signs ─► folds by evidence ─► probabilities by judges that had not seen the evidence ─► threshold
                    └─► all of them ─► the judge ─► agent/grounding_fit.json
```
The threshold lets at most `PASSED` of the contradictions leave and, within that, gives the best F1. Held-out and blind
pairs are not read.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agent.signs import Signed, signs_of
from agent.weighing import DIFFERENCE, Thresholds, apart, is_plain, logistic, read_judge
from evals.figures import Bools, Floats
from evals.grounding_pairs import AGAINST, Pair
from evals.logistic import Curve, fit

if TYPE_CHECKING:
    from agent.ports import Encoder
    from agent.weighing import Judge

PASSED = 0.02
"""The share of contradictions that may leave."""
FOLDS, INNER = 10, 5
HEAVIER = 3.0
"""How much more a contradiction weighs in a fit than any other sentence: letting one out costs more."""
RIDGE, RIDGE_OF_DIFFERENCE = 10.0, 100.0
"""How strongly the weights of the two lines are held back."""
VERBATIM = 0.05
"""The threshold of a plain sentence with numbers: it says one clause over again, whatever stands around that clause."""
LOWER = (0.1, 0.2, 0.3, 0.4, 0.5)
"""What is tried as the threshold of other plain sentences."""
DIGITS = 7
"""Significant digits kept of a fitted number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Pairs as numbers: one row a pair."""

    names: tuple[str, ...]
    signs: Floats
    apart: Floats
    right: Bools
    against: Bools
    groups: tuple[str, ...]

    def rows(self, chosen: NDArray[np.intp]) -> "Table":
        return Table(
            names=self.names,
            signs=self.signs[chosen],
            apart=self.apart[chosen],
            right=self.right[chosen],
            against=self.against[chosen],
            groups=tuple(self.groups[n] for n in chosen),
        )

    @property
    def share(self) -> Floats:
        return np.where(self.against, HEAVIER, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What a fit gives: the judge as JSON types, and how judges of the same making did on evidence they had not seen."""

    known: dict[str, Any]
    choice: "Choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Thresholds, and the figures with them on evidence the judges had not seen."""

    thresholds: Thresholds
    f1: float
    passed: float
    kept: float


def table_of(pairs: Sequence[Pair], *, encoder: "Encoder", tell: Any) -> Table:
    """Return the signs of labelled pairs."""
    signed: list[Signed] = []
    for n, pair in enumerate(pairs, start=1):
        signed.append(signs_of(pair.sentence, pair.evidence, pair.title, encoder=encoder))
        tell(n, len(pairs))
    names = tuple(sorted(signed[0].signs))
    return Table(
        names=names,
        signs=np.array([[one.signs[name] for name in names] for one in signed]),
        apart=np.array([apart(one.said, one.nearest) for one in signed]),
        right=np.array([pair.kind == "supported" for pair in pairs]),
        against=np.array([pair.kind in AGAINST for pair in pairs]),
        groups=tuple(pair.evidence for pair in pairs),
    )


def fitted(table: Table, *, encoder: str) -> Fitted:
    """Fit the judge to a table and choose its threshold on judges that had not seen the evidence."""
    choice = chosen(unseen_probabilities(table), table)
    limits = choice.thresholds
    known = _fit(table, encoder) | {
        "thresholds": {"other": limits.other, "plain": limits.plain, "numbers": limits.numbers}
    }
    digest = sha256(np.ascontiguousarray(table.signs).tobytes() + table.right.tobytes()).hexdigest()
    about = {"encoder": encoder, "pairs": len(table.right), "sha256": digest}
    return Fitted(known=about | known, choice=choice)


def unseen_probabilities(table: Table) -> Floats:
    """Return each pair's probability by a judge fitted without its evidence."""
    out = np.zeros(len(table.right))
    fold = folds(table.groups, FOLDS, seed=0)
    for part in range(FOLDS):
        judge = read_judge(
            _fit(table.rows(np.flatnonzero(fold != part)), "")
            | {"thresholds": {"other": 0.5, "plain": 0.5, "numbers": 0.5}}
        )
        rest = table.rows(np.flatnonzero(fold == part))
        out[fold == part] = [_probability(judge, rest, n) for n in range(len(rest.right))]
    return out


def chosen(probability: Floats, table: Table) -> Choice:
    """Return the thresholds with the best F1 of those that let no more than `PASSED` of the contradictions leave."""
    named = [dict(zip(table.names, row, strict=True)) for row in table.signs]
    plain = np.array([is_plain(signs) for signs in named])
    numbers = plain & np.array([signs["numbers"] > 0 for signs in named])
    able = np.array([signs["numbers_occur"] > 0 for signs in named])
    best = Choice(thresholds=Thresholds(other=1.0, plain=1.0, numbers=VERBATIM), f1=0.0, passed=0.0, kept=0.0)
    for lower in LOWER:
        for other in np.unique(probability.round(3)):
            least = np.where(numbers, VERBATIM, np.where(plain, min(lower, other), other))
            out = able & (probability >= least)
            passed = float(out[table.against].mean())
            f1 = 2 * float((out & table.right).sum()) / float(out.sum() + table.right.sum())
            if passed <= PASSED and f1 > best.f1:
                limits = Thresholds(other=float(other), plain=min(lower, float(other)), numbers=VERBATIM)
                best = Choice(thresholds=limits, f1=f1, passed=passed, kept=float(out[table.right].mean()))
    return best


def folds(groups: Sequence[str], count: int, *, seed: int) -> NDArray[np.intp]:
    """Return the fold of each row; rows of one group fall into one."""
    names = sorted(set(groups))
    drawn = np.random.default_rng(seed).permutation(len(names)) % count
    fold_of = dict(zip(names, drawn, strict=True))
    return np.array([fold_of[group] for group in groups], dtype=np.intp)


def written(known: dict[str, Any]) -> str:
    """Return a fitted judge as text, its numbers at `DIGITS` significant digits."""
    return json.dumps(_rounded(known), ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


def _fit(table: Table, encoder: str) -> dict[str, Any]:
    difference = _difference(table.apart, table.right)
    signs = np.column_stack([table.signs, _unseen_difference(table)])
    line = fit(signs, table.right, share=table.share, ridge=RIDGE)
    return {
        "encoder": encoder,
        "names": [*table.names, DIFFERENCE],
        "difference": {"weights": difference.weights.tolist(), "intercept": difference.intercept},
        "line": {"weights": line.weights.tolist(), "intercept": line.intercept},
    }


def _difference(apart_: Floats, right: Bools) -> Curve:
    """Fit the line over directions: a thousand columns, for which Newton's method is slow."""
    from sklearn.linear_model import LogisticRegression

    line = LogisticRegression(C=1 / RIDGE_OF_DIFFERENCE, max_iter=300).fit(apart_, right)
    return Curve(weights=line.coef_[0], intercept=float(line.intercept_[0]))


def _unseen_difference(table: Table) -> Floats:
    """Return the fitted sign of each row by a line that had not seen its evidence: the judge above learns its true worth."""
    out = np.zeros(len(table.right))
    fold = folds(table.groups, INNER, seed=1)
    for part in range(INNER):
        seen = fold != part
        curve = _difference(table.apart[seen], table.right[seen])
        out[~seen] = table.apart[~seen] @ curve.weights + curve.intercept
    return out


def _probability(judge: "Judge", table: Table, n: int) -> float:
    row = np.append(table.signs[n], judge.difference.value(table.apart[n]))
    return logistic(judge.line.value(row))


def _rounded(known: Any) -> Any:
    if isinstance(known, float):
        return float(f"{known:.{DIGITS}g}")
    if isinstance(known, dict):
        return {key: _rounded(value) for key, value in known.items()}
    return [_rounded(value) for value in known] if isinstance(known, list) else known
