"""One side of a conversation with a built house, move by move: what a case or a dialogue is played with.

```
Talk.open ─► consents given ─► take(move, expected) … ─► exchanges ─► leave: consents taken back
```
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from agent.ports import House
from evals.case import Act, Borrow, Case, Expectation, Move, Other, Press, Say, Withdraw
from evals.scorers import Answer, Seen, Verdict, folded, score
from tools.context import Language


class BrokenCase(Exception):
    """The case could not go on: a button that is not there, an answer that did not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One move of the customer, its answer (None where none is given) and what was found of it."""

    said: str
    answer: Answer | None
    verdicts: tuple[Verdict, ...] = ()
    ms: float = 0.0

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """The expectations that did not hold."""
        return tuple(verdict for verdict in self.verdicts if not verdict.ok)


class Talk:
    """One customer's conversation with the house; `other` is the conversation of somebody else who has a part in it.

    `beside` are further consents, given for the player's sake: no expectation is about them.
    """

    def __init__(
        self,
        house: House,
        *,
        customer: str | None,
        language: Language,
        consent: Sequence[str],
        seconds: float,
        beside: Sequence[str] = (),
        other: "Talk | None" = None,
    ) -> None:
        self.house = house
        self.customer = customer
        self.language: Language = language
        self.consent = (*consent, *beside)
        self.beside = frozenset(beside)
        self.seconds = seconds
        self.other = other
        self.conversation: str | None = None
        self.answers: list[Answer] = []
        # One account of the case, whoever moved.
        self.exchanges: list[Exchange] = other.exchanges if other is not None else []

    async def open(self) -> None:
        """Give the consents: the first by its button, which opens the conversation like any message, the others in the menu."""
        for purpose in self.consent:
            if self.conversation is None:
                await self._ask("", {"kind": "consent", "target": purpose, "yes": True})
            else:
                await self.house.consent(self.conversation, purpose, granted=True)
        if self.other is not None:
            await self.other.open()

    async def leave(self) -> None:
        """Take back what was allowed: a consent belongs to the customer, and the next case may be the same one's."""
        asked = {
            a["waiting"]["target"] for a in self.answers if a["waiting"] and a["waiting"]["what"] == "consent"
        }
        if self.conversation is not None and self.customer is not None:
            for purpose in sorted(asked | set(self.consent)):
                await self.house.consent(self.conversation, purpose, granted=False)
        if self.other is not None:
            await self.other.leave()

    async def take(self, move: Move, expect: Expectation) -> None:
        """Make one move and look at its answer."""
        match move:
            case Withdraw(purpose=purpose):
                await self._withdraw(purpose)
            case Say(text=text):
                await self._exchange(text, None, expect, said=text)
            case Press(label=label):
                await self._exchange("", self.button(label), expect, said=f"[{label}]")
            case Act(action=action):
                target = f" {action['target']}" if action["target"] else ""
                await self._exchange("", action, expect, said=f"[{action['kind']}{target}]")
            case Borrow(label=label):
                await self._exchange("", self._others().button(label), expect, said=f"[{label}, another's]")
            case Other(move=theirs):
                await self._others().take(theirs, expect)

    def button(self, label: str) -> Mapping[str, Any]:
        """Return the action of the latest button whose label contains this. Raises `BrokenCase`."""
        for button in self._buttons():
            if folded(label) in folded(str(button["label"])):
                action: Mapping[str, Any] = button["action"]
                return action
        raise BrokenCase(f"no answer of this case showed a button “{label}”")

    def _others(self) -> "Talk":
        if self.other is None:
            raise BrokenCase("there is nobody else in this case")
        return self.other

    async def _exchange(
        self, text: str, action: Mapping[str, Any] | None, expect: Expectation, *, said: str
    ) -> None:
        began = perf_counter()
        answer = await self._ask(text, action)
        ms = (perf_counter() - began) * 1000
        verdicts = score(expect, Seen(answer=answer, earlier=tuple(self.answers), beside=self.beside))
        self.answers.append(answer)
        self.exchanges.append(Exchange(said=said, answer=answer, verdicts=verdicts, ms=ms))

    async def _ask(self, text: str, action: Mapping[str, Any] | None) -> Answer:
        try:
            async with asyncio.timeout(self.seconds):
                answer = await self.house.ask(
                    text,
                    customer=self.customer,
                    conversation=self.conversation,
                    language=self.language,
                    action=action,
                )
        except TimeoutError as late:
            raise BrokenCase(f"no answer within {self.seconds:g} s") from late
        self.conversation = str(answer["conversation"])
        return answer

    async def _withdraw(self, purpose: str) -> None:
        if self.conversation is None:
            raise BrokenCase("there is no conversation yet to withdraw a consent in")
        await self.house.consent(self.conversation, purpose, granted=False)
        self.exchanges.append(Exchange(said=f"[withdraw {purpose}]", answer=None))

    def _buttons(self) -> Iterator[Mapping[str, Any]]:
        """Every button shown so far, the latest first: an old one can be pressed as well."""
        for answer in reversed(self.answers):
            yield from answer["buttons"]


def talk_of(house: House, case: Case, *, seconds: float, beside: Sequence[str] = ()) -> Talk:
    """Return the talk of a case, with the other person's where there is one; both have given its consents and `beside`."""

    def of(customer: str | None, other: Talk | None = None) -> Talk:
        return Talk(
            house,
            customer=customer,
            language=case.language,
            consent=case.consent,
            seconds=seconds,
            beside=beside,
            other=other,
        )

    return of(case.customer, of(case.other or None) if case.other is not None else None)
