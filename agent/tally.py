"""The running account of what a turn uses, whichever way it ends: its receipt is made of this."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agent.domain import Draft, ToolUse
from agent.errors import WriterFailed
from agent.receipt import DocumentUse, Granted, ModelRead, Part
from knowledge.types import Hit, title_of, version_of


@dataclass(slots=True, kw_only=True)  # mutable: filled while the turn goes its way
class Tally:
    """What was shown to writers, read by tools, changed, given to models; `granted` by purpose."""

    granted: dict[str, Granted] = field(default_factory=dict)
    shown: dict[str, DocumentUse] = field(default_factory=dict)
    tools: list[ToolUse] = field(default_factory=list)
    changes: list[ToolUse] = field(default_factory=list)
    reads: list[ModelRead] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)
    """What was compared to find out who the customer is: "contact", "name", "postcode"."""

    def allow(self, rows: Iterable[Granted]) -> None:
        """Note rows of the ledger that stand; a later one of a purpose takes the place of an earlier one."""
        self.granted.update({row.purpose: row for row in rows})

    def show(self, hits: Sequence[Hit]) -> None:
        """Note the passages a writer is given."""
        for hit in hits:
            passage = hit.passage
            self.shown[passage.id] = DocumentUse(
                document=passage.document,
                version=version_of(passage.id),
                passage=passage.id,
                title=title_of(passage),
                cited=False,
            )

    def encoded(self, names: Iterable[str], *, history: bool) -> None:
        """Note encoders outside the company that read the question as it is, with what was said before it."""
        parts: tuple[Part, ...] = ("question", "history") if history else ("question",)
        self.reads += [ModelRead(model=name, external=True, parts=parts, encoder=True) for name in names]

    def drafted(self, draft: Draft) -> None:
        """Note what a draft was made of, whatever becomes of it."""
        self.tools += draft.tools
        self.reads += draft.reads
        self.withheld += draft.withheld

    def failed(self, failure: WriterFailed) -> None:
        """Note what had been read by the time every model failed."""
        self.tools += failure.tools
        self.reads += failure.reads

    def changed(self, use: ToolUse) -> None:
        """Note a change the customer confirmed."""
        self.changes.append(use)

    def proved(self, *compared: str) -> None:
        """Note what of the register was compared to know the customer."""
        self.proofs += compared
