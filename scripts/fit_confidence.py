"""Fits agent/confidence.toml on a company pack's questions: run it on an installed data folder.

    MAYAK_DATA=data python scripts/fit_confidence.py          # prints the table; --write replaces the file

A case is right when the verified answer contains the gold words of the pack's `questions.yaml`; questions
without a document are wrong whenever something is answered. Judged by five-fold cross-validation.
"""

import asyncio
import sys
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from agent.answering import check, evidence_of
from agent.confidence import DATA
from agent.fake import InlineSteps
from agent.ports import Brief
from api.container import Building, open_building
from api.settings import read_settings
from knowledge.types import Query
from tools.context import Caller, ConversationId, TurnId

NAMES = ("retrieval", "match", "support")


async def observe(building: Building) -> tuple[np.ndarray, np.ndarray]:
    """Return signals [n, 3] and whether each answer was right [n]."""
    rows: list[list[float]] = []
    right: list[bool] = []
    listed = yaml.safe_load((building.pack.folder / "questions.yaml").read_text("utf-8"))
    for n, row in enumerate(listed if isinstance(listed, list) else listed["questions"]):
        signals, text = await _one(building, row, n)
        if text:
            rows.append(signals)
            right.append(bool(row.get("document")) and str(row["contains"]).casefold() in text.casefold())
    return np.array(rows), np.array(right)


async def _one(building: Building, row: dict[str, Any], n: int) -> tuple[list[float], str]:
    turn = building.turn
    found = await building.library.search(Query(row["q"], language=row["language"], k=6))
    caller = Caller(
        conversation=ConversationId("fit"),
        turn=TurnId(f"fit-{n}"),
        language=row["language"],
        channel="eval",
        customer_id=None,
        assurance="anonymous",
        purposes=frozenset(),
        now=datetime.now(UTC),
    )
    evidence = evidence_of(found)
    brief = Brief(
        question=row["q"], language=row["language"], history=(), evidence=evidence, caller=caller, today=""
    )

    async def quiet(_: str) -> None:
        return None

    draft = await turn.writer.write(brief, steps=InlineSteps(), status=quiet)
    judged = check(
        draft,
        question=row["q"],
        retrieval=found,
        thresholds=turn.pack.thresholds,
        similarity=turn.similarity,
        forbidden=turn.pack.company.voice.forbidden,
    )
    seen = judged.signals
    return [seen.retrieval, seen.match, seen.support], " ".join(
        sentence.text for sentence in judged.sentences
    )


async def main() -> None:
    async with open_building(read_settings()) as building:
        signals, right = await observe(building)
    model = LogisticRegression(C=1.0)
    folds = StratifiedKFold(5, shuffle=True, random_state=7)
    held_out = cross_val_predict(model, signals[:, :2], right, cv=folds, method="predict_proba")[:, 1]
    model.fit(signals[:, :2], right)
    weights = [max(0.0, float(w)) for w in model.coef_[0]]
    sent = held_out >= 0.5
    print(
        f"{len(right)} answers, {int(right.sum())} right; held out: AUROC {roc_auc_score(right, held_out):.3f}, "
        f"sent {sent.mean():.2f}, of these wrong {1 - right[sent].mean():.2f}"
    )
    text = (
        f"# Logit per unit of signal. Fitted {date.today()} by scripts/fit_confidence.py on {len(right)} answers to the\n"
        f"# demo pack's questions ({int(right.sum())} right); held out AUROC {roc_auc_score(right, held_out):.3f}.\n"
        "# `tools` is the probability given to an answer that rests on tool results alone.\n[coefficients]\n"
        f"bias = {model.intercept_[0]:.3f}\nretrieval = {weights[0]:.3f}\nmatch = {weights[1]:.3f}\n"
        "support = 0.0\ntools = 0.97\n"
    )
    print(text)
    if "--write" in sys.argv:
        DATA.write_text(text, "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
