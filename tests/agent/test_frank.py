"""Hearing "are you a robot?" in any form, and what a message asks beside it."""

import time

import pytest

from agent.policy.frank import Heard, classes_of, features, fitted, heard, units
from evals.disclosure import Row, read_plain

ROBOT = (
    """
ты робот?|Ты бот|Вы бот?|Вы робот или человек?|я с человеком говорю?|Я общаюсь с ботом?|это бот?|Это робот отвечает?|ты человек?
вы живой человек?|Ты настоящий?|с кем я разговариваю?|С кем я говорю|мне отвечает робот?|Мне тут бот отвечает или живой человек?
ты нейросеть?|вы искусственный интеллект?|это chatgpt?|ты программа?|Это живой человек?|вы точно человек?|а вы не робот?
робот или человек?|скажите честно, вы робот?|я сейчас с живым человеком общаюсь?|это автоответчик?|Ты ИИ?|кто мне отвечает?
со мной говорит робот?|подождите, это бот?|вы случайно не бот?|Здравствуйте. Вы бот?|человек ли вы|вы реальный человек?
are you human?|are you a robot|Are you a bot?|am I talking to a person|is this a bot?|are you real?|am i speaking with a real human
is this a real person|are you an AI|are you chatgpt?|you're a bot, right?|human or robot?|Who am I talking to?
are you a human or a machine?|tell me if you are a robot|is there a human there?|Am I chatting with a computer?|is this automated?
are you a real person or a bot|I want to know if you are human|wait, are you a chatbot?|r u a bot|are u human|aren't you a robot?
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

NOT_ROBOT = (
    """
робот-пылесос продаёте?|есть лампа в виде робота|программа лояльности|это программа лояльности?|какая программа скидок|вы продаёте роботов
сколько человек в команде|вы мне поможете?|ты где?|вы отвечаете на вопросы о доставке?|это хороший фонарь?|человек позвонил
вы работаете в воскресенье?|он живой вообще, мой заказ?|с кем согласовать доставку?|лампа настоящая?|это настоящая кожа?|кто доставляет?
позовите оператора|где мой заказ|бот не помог|машина приедет вечером?|девушка на кассе сказала|компьютерная лампа есть?
do you sell robot vacuums|have you seen the show "are you a robot"|is the lamp real leather|are you open today|is this lamp waterproof
how does the loyalty program work|talk to a human|are you sure it ships today|is there a person at the pickup point to help
who delivers the parcel|is this order mine|are you going to refund me|is it a good lamp|am I eligible for a refund|is this the right address
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

A_PERSON = (
    """
Вы живой человек?|ты человек?|Вы человек?|это живой человек?|Вы реальный человек?|Вы точно человек?|я с человеком говорю?
я сейчас с живым человеком общаюсь?|мне отвечает человек?|со мной общается живой человек?|Здравствуйте! Вы человек?
человек ли вы|вы оператор?|Это живой сотрудник пишет?|на связи человек?|за этим чатом сидит человек?|скажите честно, вы человек?
Вы из плоти и крови?|интересно, ты человек?|Есть тут живой человек?|Извините за вопрос, а вы человек?|Ты ведь человек, да?
are you human?|Are you a human being?|are you a real person?|is this a real person|am I talking to a person|r u human?
am i speaking with a real human|Are you an actual human?|Hello! Is this a real human?|Hey there, are you a person?
Good morning, am I talking to a person?|Just curious, are you human?|You're human, right?|Are you sure you're human?
Are you really a person?|is there a human there?|Is a human reading this?|are u human|wondering if you are a real human
Are you a live agent?|are you a man?|tell me if you are human|do you consider yourself a human?
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
A_PROGRAM = (
    """
ты робот?|Вы бот?|Я общаюсь с ботом?|это бот?|Это робот отвечает?|мне отвечает робот?|ты нейросеть?|вы искусственный интеллект?
это chatgpt?|ты программа?|скажите честно, вы робот?|это автоответчик?|Ты ИИ?|со мной говорит робот?|подождите, это бот?
Здравствуйте. Вы бот?|Вы автомат?|Это чат-бот?|Вы компьютер?|Являетесь ли вы роботом?|ты бот, что ли?|Привет, ты робот?
are you a robot|Are you a bot?|is this a bot?|are you an AI|are you chatgpt?|you're a bot, right?|Am I chatting with a computer?
is this automated?|wait, are you a chatbot?|r u a bot|tell me if you are a robot|Are you software?|Are you a computer program?
Is it a bot answering me?|be honest, are you an AI?|Are you a virtual assistant?|so you're a bot?|Am I talking to a robot?
is this a machine i'm talking to|Are you artificial intelligence?|Is this an automated reply?
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
EITHER = (
    """
Вы робот или человек?|с кем я разговариваю?|кто мне отвечает?|а вы не робот?|вы случайно не бот?|ты не человек?|Вы живой?|Ты настоящий?
робот или человек?|Ты робот? Или человек?|Ты человек, а не скрипт?|Докажите, что вы не робот|По-моему, вы робот, я прав?|Отвечаете как робот. Вы робот?
human or robot?|Who am I talking to?|are you real?|Are you a human or a machine?|aren't you a robot?|aren't you human?|I am a human. Are you one?
You're not a real person, are you?|You sound like a bot. Are you one?|How do I know you're not a robot?|I like people. Are you one?
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

PLAIN = read_plain()


@pytest.mark.parametrize("text", ROBOT)
def test_the_question_what_answers_is_heard(text: str) -> None:
    assert heard(text).asks


@pytest.mark.parametrize("text", NOT_ROBOT)
def test_robots_and_programs_as_a_topic_are_not_that_question(text: str) -> None:
    assert heard(text) == Heard(asks=False, rest=text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        *((text, "human") for text in A_PERSON),
        *((text, "machine") for text in A_PROGRAM),
        *((text, "either") for text in EITHER),
    ],
)
def test_a_person_asked_for_is_told_from_a_program_and_neither_where_a_yes_or_a_no_might_not_fit(
    text: str, named: str
) -> None:
    assert (heard(text).asks, heard(text).named) == (True, named)


@pytest.mark.parametrize("row", PLAIN, ids=lambda row: row.id)
def test_every_plain_form_is_heard_and_nothing_a_shop_is_asked(row: Row) -> None:
    assert heard(row.says).asks is (row.kind != "others")


@pytest.mark.parametrize("row", [row for row in PLAIN if row.kind == "both"], ids=lambda row: row.id)
def test_what_is_asked_beside_it_is_left_and_the_question_is_not(row: Row) -> None:
    assert heard(row.says).rest == row.rest


@pytest.mark.parametrize(
    "text",
    [
        *("Ты робот?", "Привет! Вы человек?", "ты робот, да или нет?", "Здравствуйте, с кем я говорю?"),
        *("Are you a robot?", "Hi there. Am I talking to a human, or a bot?", "Are you human? Yes or no?"),
    ],
)
def test_where_nothing_else_is_said_nothing_is_left(text: str) -> None:
    found = heard(text)
    assert (found.asks, found.surely, found.rest) == (True, True, "")


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Да. А ты робот?", "Да."),
        ("Привет, ты робот? Отмените заказ 1045-А", "Отмените заказ 1045-А"),
        ("Where is my order? are you a bot", "Where is my order?"),
        ("No. Are you human?", "No."),
    ],
)
def test_an_answer_or_an_order_beside_it_is_never_swallowed(text: str, rest: str) -> None:
    found = heard(text)
    assert (found.asks, found.surely, found.rest) == (True, True, rest)


def test_only_quoted_it_is_not_asked() -> None:
    assert not heard("Есть книга «Ты робот или человек»?").asks
    assert not heard('Do you have the book "Are you a robot?"').asks


@pytest.mark.parametrize("text", ["", "?", "   \n", "." * 3000, "робот " * 2000, "а" * 70_000, "🙂", "\x00□"])
def test_hostile_text_is_read_without_harm(text: str) -> None:
    assert isinstance(heard(text), Heard)


def test_words_are_read_by_class_and_slips_forgiven() -> None:
    assert classes_of("Ты живой чловек или чат-бот?") == ("you", "real", "human", "or", "machine", "?")
    assert classes_of("r u a robto") == ("be", "you", "a", "machine", ".")
    assert list(units("I like people. Are you one?"))[-1] == (
        "me",
        "like",
        "human",
        ".",
        "be",
        "you",
        "one",
        "?",
    )
    assert {"^ be you", "~you machine ?", "=be you machine"} <= features(
        classes_of("are you a big robot?")
    ) | features(classes_of("are you a robot?"))


def test_a_message_of_usual_length_is_read_in_little_time() -> None:
    text = "Здравствуйте, заказывал у вас лампу на прошлой неделе, подскажите, когда её привезут и можно ли вернуть?"
    heard(text)
    began = time.perf_counter()
    for _ in range(100):
        heard(text)
    # Many times the usual: the figure is for a busy machine, the order of magnitude is what is held.
    assert (time.perf_counter() - began) / 100 < 0.02


def test_the_weights_are_few_and_the_certain_bound_is_the_higher() -> None:
    weights = fitted()
    assert len(weights.runs) < 5_000
    assert 0 < weights.asks < weights.surely < 1


def test_of_a_very_long_message_the_beginning_and_the_end_are_heard() -> None:
    filler = "The lamp is on the table. " * 600
    assert heard(f"Are you a robot? {filler}").asks
    assert heard(f"{filler} Are you a robot?").asks
    assert not heard(filler).asks
    assert len(list(units(filler))) < 300
