"""Consent taken back in words: what a message withdraws, told without a model. Pure, data in `texts/withdraw.*`.

```
«отзываю согласие» · "stop using my data"       ─► everything that was allowed
«отзываю согласие на рассылку»                  ─► what is named beside it
«больше не смотрите мои заказы»                 ─► orders:read, orders:write
«как отозвать согласие?»                        ─► None: a question is answered
```
"""

from collections.abc import Iterable, Mapping

from agent.cues import Cues, cues
from agent.language import readable, script
from agent.terms import Purpose

GENERAL = "general"
ABOUT = "about_"
"""Before a matter's name: the section that says what a general phrase is about."""


def withdrawn(text: str) -> frozenset[str] | None:
    """Return the matters a message takes consent back for, none of them for all; None when it takes nothing back.

    A matter is a purpose or what stands before its colon.
    """
    found = [
        _matters(line, cues(script(said), name="withdraw"))
        for said in dict.fromkeys((text, readable(text)))
        for line in said.splitlines()
        if not line.rstrip().endswith("?")
    ]
    heard = [matters for matters in found if matters is not None]
    if not heard:
        return None
    return frozenset() if frozenset() in heard else frozenset().union(*heard)


def _matters(line: str, known: Cues) -> frozenset[str] | None:
    named = [name for name in known.sections if name != GENERAL and not name.startswith(ABOUT)]
    own = frozenset(name for name in named if known.find(name, line))
    if own or not known.find(GENERAL, line):
        return own or None
    return frozenset(name for name in named if known.find(f"{ABOUT}{name}", line))


def meant(matters: Iterable[str], purposes: Mapping[str, Purpose], *, live: Iterable[str]) -> tuple[str, ...]:
    """Return the purposes to stop, in the pack's order: those of the matters, live or not; without any, all live ones.

    Matters that the pack does not know are everything: who says no is not asked what exactly.
    """
    known = [name for name, purpose in purposes.items() if purpose.basis != "legal"]
    named = [name for name in known if {name, name.partition(":")[0]} & set(matters)]
    return tuple(named or [name for name in known if name in set(live)])
