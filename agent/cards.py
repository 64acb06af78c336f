"""What a card is: something a tool found, laid out for the eye beside the words of an answer. Values without I/O.

```
Card ─┬─ title, state           "Order 1045-A", "On its way" with its tone
      ├─ steps                  where a parcel is: done, now, ahead
      ├─ lines                  what is inside: a product, how many, what they cost
      ├─ rows                   "Total": "RUB 5,860", each under a name of its own
      └─ link                   where it goes on, at a host that answers may lead to
```
Every word is ready to be read, in the customer's language. The answer beside it is complete without the card.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

CardKind = Literal["order", "tracking", "product"]
Tone = Literal["going", "good", "late", "off"]
"""How a state is meant: under way, as wished, not as promised, over. Its words say so as well."""
StepState = Literal["done", "now", "ahead"]

MOST_CARDS = 3
"""Cards beside one answer; of what is more, only the number is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing of a list: an item of an order, a variant of a product."""

    title: str
    note: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fact with its label; `name` is the same in every language: "total", "expected"."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stage of a delivery and, where it is known, when."""

    name: str
    label: str
    state: StepState
    when: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One order, its delivery, or one product. `subject` is the order's number or the product's code.

    `rest` tells what of the lines is not shown, `more` (on the last card alone) what of the cards.
    """

    kind: CardKind
    subject: str
    title: str
    state: str = ""
    tone: Tone = "going"
    steps: tuple[Step, ...] = ()
    lines: tuple[Line, ...] = ()
    rest: str = ""
    rows: tuple[Row, ...] = ()
    link: str = ""
    link_label: str = ""
    more: str = ""


def words_of(card: Card) -> tuple[str, ...]:
    """Return every text of the card that is read, without empty ones."""
    said: list[str] = []

    def noted(text: str) -> str:
        said.append(text)
        return text

    rewritten(card, noted)
    return tuple(filter(None, said))


def rewritten(card: Card, plain: Callable[[str], str]) -> Card:
    """Return the card with `plain` applied to every text that is read; the link is left as it is."""
    return replace(
        card,
        subject=plain(card.subject),
        title=plain(card.title),
        state=plain(card.state),
        steps=tuple(replace(one, label=plain(one.label), when=plain(one.when)) for one in card.steps),
        lines=tuple(
            Line(title=plain(one.title), note=plain(one.note), value=plain(one.value)) for one in card.lines
        ),
        rest=plain(card.rest),
        rows=tuple(replace(one, label=plain(one.label), value=plain(one.value)) for one in card.rows),
        link_label=plain(card.link_label),
        more=plain(card.more),
    )
