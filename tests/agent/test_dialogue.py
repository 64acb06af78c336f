"""What customers say about the conversation itself."""

from datetime import UTC, datetime

import pytest

from agent.dialogue import (
    Aside,
    Noted,
    Repeat,
    Restated,
    Unhelpful,
    Vague,
    answers,
    aside,
    danger,
    digresses,
    only_abuse,
    questions,
)
from agent.domain import Action, Author, Button, Message

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def talk(*lines: str | tuple[str, str]) -> list[Message]:
    """Messages: `ai:`, `person:` or the customer's; a pair adds the label of a consent button."""
    found = []
    for n, line in enumerate(lines, 1):
        text, label = line if isinstance(line, tuple) else (line, "")
        author: Author = (
            "ai" if text.startswith("ai:") else "person" if text.startswith("person:") else "customer"
        )
        buttons = (Button(label=label, action=Action(kind="consent", target="orders:read")),) if label else ()
        said = text.partition(":")[2].strip() if author != "customer" else text
        found.append(Message(seq=n, author=author, text=said, at=AT, buttons=buttons))
    return found


RU = talk("Сколько стоит доставка в Казань?", "ai: 490 ₽.", "Где мой заказ 1042?", "ai: Заказ 1042 в пути.")
EN = talk("How do I return a lamp?", "ai: In 14 days.", "Where is my order 1042?", "ai: On its way.")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("повтори", Repeat()),
        ("ещё раз, пожалуйста", Repeat()),
        ("gjdnjhb", Repeat()),
        ("povtori", Repeat()),
        ("можно покороче?", Repeat(short=True)),
        ("слишком длинно", Repeat(short=True)),
        ("это не помогло", Unhelpful()),
        ("спасибо, не то", Unhelpful()),
        ("понятно", Noted()),
        ("нет, спасибо", Noted()),
        ("помогите пожалуйста", Vague()),
        ("у меня проблема", Vague()),
        ("повтори мой заказ", None),
        ("не помогло, что делать с лампой?", None),
        ("короче говоря, лампа не горит", None),
        ("понятно, а сколько стоит доставка?", None),
    ],
)
def test_a_whole_message_about_the_talk_is_heard_in_russian(text: str, meant: Aside | None) -> None:
    assert aside(text, RU) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("repeat that please", Repeat()),
        ("can you repeat that?", Repeat()),
        ("shorter please", Repeat(short=True)),
        ("that didn't help", Unhelpful()),
        ("got it, thanks", Noted()),
        ("help", Vague()),
        ("can I repeat an order?", None),
        ("that didn't help, the lamp is still dark", None),
        ("I want to send it back to the shop", None),
    ],
)
def test_a_whole_message_about_the_talk_is_heard_in_english(text: str, meant: Aside | None) -> None:
    assert aside(text, EN) == meant


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("нет, не 1042, а 1043", "Где мой заказ 1043?"),
        ("1043, а не 1042", "Где мой заказ 1043?"),
        ("я имела в виду 1043", "Где мой заказ 1043?"),
        ("ой, 1043", "Где мой заказ 1043?"),
        ("опечатка: 1043-Б", "Где мой заказ 1043-Б?"),
        ("точнее, когда приедет заказ 1043", "когда приедет заказ 1043"),
    ],
)
def test_a_correction_is_the_question_put_right(text: str, question: str) -> None:
    assert aside(text, RU) == Restated(question=question, corrects=True)


@pytest.mark.parametrize("text", ["I meant order 1043", "not 1042 but 1043", "1043, not 1042", "sorry, 1043"])
def test_a_correction_is_heard_in_english(text: str) -> None:
    assert aside(text, EN) == Restated(question="Where is my order 1043?", corrects=True)


@pytest.mark.parametrize(
    "text",
    [
        "почему курьер привёз не лампу, а фонарь?",
        "Курьер привёз не лампу, а фонарь",
        "нет, не синюю, а красную",
    ],
)
def test_a_contrast_of_things_nobody_spoke_of_is_no_correction(text: str) -> None:
    assert aside(text, RU) is None


def test_who_comes_back_to_a_topic_gets_its_last_question_as_it_was_meant() -> None:
    assert aside("вернёмся к доставке", RU) == Restated(question=RU[0].text)
    assert aside("вернёмся к доставке: а в Пермь?", RU) == Restated(question="доставке: а в Пермь?")
    assert aside("давайте вернёмся к предыдущему вопросу", RU) == Restated(question=RU[0].text)
    assert aside("back to returns", EN) == Restated(question=EN[0].text)
    put_right = talk(
        *(m.text if m.author == "customer" else f"ai: {m.text}" for m in RU), "не 1042, а 1043", "А гарантия?"
    )
    assert aside("вернёмся к заказу", put_right) == Restated(question="Где мой заказ 1043?")


def test_buttons_and_remarks_are_no_questions() -> None:
    history = talk(
        "Где мой заказ?", ("ai: Разрешаете?", "Разрешить"), "Разрешить", "ai: В пути.", "короче", "ai: Едет."
    )
    assert questions(history) == ("Где мой заказ?",)
    assert [m.text for m in answers(history)] == ["Разрешаете?", "В пути.", "Едет."]


def test_the_second_time_in_a_row_counts() -> None:
    more = [*RU, *talk("не помогло", "ai: Тогда так.")]
    assert aside("опять не помогло", more) == Unhelpful(again=True)
    assert aside("не помогло", [*more, *talk("А гарантия?", "ai: Год.")]) == Unhelpful()


def test_nothing_is_repeated_before_anything_was_said_or_after_a_person_spoke() -> None:
    assert aside("повтори", []) is None
    assert aside("повтори", talk("Где заказ?", "person: Сейчас посмотрю.")) is None


def test_a_question_of_its_own_is_no_answer_to_ours() -> None:
    assert digresses("А сколько стоит доставка в Казань?")
    assert not digresses("1051")
    assert not digresses("тот, что с лампой")


@pytest.mark.parametrize(
    "text",
    [
        "хочу умереть",
        "я больше не хочу жить",
        "Не хочу жить",
        "покончу с собой",
        "нет смысла жить",
        "пью таблетки и думаю о самоубийстве",
        "I want to kill myself",
        "I don't want to live anymore",
        "thinking about suicide",
    ],
)
def test_words_of_self_harm_are_heard(text: str) -> None:
    assert danger(text) == "harm"


@pytest.mark.parametrize(
    "text", ["приеду и убью вас", "я взорву ваш офис", "I will kill you all", "I know where you live"]
)
def test_threats_are_heard(text: str) -> None:
    assert danger(text) == "threat"


@pytest.mark.parametrize(
    "text",
    [
        "лампа умерла",
        "убийственная цена",
        "хочу убить время",
        "не хочу жить без света, где мой заказ?",
        "взорвалась лампочка",
        "как убить комаров лампой?",
        "порежу ленту на куски?",
        "how do I kill the blinking?",
        "I'm dying to get my order",
        "this lamp is to die for",
        "the bulb blew up",
        "can I shoot a film with this light?",
    ],
)
def test_lamps_that_die_endanger_nobody(text: str) -> None:
    assert danger(text) is None


@pytest.mark.parametrize("text", ["вы идиоты", "пошли нахуй", "бот тупой", "fuck you", "this is shit"])
def test_abuse_and_nothing_else_is_told_apart(text: str) -> None:
    assert only_abuse(text)


@pytest.mark.parametrize(
    "text",
    [
        "где мой заказ, блять",
        "козлы, верните деньги за лампу",
        "where is my fucking order",
        "застрахуй посылку",
        "лампа",
    ],
)
def test_abuse_around_a_matter_is_about_the_matter(text: str) -> None:
    assert not only_abuse(text)
