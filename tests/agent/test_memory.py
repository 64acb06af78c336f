"""What is taken for a fact about oneself, what a request about memory, and what keeping one does to the others."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.memory import (
    LONGEST,
    LONGEST_REQUEST,
    MOST,
    SINGLE,
    Correct,
    Forget,
    ForgetAll,
    Keep,
    Request,
    Show,
    asked,
    changes,
    matching,
    may_keep,
    stated,
)
from agent.notes import Note, NoteId, NoteKind, Stated
from agent.pack import load_pack
from agent.terms import Memory
from tools.context import Caller, ConversationId, CustomerId, Language, TurnId

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TERMS = load_pack(Path(__file__).resolve().parents[2] / "demo").policy.memory


def note(n: int, text: str, kind: NoteKind = "socket", language: Language = "ru") -> Note:
    return Note(
        id=NoteId(f"n{n}"),
        kind=kind,
        text=text,
        language=language,
        conversation=ConversationId("c"),
        channel="widget",
        seq=1,
        consent=1,
        at=NOW + timedelta(minutes=n),
        expires=NOW + timedelta(days=100),
    )


LAMP, SOCKET, DELIVERY = (
    note(1, "у меня люстра «Сириус»", "owned"),
    note(2, "у меня цоколь E14"),
    note(3, "мне удобнее самовывоз", "delivery"),
)
NOTES = (LAMP, SOCKET, DELIVERY)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("У меня люстра «Сириус» с E14, какая лампа подойдёт?", [("owned", "У меня люстра «Сириус» с E14")]),
        ("купила у вас торшер Арка", [("owned", "купила у вас торшер Арка")]),
        ("у меня цоколь Е27", [("socket", "у меня цоколь Е27")]),
        ("Мне удобнее самовывоз.", [("delivery", "Мне удобнее самовывоз")]),
        ("оставляйте у двери", [("delivery", "оставляйте у двери")]),
        ("Звоните после 18", [("contact_time", "Звоните после 18")]),
        ("пишите мне по-английски", [("language", "пишите мне по-английски")]),
        (
            "потолки 2,7 метра; комната 18 м²",
            [("room", "потолки 2,7 метра"), ("room", "комната 18 м²")],
        ),
        ("I have a Sirius chandelier with E14 sockets", [("owned", None)]),
        ("My sockets are GU10, thanks", [("socket", "My sockets are GU10")]),
        ("Call me after 6 pm", [("contact_time", "Call me after 6 pm")]),
        ("my ceiling is 2.7 m high", [("room", "my ceiling is 2.7 m high")]),
        ("I prefer courier delivery", [("delivery", "I prefer courier delivery")]),
        ("Write to me in English!", [("language", "Write to me in English")]),
    ],
)
def test_a_statement_about_oneself_is_a_typed_fact_in_ones_own_words(
    text: str, facts: list[tuple[str, str | None]]
) -> None:
    found = stated(text, terms=TERMS)
    assert [fact.kind for fact in found] == [kind for kind, _ in facts]
    for fact, (_, words) in zip(found, facts, strict=True):
        assert fact.text == (words or fact.text)
        assert fact.text in text


@pytest.mark.parametrize(
    "text",
    [
        "У меня цоколь E14?",
        "у меня нет люстры",
        "если у меня люстра Сириус",
        "у соседа люстра Сириус",
        "Какие люстры у вас есть?",
        "моя люстра не работает",
        "у меня сломался торшер Арка",
        "у меня вопрос по люстре",
        "Где мой заказ 1045-А?",
        "хочу, чтобы у меня была люстра",
        "if I have a chandelier",
        "my lamp broke yesterday",
        "Do you have E27 bulbs?",
        "у меня диабет и люстра Сириус",
        "у меня люстра Сириус, а муж слепой",
        "у меня люстра от Ивана Петровича Смирнова",
        "у меня торшер, как у ivan@example.com",
        "",
    ],
)
def test_questions_denials_troubles_and_what_is_too_personal_state_nothing(text: str) -> None:
    assert "ivan" not in " ".join(fact.text for fact in stated(text, terms=TERMS))
    assert [f for f in stated(text, terms=TERMS) if f.text != "у меня торшер"] == []


def test_only_kinds_the_company_remembers_are_taken() -> None:
    said = "У меня люстра Сириус. Мне удобнее самовывоз."
    assert [fact.kind for fact in stated(said, terms=TERMS)] == ["owned", "delivery"]
    assert [fact.kind for fact in stated(said, terms=replace_kinds("delivery"))] == ["delivery"]
    assert stated(said, terms=Memory(kinds=("owned",))) == ()


def replace_kinds(*kinds: NoteKind) -> Memory:
    return TERMS.model_copy(update={"kinds": kinds})


def test_a_long_clause_is_cut_at_a_word() -> None:
    (fact,) = stated(f"у меня люстра {'переливчатая' * 5} {'хрустальная' * 5}", terms=TERMS)
    assert len(fact.text) <= LONGEST
    assert fact.text.endswith("переливчатая")


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("Что вы обо мне помните?", Show()),
        ("что ты знаешь про меня", Show()),
        ("скажите, что вы обо мне знаете", Show()),
        ("Покажи записи", Show()),
        ("What do you remember about me?", Show()),
        ("what have you remembered", Show()),
        ("забудь всё", ForgetAll()),
        ("Забудьте всё, что обо мне знаете", ForgetAll()),
        ("Сотрите записи обо мне, пожалуйста", ForgetAll()),
        ("Forget everything you know about me", ForgetAll()),
        ("please erase your memory", ForgetAll()),
        ("забудь про люстру", Forget(notes=(LAMP.id,))),
        ("Забудьте, что у меня цоколь E14", Forget(notes=(SOCKET.id,))),
        ("забудь про доставку", Forget(notes=(DELIVERY.id,))),
        ("не помните про самовывоз", Forget(notes=(DELIVERY.id,))),
        ("Запомни, что у меня цоколь GU10", Keep(what="у меня цоколь GU10")),
        ("Запомните пожалуйста: потолок 2,5 м", Keep(what="потолок 2,5 м")),
        ("Remember that my socket is GU10", Keep(what="my socket is GU10")),
        ("у меня не E14, а E27", Correct(note=SOCKET.id, text="у меня цоколь E27")),
        ("Исправьте: у меня цоколь GU10", Correct(note=SOCKET.id, text="у меня цоколь GU10")),
        ("цоколь не такой, а E27", None),
        ("Исправьте: у меня дома пожар", None),
        ("исправьте: потолок 3 м", None),
        ("забудь", None),
        ("забудьте, уже нашёл", None),
        ("забудь про доставку на дачу", None),
        ("удалите всё обо мне", None),
        ("как запомнить пароль?", None),
        ("не забудьте про мой заказ", None),
        ("Что вы знаете о доставке?", None),
        ("", None),
        ("забудь всё " + "!" * LONGEST_REQUEST, None),
    ],
)
def test_requests_about_memory_are_told_from_everything_else(text: str, request_: Request | None) -> None:
    assert asked(text, NOTES) == request_


def test_a_correction_whose_words_stand_otherwise_in_the_note_is_the_note() -> None:
    english = note(4, "my sockets are E14", language="en")
    assert asked("it's not E14, it's E27", [english]) == Correct(note=english.id, text="my sockets are E27")
    inflected = note(5, "у меня люстры «Сириус»", "owned")
    assert asked("не люстра, а торшер Арка", [inflected]) == Correct(note=inflected.id, text="торшер Арка")


def test_nothing_is_matched_by_words_that_carry_nothing() -> None:
    assert matching("это и то", NOTES) == ()
    assert matching("моя люстра", NOTES) == (LAMP,)


@pytest.mark.parametrize(
    ("customer", "assurance", "purposes", "may"),
    [
        ("anna", "verified", {"memory"}, True),
        ("anna", "channel", {"memory"}, True),
        ("anna", "anonymous", {"memory"}, False),
        (None, "anonymous", {"memory"}, False),
        ("anna", "verified", {"personalisation", "orders:read"}, False),
    ],
)
def test_only_of_a_known_customer_who_allowed_it_is_anything_kept(
    customer: str | None, assurance: str, purposes: set[str], may: bool
) -> None:
    caller = Caller(
        conversation=ConversationId("c"),
        turn=TurnId("t"),
        language="ru",
        channel="widget",
        customer_id=CustomerId(customer) if customer else None,
        assurance=assurance,  # type: ignore[arg-type]
        purposes=frozenset(purposes),
        now=NOW,
    )
    assert may_keep(caller) is may


def kept(facts: Sequence[Stated], notes: Sequence[Note] = (), **more: Sequence[NoteId]) -> object:
    return changes(
        [(n, fact) for n, fact in enumerate(facts, start=1)],
        notes,
        language="ru",
        now=NOW,
        terms=TERMS,
        **more,  # type: ignore[arg-type]
    )


def test_the_latest_of_a_kind_with_one_value_takes_the_place_of_the_others() -> None:
    found = changes(
        [(1, Stated(kind="delivery", text="почтой")), (2, Stated(kind="delivery", text="курьером"))],
        NOTES,
        language="ru",
        now=NOW,
        terms=TERMS,
    )
    assert [(k.text, k.seq) for k in found.keep] == [("курьером", 2)]
    assert found.forget == (DELIVERY.id,)
    assert found.keep[0].expires == NOW + timedelta(days=TERMS.days)


def test_what_is_known_already_begins_its_time_anew_and_is_not_there_twice() -> None:
    again = Stated(kind="socket", text="У меня  цоколь E14")
    found = changes(
        [(1, again), (2, again), (3, Stated(kind="socket", text="E27"))],
        NOTES,
        language="ru",
        now=NOW,
        terms=TERMS,
    )
    assert [k.text for k in found.keep] == ["У меня  цоколь E14", "E27"]
    assert found.forget == (SOCKET.id,)


def test_what_is_put_right_gives_way() -> None:
    found = changes(
        [(1, Stated(kind="owned", text="торшер"))],
        NOTES,
        language="ru",
        now=NOW,
        terms=TERMS,
        instead=(LAMP.id,),
    )
    assert found.forget == (LAMP.id,)
    assert not kept([])


FACTS = st.builds(Stated, kind=st.sampled_from(get_args(NoteKind)), text=st.sampled_from("abcdefgh"))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(FACTS, max_size=9), max_size=9))
def test_however_much_is_said_notes_are_few_without_repetition_and_single_where_they_must_be(
    said: list[list[Stated]],
) -> None:
    notes: list[Note] = [note(n, f"older {n}", "room") for n in range(MOST - 3)]
    for turn, facts in enumerate(said):
        found = changes([(n, f) for n, f in enumerate(facts)], notes, language="ru", now=NOW, terms=TERMS)
        assert set(found.forget) <= {one.id for one in notes}
        notes = [one for one in notes if one.id not in found.forget]
        notes += [note(100 * (turn + 1) + n, k.text, k.kind) for n, k in enumerate(found.keep)]
        assert len(notes) <= MOST
        assert len({(one.kind, one.text) for one in notes}) == len(notes)
        for kind in SINGLE:
            assert sum(one.kind == kind for one in notes) <= 1
