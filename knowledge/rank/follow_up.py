"""How far the messages before may speak for a question: no further than the question itself leaves open. Pure.

"Is there parking?"            ten hotels answer it equally well     the messages before decide which
"а для юрлиц?"                 points back                           they may decide, if nothing stands out
"сколько дней на возврат?"     one passage stands out                they have no say
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.lexical import Scores
from knowledge.text.words import stems

_AMONG = 10
_SHARE = 16
_SHORT = 2
_LEADS = re.compile(
    r"^\W*(?:ну\s+)?(?:а|и|но|или|тогда|and|but|or|then|what\s+about|how\s+about)\b", re.IGNORECASE
)
_POINTS = re.compile(
    r"\b(?:он|она|оно|они|его|её|ее|их|ему|ей|им|ими|ней|нём|нем|них|ним|ними|неё|нее|него|нему|"
    r"этот|эта|это|эти|этого|этой|этом|этому|этим|эту|этих|тот|та|те|того|той|том|тому|тем|ту|тех|"
    r"такой|такая|такое|такие|там|туда|оттуда|"
    r"it|its|it's|they|them|their|this|that|these|those|one|ones|(?:there|here)(?=\W*$))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Openness:
    """Two distances between the best passage and the tenth, in deviations.

    Up to `wide` the question is open and the messages before count in full, from `shut` on they do not count.
    """

    wide: float
    shut: float

    def of(self, fused: Scores, alive: NDArray[np.bool_]) -> float:
        """Return 0..1 for the scores `[rows]` of a question read alone."""
        scores = fused[alive[: len(fused)]]
        # In a small collection the tenth passage is far away whatever is asked.
        n = min(len(scores), _AMONG, max(2, len(scores) // _SHARE))
        if n < 2:
            return 0.0
        best = np.partition(scores, -n)[-n:]
        apart = float(best.max() - best.min())
        return float(np.clip((self.shut - apart) / (self.shut - self.wide), 0.0, 1.0))


def leans(question: str) -> bool:
    """Say whether a question leans on something said before: it begins with "and", points back, or is a word or two."""
    return bool(_LEADS.search(question) or _POINTS.search(question)) or len(stems(question)) <= _SHORT
