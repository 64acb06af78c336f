"""What a message wants and what is done next: pure, on an invented library that lends books."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from agent.intents import Argument, Documented, Offer, Reading, parts, values
from agent.language import stem
from agent.likeness import alike, nearest
from agent.plan import Answer, Call, Compose, Desk, Result, Said
from agent.planning import next_step
from tools.context import Language

BOOK = Argument(
    name="loan_id",
    pattern=r"^L\d+$",
    description="Loan · номер выдачи",
    expressions=(r"\b(?P<value>L\d+)\b",),
)
NOTE = Argument(name="note", required=False, expressions=(r"(?:потому что|because) (?P<value>[^.!?]+)",))
ADDRESS = Argument(
    name="new_address",
    description="The new address: street, house · новый адрес: улица, дом",
    expressions=(r"(?:новый адрес|new address):? (?P<value>.*\d.*)", r"(?P<value>[^\s,]+, \d+)"),
)
LOAN = Offer(
    tool="loan_status",
    cues={
        "ru": ("когда сдавать книгу", "срок моей книги", "какая у меня книга"),
        "en": ("when is my book due", "loan status"),
    },
    arguments=(BOOK,),
    scope="loans:read",
)
RENEW = Offer(
    tool="renew_loan",
    cues={"ru": ("продлить книгу", "продлите книгу"), "en": ("renew my book", "renew the loan")},
    arguments=(BOOK, NOTE),
    scope="loans:write",
    writes=True,
)
SEND = Offer(
    tool="send_book",
    cues={"ru": ("пришлите книгу",), "en": ("send the book",)},
    arguments=(BOOK, ADDRESS),
    scope="loans:write",
    writes=True,
)
LOANS = Offer(
    tool="my_loans", cues={"ru": ("мои книги",), "en": ("my loans",)}, fills=("loan_id",), scope="loans:read"
)
CONSENT = Offer(tool="ask_consent", cues=LOAN.cues, fixed={"purpose": "loans:read"}, control=True)
EVERYTHING = (LOAN, RENEW, SEND, LOANS)
CONTROLS = frozenset({"ask_back", "ask_consent", "decline", "hand_over"})


def unknown(part: str) -> Documented:
    return Documented()


def reading(*, offers: Sequence[Offer] = EVERYTHING, earlier: str = "") -> Reading:
    return Reading(language="ru", offers=tuple(offers), documented=unknown, earlier=earlier)


def step(
    question: str,
    *,
    offers: Sequence[Offer] = EVERYTHING,
    results: Sequence[Result] = (),
    history: Sequence[Said] = (),
    language: Language = "ru",
    controls: frozenset[str] = CONTROLS,
) -> Call | Compose:
    desk = Desk(
        question=question,
        language=language,
        history=tuple(history),
        offers=tuple(offers),
        results=tuple(results),
        controls=controls,
    )
    return next_step(desk, documented=unknown)


def listed(*choices: str) -> Result:
    return Result(
        ref="tool:my_loans:1",
        tool="my_loans",
        arguments={},
        ok=True,
        sentences=("Книги на руках.",),
        choices={"loan_id": tuple((c, c) for c in choices)},
        empty=not choices,
    )


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("Продлите книгу L12", "renew_loan"),
        ("продлите, пожалуйста, мою книгу", "renew_loan"),
        ("проддлите книгу L12", "renew_loan"),
        ("когда сдавать книгу?", "loan_status"),
        ("покажите мои книги", "my_loans"),
        ("renew my book", "renew_loan"),
        ("ghjlkbnt rybue", "renew_loan"),
    ],
)
def test_a_cue_is_recognised_in_other_forms_and_with_slips(text: str, tool: str) -> None:
    found = reading().intent(text)
    assert found is not None
    assert found.offer.tool == tool


@pytest.mark.parametrize(
    "text",
    [
        "как продлить книгу?",
        "можно ли продлить книгу",
        "А каким образом можно продлить книгу",
        "how do I renew the loan",
        "что делать, если я потерял мою книгу и срок моей книги вышел",
        "где вы находитесь",
        "есть ли у вас читальный зал",
        "спасибо",
    ],
)
def test_rules_and_other_matters_are_no_intent(text: str) -> None:
    assert reading().intent(text) is None


@pytest.mark.parametrize("text", ["как продлить книгу L12?", "как продлить мою книгу", "как мне её продлить"])
def test_asking_the_way_about_a_thing_of_ones_own_is_a_request(text: str) -> None:
    found = reading(earlier="Книга L12 у вас до 5 мая.").intent(text)
    assert found is not None
    assert found.offer.tool == "renew_loan"


@pytest.mark.parametrize("text", ["L12", "почему так долго с L12?", "приехала ли уже L12 в филиал"])
def test_a_thing_that_is_named_is_looked_up_whatever_is_said_about_it(text: str) -> None:
    found = reading().intent(text)
    assert found is not None
    assert found.offer.tool == "loan_status"


def test_documents_win_over_a_cue_without_anything_of_ones_own() -> None:
    known = Reading(language="ru", offers=EVERYTHING, documented=lambda part: Documented(fit=0.9))
    assert known.intent("когда сдавать книгу новым читателям") is None
    assert known.intent("когда сдавать мою книгу") is not None


@pytest.mark.parametrize(
    "text", ["когда сдавать книгу студентам?", "когда мне сдавать мою книгу после болезни?"]
)
def test_what_everybody_may_know_is_said_before_a_consent_is_asked(text: str) -> None:
    known = Reading(language="ru", offers=(CONSENT,), documented=lambda part: Documented(fit=0.5))
    assert known.intent(text) is None
    assert reading(offers=(CONSENT,)).intent(text) is not None


@pytest.mark.parametrize(
    "text", ["когда сдавать мою книгу?", "какая у меня книга?", "когда сдавать книгу L12?"]
)
def test_a_question_about_nothing_but_ones_own_thing_asks_for_the_consent(text: str) -> None:
    known = Reading(language="ru", offers=(CONSENT,), documented=lambda part: Documented(fit=0.5))
    assert known.intent(text) is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Продлите книгу L12 и сколько стоит штраф?", ("Продлите книгу L12", "сколько стоит штраф?")),
        ("Где мои книги? Как записаться?", ("Где мои книги?", "Как записаться?")),
        ("Хлеб и соль есть?", ("Хлеб и соль есть?",)),
        ("Я потерял книгу L12. Что делать?", ("Я потерял книгу L12. Что делать?",)),
        ("подскажите, когда сдавать книгу", ("подскажите, когда сдавать книгу",)),
        ("renew my book and what is the fine", ("renew my book", "what is the fine")),
        ("Спасибо", ("Спасибо",)),
    ],
)
def test_a_message_is_cut_where_another_request_begins(text: str, expected: tuple[str, ...]) -> None:
    assert parts(text, reading().intent) == expected


@pytest.mark.parametrize(
    "text",
    [
        "не продлевайте книгу L12",
        "Не продлите книгу L12 случайно",
        "do not renew the loan L12",
        "please don't renew my book L12",
    ],
)
def test_a_denied_request_changes_nothing(text: str) -> None:
    found = reading().intent(text)
    assert found is None or not found.offer.writes


def test_a_cue_that_denies_needs_the_denial() -> None:
    keep = Offer(
        tool="keep",
        cues={"ru": ("не отправляйте книгу",), "en": ()},
        arguments=(BOOK,),
        scope="loans:write",
        writes=True,
    )
    assert reading(offers=(keep,)).intent("когда отправите книгу L12") is None
    found = reading(offers=(keep,)).intent("пожалуйста, не отправляйте книгу L12")
    assert found is not None


def test_identifiers_are_found_once_each_and_in_order() -> None:
    assert values(BOOK, "L12, L7 и снова L12") == ["L12", "L7"]
    assert values(BOOK, "L12") == ["L12"]
    assert values(BOOK, "двенадцать") == []


def test_of_a_free_text_the_first_expression_wins_and_then_the_longest() -> None:
    assert values(ADDRESS, "новый адрес: Мира, 5, кв. 2") == ["Мира, 5, кв. 2"]
    assert values(ADDRESS, "на Мира, 5") == ["Мира, 5"]
    assert values(ADDRESS, "новый адрес верный такой: Мира, 7") == ["Мира, 7"]
    assert values(NOTE, "потому что болею, продлите до мая") == ["болею"]


def test_a_write_is_prepared_with_its_optional_words() -> None:
    assert step("Продлите книгу L12, потому что болею") == Call(
        tool="renew_loan", arguments={"loan_id": "L12", "note": "болею"}
    )


def test_a_missing_identifier_is_listed_then_taken_when_it_is_the_only_one() -> None:
    assert step("продлите книгу") == Call(tool="my_loans", arguments={})
    assert step("продлите книгу", results=[listed("L5")]) == Call(
        tool="renew_loan", arguments={"loan_id": "L5"}
    )


def test_several_choices_are_one_question_with_options() -> None:
    found = step("продлите книгу", results=[listed("L5", "L6", "L7")])
    assert found == Call(
        tool="ask_back",
        arguments={"question": "Уточните, пожалуйста: вы про L5, L6 или L7?", "options": ["L5", "L6", "L7"]},
    )


def test_of_two_things_named_with_an_or_the_one_to_be_changed_is_asked_for_and_both_are_looked_up() -> None:
    asked = {"question": "Уточните, пожалуйста: вы про L12 или L5?", "options": ["L12", "L5"]}
    assert step("Продлите книгу L12 или L5") == Call(tool="ask_back", arguments=asked)
    assert step("когда сдавать книгу L12 или L5?") == Call(tool="loan_status", arguments={"loan_id": "L12"})


def test_a_number_in_words_is_looked_for_among_what_is_listed() -> None:
    text = "Продлите книгу тысяча сорок пять"
    assert step(text) == Call(tool="my_loans", arguments={})
    assert step(text, results=[listed("L1045", "L7")]) == Call(
        tool="renew_loan", arguments={"loan_id": "L1045"}
    )


def test_a_number_in_words_that_fits_two_is_a_question_between_these_two() -> None:
    asked = step("Продлите книгу тысяча сорок пять", results=[listed("L1045-А", "L1045-Б", "L7")])
    assert isinstance(asked, Call)
    assert (asked.tool, asked.arguments["options"]) == ("ask_back", ["L1045-А", "L1045-Б"])


@pytest.mark.parametrize("own", [("L7",), ("L7", "L12"), ()])
def test_a_number_in_words_that_is_nobodys_here_is_asked_for_and_never_taken_for_another(
    own: tuple[str, ...],
) -> None:
    history = [Said(author="customer", text="когда сдавать книгу L7?")]
    asked = step("Продлите книгу номер тысяча сорок пять", results=[listed(*own)], history=history)
    assert isinstance(asked, Call)
    assert (asked.tool, asked.arguments["options"]) == ("ask_back", [])


def test_a_number_in_words_goes_before_what_the_conversation_was_about() -> None:
    history = [Said(author="customer", text="когда сдавать книгу L7?")]
    named = step("Продлите книгу тысяча сорок пять", results=[listed("L1045", "L7")], history=history)
    assert named == Call(tool="renew_loan", arguments={"loan_id": "L1045"})


def test_words_that_count_or_cost_leave_what_the_conversation_was_about() -> None:
    history = [Said(author="customer", text="когда сдавать книгу L7?")]
    for text in ("Продлите книгу за тысячу сорок пять рублей", "Продлите книгу до десяти сорока пяти"):
        assert step(text, history=history) == Call(tool="renew_loan", arguments={"loan_id": "L7"})


def test_a_number_in_words_answers_the_question_which_one() -> None:
    history = [
        Said(author="customer", text="Продлите книгу"),
        Said(author="company", text="Уточните, пожалуйста: L1045 или L7?"),
    ]
    answered = step("десять сорок пять", results=[listed("L1045", "L7")], history=history)
    assert answered == Call(tool="renew_loan", arguments={"loan_id": "L1045"})


def test_a_question_between_things_names_their_numbers_and_its_buttons_tell_what_they_are() -> None:
    told = replace(
        listed(), choices={"loan_id": (("L7", "L7 — «Идиот»"), ("L12", "L12 — «Бесы»"))}, empty=False
    )
    asked = step("Продлите книгу", results=[told])
    assert isinstance(asked, Call)
    assert asked.arguments["options"] == ["L7 — «Идиот»", "L12 — «Бесы»"]
    assert "L7 или L12?" in asked.arguments["question"]
    assert step("Продлите книгу «Бесы»", results=[told]) == Call(
        tool="renew_loan", arguments={"loan_id": "L12"}
    )


def test_no_choice_leaves_the_list_as_the_answer() -> None:
    found = step("продлите книгу", results=[listed()])
    assert found == Compose(answers=(Answer(part="продлите книгу", results=(listed(),), personal=True),))


def test_what_no_tool_lists_is_asked_for() -> None:
    found = step("пришлите книгу L5")
    assert found == Call(
        tool="ask_back",
        arguments={"question": "Уточните, пожалуйста: новый адрес (улица, дом).", "options": []},
    )
    assert isinstance(step("пришлите книгу L5", controls=frozenset()), Compose)


def test_the_text_we_asked_for_is_taken_whole() -> None:
    history = (
        Said(author="customer", text="пришлите книгу L5"),
        Said(author="company", text="На какой адрес?"),
    )
    assert step("Лесной тупик, дом без номера", history=history) == Call(
        tool="send_book", arguments={"loan_id": "L5", "new_address": "Лесной тупик, дом без номера"}
    )


def test_a_consent_is_asked_for_after_everything_that_needs_none() -> None:
    public = Offer(tool="opening_hours", cues={"ru": ("часы работы",)})
    question = "когда сдавать мою книгу? И подскажите часы работы"
    offers = (public, CONSENT)
    assert step(question, offers=offers) == Call(tool="opening_hours", arguments={})
    done = Result(
        ref="tool:opening_hours:1", tool="opening_hours", arguments={}, ok=True, sentences=("С 9 до 18.",)
    )
    assert step(question, offers=offers, results=[done]) == Call(
        tool="ask_consent", arguments={"purpose": "loans:read"}
    )


def test_calls_stop_at_the_limit() -> None:
    done = [
        Result(
            ref=f"tool:loan_status:{n}",
            tool="loan_status",
            arguments={"loan_id": f"L{n}"},
            ok=True,
            sentences=("Да.",),
        )
        for n in range(1, 5)
    ]
    found = step("срок моей книги L1 L2 L3 L4 L5 L6", results=done)
    assert isinstance(found, Compose)
    assert len(found.answers[0].results) == 4


def test_a_failed_call_is_not_repeated() -> None:
    failed = Result(
        ref="tool:loan_status:1",
        tool="loan_status",
        arguments={"loan_id": "L9"},
        ok=False,
        sentences=("Нет такой.",),
    )
    found = step("срок моей книги L9", results=[failed])
    assert found == Compose(answers=(Answer(part="срок моей книги L9", results=(failed,), personal=True),))


def test_only_one_number_is_remembered_from_the_conversation() -> None:
    one = (
        Said(author="customer", text="срок моей книги L3"),
        Said(author="company", text="Книга L3 у вас до мая."),
    )
    assert step("а продлить её можно?", history=one) == Call(tool="renew_loan", arguments={"loan_id": "L3"})
    two = (Said(author="customer", text="мои книги"), Said(author="company", text="У вас L3 и L4."))
    assert step("а продлить книгу?", history=two) == Call(tool="my_loans", arguments={})


@pytest.mark.parametrize(
    ("a", "b", "close"),
    [
        ("доставка", "доставка", True),
        ("доставка", "доставить", True),
        ("доставка", "достафка", True),
        ("delivery", "delivary", True),
        ("вернуть", "возврат", True),
        ("лампа", "рампа", False),
        ("дом", "том", False),
        ("доставка", "оплата", False),
        ("return", "lamp", False),
    ],
)
def test_words_are_alike_by_root_relation_or_one_slip(a: str, b: str, close: bool) -> None:
    assert (alike(stem(a), stem(b)) > 0) is close


def test_numbers_are_the_same_or_not() -> None:
    assert alike("10451", "10452") == 0
    assert nearest("1045", ["1045", "x"]) == 1
