"""The last door: no link, image or address of somebody else's leaves in any part of a reply. Pure.

Sentences with such a link were kept back before; what comes here besides are the texts that no check reads sentence
by sentence: confirmations, questions back, buttons, cards, titles and quotations.
"""

from collections.abc import Collection
from dataclasses import replace

from agent.cards import Card, rewritten
from agent.domain import Button, Citation, Reply
from agent.policy.hosts import foreign, without_foreign


def outgoing(reply: Reply, *, hosts: Collection[str]) -> Reply:
    """Return the reply with `…` in place of every link that leads to none of `hosts`; such a choice is no button."""

    def plain(text: str) -> str:
        return without_foreign(text, allowed=hosts)

    def cited(citation: Citation) -> Citation:
        return replace(citation, title=plain(citation.title), quote=plain(citation.quote))

    def leads_away(button: Button) -> bool:
        return bool(foreign(f"{button.label}\n{button.action.target}", allowed=hosts))

    def carried(card: Card) -> Card:
        shown = rewritten(card, plain)
        return replace(shown, link="", link_label="") if foreign(card.link, allowed=hosts) else shown

    return Reply(
        text=plain(reply.text),
        citations=tuple(cited(citation) for citation in reply.citations),
        buttons=tuple(button for button in reply.buttons if not leads_away(button)),
        cards=tuple(carried(card) for card in reply.cards),
    )
