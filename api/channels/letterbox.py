"""What comes from a messenger, stored: a chat becomes a conversation, a message becomes an inbox row, once.

```
Came ─┬─ text, edited ─► accept ─► worker
      ├─ tap ──────────► the button's action ─► accept ─► worker
      ├─ start, unreadable, too many ─► a remark outside any turn
      └─ elsewhere ────► one line, no conversation
```
`take` returns after the commit: whoever brought the update may then forget it. A chat proves nothing about who
writes, so its customer is anonymous.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from agent import language as words
from agent.domain import Action, Button, Conversation, Held, Message, Reply
from agent.policy import disclosure
from api.channels.buttons import data_of, place_of
from api.channels.port import Came
from api.errors import Problem
from api.opened import Opened
from api.security import new_id
from tools.context import ConversationId, Language

FRESH = timedelta(minutes=1)
"""The pace of messages matters while they are written; what waited through an outage is not a flood."""
BY_PEOPLE = ("person", "queued")
"""Holders in whose time the assistant has nothing to say of itself."""


class Letterbox:
    """Takes what customers of one channel do. `came_in` is called after a message was stored for a turn."""

    def __init__(self, house: Opened, *, channel: str, came_in: Callable[[Conversation, str], None]) -> None:
        self.house = house
        self.channel = channel
        self.records = house.building.records
        self.phrases = house.building.phrases
        self.came_in = came_in

    async def take(self, came: Came) -> str:
        """Store one thing that came; the same one twice changes nothing.

        Returns a line for the messenger to show at once, outside any conversation: mostly empty.
        """
        language = self._language(came)
        if came.kind == "elsewhere":
            return self._say("private_only", language)
        conversation = await self.records.open_conversation(
            id=new_id(), channel=self.channel, external_id=came.address, language=language
        )
        match came.kind:
            case "tap":
                return await self._tap(conversation, came)
            case "start":
                await self._start(conversation, came)
            case "unreadable":
                await self._remark(conversation, "only_text", key=came.key)
            case "edited":
                await self._edited(conversation, came)
            case _:
                await self._accept(conversation, came)
        return ""

    def _language(self, came: Came) -> Language:
        """Return the language to begin in: the one of the customer's client, else of their words."""
        languages = self.house.building.pack.languages
        named = came.language.lower().partition("-")[0]
        for language in languages:
            if language == named:
                return language
        return words.detect(came.text, languages=languages, previous=None)

    async def _accept(self, conversation: Conversation, came: Came, *, action: Action | None = None) -> None:
        if await self.records.knows(conversation.id, came.key):
            # Taken before the last crash, or brought twice: whoever waits for the answer gets it from the worker.
            self.house.worker.wake(conversation.id)
            return
        if refusal := self._refusal(conversation, came):
            await self._remark(conversation, refusal, key=f"{refusal}:{self._minute()}")
            return
        accepted = await self.records.accept(
            conversation.id, key=came.key, text="" if action else came.text, action=action
        )
        if accepted.new:
            self.house.metrics.messages.labels(self.channel).inc()
        self.house.worker.wake(conversation.id)
        self.came_in(conversation, came.address)

    def _refusal(self, conversation: Conversation, came: Came) -> str:
        """Return the name of what to say instead of taking the message, empty when it may be taken."""
        if len(came.text) > self.house.building.pack.limits.message_chars:
            return "too_long"
        if came.said is None or self._age(came.said) < FRESH:
            try:
                self.house.by_conversation.take(conversation.id)
            except Problem:
                return "too_fast"
        return ""

    def _minute(self) -> str:
        return self.house.building.clock.now().strftime("%Y%m%d%H%M")

    def _age(self, moment: datetime) -> timedelta:
        return self.house.building.clock.now() - moment

    async def _edited(self, conversation: Conversation, came: Came) -> None:
        """Take an edited message as a new one while nothing was answered; later edits are left alone."""
        known = await self.records.knows(conversation.id, came.original)
        if known and await self._answered(conversation.id, came.original):
            return
        await self._accept(conversation, came)

    async def _answered(self, conversation: ConversationId, key: str) -> bool:
        known = await self.records.accept(conversation, key=key)
        turn = await self.records.turn_of(conversation, known.seq)
        record = await self.records.receipt(conversation, turn) if turn else None
        return record is not None and not isinstance(record.outcome, Held)

    async def _tap(self, conversation: Conversation, came: Came) -> str:
        """Take a press for what its button stands for; a button that was never offered here stands for nothing."""
        action = await self._pressed(conversation.id, came.data)
        if action is None:
            return self._say("stale", conversation.language)
        await self._accept(conversation, came, action=action)
        return ""

    async def _pressed(self, conversation: ConversationId, data: str) -> Action | None:
        if (place := place_of(data)) is None:
            return None
        seq, n = place
        message = await self.records.message(conversation, seq)
        if message is None or n >= len(message.buttons):
            return None
        button = message.buttons[n]
        return button.action if data_of(seq, n, button) == data else None

    async def _start(self, conversation: Conversation, came: Came) -> None:
        """Greet who opens the chat, and say what answers here; to somebody who talks to a person it is a message."""
        if conversation.holder in BY_PEOPLE or await self.records.knows(conversation.id, came.key):
            await self._accept(conversation, came)
            return
        language = conversation.language
        greeting, *_ = self._introduced(disclosure.fitting(await self._history(conversation)), language)
        quick = self.house.building.pack.quick_replies.get(language, ())
        buttons = [Button(label=text, action=Action(kind="say", target=text)) for text in quick]
        person = Button(label=self.phrases.say("button.person", language), action=Action(kind="person"))
        opened = Reply(text=greeting.text, buttons=(*buttons, person))
        await self.records.remark(conversation.id, opened, key=came.key, discloses=True)

    async def _remark(self, conversation: Conversation, name: str, *, key: str) -> None:
        limit = self.house.building.pack.limits.message_chars
        said = Reply(text=self._say(name, conversation.language, limit=limit))
        due = disclosure.due(conversation, await self._history(conversation))
        first = self._introduced(due, conversation.language)
        await self.records.remark(conversation.id, *first, said, key=key, discloses=bool(first))

    async def _history(self, conversation: Conversation) -> tuple[Message, ...]:
        return await self.records.messages(conversation.id)

    def _introduced(self, due: disclosure.Due | None, language: Language) -> tuple[Reply, ...]:
        company = self.house.building.pack.name[language]
        return disclosure.introduction(due, language=language, company=company, phrases=self.phrases)

    def _say(self, name: str, language: Language, **facts: object) -> str:
        return self.phrases.say(f"{self.channel}.{name}", language, **facts)
