"""Open turns that are interrupted: by a message that came late, or by a person.

Sent words, a recorded consent and an answer to a question of ours (it may have an effect) stand. The conversation is
locked, so a sentence, a commit and this come one after another.
"""

from sqlalchemy import Select, exists, select, update

from agent.domain import one_message
from agent.records.codec import action_of, verified_of
from agent.records.consents import answered
from agent.records.page import Page
from agent.records.rules import FIRST, TAKEN_BACK, may_begin_again
from agent.records.tables import inbox, proposals, sentences, turns
from tools.context import ConversationId, TurnId


def open_turn(conversation: ConversationId) -> Select[tuple[str, int]]:
    """Select the conversation's turn without an outcome."""
    return select(turns.c.id, turns.c.attempt).where(
        turns.c.conversation == conversation, turns.c.outcome.is_(None)
    )


async def waiting(page: Page) -> bool:
    """Return whether messages wait that are in no turn: they come before the next one, which begins nothing anew."""
    found = select(inbox.c.id).where(inbox.c.conversation == page.id, inbox.c.turn.is_(None)).limit(1)
    return (await page.connection.execute(found)).first() is not None


async def take_back(page: Page) -> None:
    """Let the open turn begin again, where there is one and nothing speaks against it."""
    wanted = open_turn(page.id).where(
        turns.c.attempt == FIRST,
        ~exists().where(sentences.c.turn == turns.c.id),
        ~answered(turns.c.id),
    )
    turn = (await page.connection.execute(wanted)).scalar_one_or_none()
    if turn is None:
        return
    proposed = select(proposals.c.id).where(proposals.c.conversation == page.id, proposals.c.state == "open")
    asked = page.row.awaiting or (await page.connection.execute(proposed)).first() is not None
    batch = select(inbox.c.text, inbox.c.action).where(inbox.c.turn == turn).order_by(inbox.c.seq)
    rows = (await page.connection.execute(batch)).all()
    texts = [(row.text, action_of(row.action)) for row in rows]
    if may_begin_again(texts, asked=bool(asked), proving=page.row.proving):
        taken = update(turns).where(turns.c.id == turn).values(attempt=TAKEN_BACK)
        await page.connection.execute(taken)


async def cut_off(page: Page) -> None:
    """Let what the open turn has shown so far become its message, once: a person speaks from here on."""
    wanted = open_turn(page.id).where(turns.c.claims == page.row.claims)
    turn = (await page.connection.execute(wanted)).one_or_none()
    if turn is None:
        return
    shown = select(sentences).where(sentences.c.turn == turn.id).order_by(sentences.c.n)
    left = [verified_of(row) for row in await page.connection.execute(shown)]
    # Cards come with the finished answer: of one that was cut short none had been shown.
    if left:
        page.say("ai", one_message(left), turn=TurnId(turn.id))
