"""What may be said unasked, and when. Pure: terms and moments in, a verdict out.

```
attribute ─┬─ not on the company's list, its purpose without a basis ──► silence
           ├─ not the customer's own word, or said in another channel ─► silence
           ├─ complaint, grief, illness, distress ─────────────────────► silence
           └─ else ────────────────────────────────────────────────────► may be mentioned
message of ours ─┬─ no basis ─────────────────────► never
                 ├─ an offer, in trouble ─────────► never
                 ├─ as many as the cap allows ────► never today, this week
                 ├─ quiet hours, theirs ──────────► later, at their end
                 └─ else ─────────────────────────► now
```
Silence costs a sale now and then. What nobody told us, said back to them, costs trust once and for all.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from agent import dialogue
from agent.cues import cues
from agent.language import script
from agent.privacy.special import special
from agent.terms import Caps, QuietHours

Mood = Literal["calm", "complaint", "grief", "illness", "distress"]
"""What a customer's words tell of how they are; anything but calm is no moment for an offer."""
Source = Literal["said", "observed", "inferred"]
"""Whether the customer said it, a system saw it, or somebody concluded it."""
NOTICES, MARKETING = "notices", "marketing"
DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """Something known of a customer: by its name in `[measure.say]`, where it comes from, through which channel."""

    name: str
    source: Source
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Whether the company may begin: `at` is when, None is never; `why` names what stands against it, "" nothing."""

    at: datetime | None
    why: Literal["", "no_basis", "trouble", "cap", "quiet"] = ""


def mood_of(said: Sequence[str]) -> Mood:
    """Return the mood of the customer's messages, the gravest first."""
    text = "\n".join(said)
    if dialogue.danger(text) is not None:
        return "distress"
    heard = cues(script(text), name="mood")
    if heard.find("grief", text):
        return "grief"
    if special(text) == "health":
        return "illness"
    return "complaint" if heard.find("complaint", text) or dialogue.only_abuse(text) else "calm"


def may_offer(mood: Mood) -> bool:
    """Return whether anything may be offered, recommended or reminded of now."""
    return mood == "calm"


def may_mention(
    attribute: Attribute,
    *,
    say: Mapping[str, str],
    purposes: Collection[str],
    channel: str,
    mood: Mood,
) -> bool:
    """Return whether the attribute may stand in an answer that was not asked for it.

    `say` is the allow-list (attribute: purpose), `purposes` those with a live basis, `channel` the one of the answer.
    """
    own = attribute.source == "said" and attribute.channel == channel
    return own and say.get(attribute.name) in purposes and may_offer(mood)


def may_start(
    purpose: str,
    *,
    purposes: Collection[str],
    sent: Sequence[datetime],
    now: datetime,
    zone: str,
    caps: Caps,
    quiet: QuietHours,
    mood: Mood = "calm",
) -> Start:
    """Return when the company may write first under a purpose.

    `sent` are the moments (aware) of earlier messages of the purpose to this customer, `zone` the customer's time zone
    where it is known, else the company's. What is neither a notice nor advertising is never begun by us.
    """
    if purpose not in purposes:
        return Start(at=None, why="no_basis")
    if purpose != NOTICES and not may_offer(mood):
        return Start(at=None, why="trouble")
    most, during = {NOTICES: (caps.notices_per_day, DAY), MARKETING: (caps.marketing_per_week, WEEK)}.get(
        purpose, (0, DAY)
    )
    if sum(now - during < moment for moment in sent) >= most:
        return Start(at=None, why="cap")
    waits = quiet_until(now, zone=zone, quiet=quiet) if purpose in quiet.applies_to else None
    return Start(at=waits or now, why="quiet" if waits is not None else "")


def quiet_until(now: datetime, *, zone: str, quiet: QuietHours) -> datetime | None:
    """Return the moment the quiet hours around `now` end on the clock of `zone`, None outside them."""
    local = now.astimezone(ZoneInfo(zone))
    begins, ends, at = quiet.begins, quiet.ends, local.time()
    over_midnight = begins > ends
    inside = (at >= begins or at < ends) if over_midnight else begins <= at < ends
    if not inside:
        return None
    day = local.date() + DAY if over_midnight and at >= begins else local.date()
    return datetime.combine(day, ends, tzinfo=local.tzinfo).astimezone(now.tzinfo)
