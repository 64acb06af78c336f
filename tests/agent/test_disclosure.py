"""When the AI says what it is: at the start, and again after a person; never in a person's time."""

from datetime import UTC, datetime

import pytest

from agent.domain import Author, Conversation, Holder, Message
from agent.policy.disclosure import Due, due, introduction, owed_after, words
from tests.tree import ROOT
from tools.context import ConversationId, Language
from tools.phrases import Phrases

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PHRASES = Phrases(ROOT / "agent" / "texts")


def conversation(*, holder: Holder = "ai", disclosed: bool = False) -> Conversation:
    return Conversation(
        id=ConversationId("c"), channel="api", language="ru", holder=holder, disclosed=disclosed, created=NOW
    )


def said(*authors: Author) -> tuple[Message, ...]:
    return tuple(Message(seq=n, author=author, text="…", at=NOW) for n, author in enumerate(authors, 1))


@pytest.mark.parametrize(
    ("history", "wanted"),
    [
        ((), "first"),
        (said("customer"), "first"),
        (said("ai", "customer"), "again"),
        (said("customer", "person"), "again"),
        (said("customer", "system"), "again"),
    ],
)
def test_it_is_due_until_it_was_said_and_shorter_once_somebody_spoke(
    history: tuple[Message, ...], wanted: Due
) -> None:
    assert due(conversation(), history) == wanted
    assert due(conversation(disclosed=True), history) is None


def test_nothing_is_said_of_the_ai_while_a_person_speaks() -> None:
    assert due(conversation(holder="person"), said("customer", "person")) is None


@pytest.mark.parametrize("holder", ["queued", "closed"])
def test_whoever_waits_or_comes_back_is_told_before_anything_else(holder: Holder) -> None:
    assert due(conversation(holder=holder), ()) == "first"


@pytest.mark.parametrize(
    ("before", "after", "owed"),
    [
        ("person", "ai", True),
        ("person", "queued", True),
        ("person", "closed", True),
        ("ai", "closed", True),
        ("person", "person", False),
        ("ai", "queued", False),
        ("queued", "person", False),
        ("queued", "ai", False),
        ("closed", "ai", False),
    ],
)
def test_it_is_owed_anew_once_a_person_let_go(before: Holder, after: Holder, owed: bool) -> None:
    assert owed_after(before, after) is owed


@pytest.mark.parametrize(
    ("language", "program", "company", "person"),
    [
        ("ru", "автоматический помощник", "Фонарь", "Человека"),
        ("en", "automated assistant", "Lantern", "person"),
    ],
)
@pytest.mark.parametrize("kind", ["first", "again"])
def test_it_says_what_answers_for_whom_and_how_to_reach_a_person(
    kind: Due, language: Language, program: str, company: str, person: str
) -> None:
    text = words(kind, language=language, company=company, phrases=PHRASES)
    assert program in text
    assert company in text
    assert person in text


def test_none_is_put_before_a_reply_where_none_is_due() -> None:
    assert introduction(None, language="ru", company="Фонарь", phrases=PHRASES) == ()
    (reply,) = introduction("first", language="ru", company="Фонарь", phrases=PHRASES)
    assert reply.text == words("first", language="ru", company="Фонарь", phrases=PHRASES)
