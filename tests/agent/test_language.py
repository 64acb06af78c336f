"""Language, sentences, and the utterances that are recognised without a model."""

import time

import pytest

from agent import language as words
from agent.language import detect, readable, says_no, says_yes, sentences, stems, wants_person
from tools.context import Language

BOTH: tuple[Language, Language] = ("ru", "en")

PERSON = (
    """
оператора!|Оператор|позовите оператора|Позовите оператора!!!|живого человека|Мне нужен живой человек|позовите менеджера
хочу поговорить с человеком|свяжите с поддержкой|Свяжите меня с оператором, пожалуйста|соедините со специалистом
переключите на оператора|переведите на живого оператора|дайте человека|Дайте мне нормального человека|человека позовите пожалуйста
можно поговорить с менеджером?|Можно оператора?|можно живого человека|как связаться с оператором?|как позвать оператора
есть тут кто-нибудь живой?|Есть живые люди?|не хочу говорить с роботом|хватит, уберите этого тупого бота|мне нужен оператор
нужен менеджер|Срочно нужен оператор|требую руководителя|позовите старшего|позовите вашего руководителя
хочу общаться с живым человеком, а не с ботом|пусть мне ответит человек|Пусть менеджер мне перезвонит|оператор, ответьте
пригласите консультанта|подключите сотрудника|передайте диалог оператору|Здравствуйте, оператора пожалуйста|вызовите специалиста
могу я поговорить с кем-нибудь живым|хотелось бы пообщаться с сотрудником магазина|мне бы с оператором поговорить
бот не понимает, позови человека|Где мой заказ? Позовите человека!|опператора|позовити оператора|помощь оператора|соедини с человеком
talk to a human|I want to talk to a human|real person please|Human please!|agent|speak to an agent|Can I speak to a person?
get me a manager|I need a human|connect me to an operator|transfer me to a representative|let me speak to your supervisor
I want to speak with customer service|is there a human I can talk to|can I talk to someone real|live agent please
I'd like to chat with a real person|put me through to a person|please connect me with a live agent|operator!
stop, I don't want to talk to a bot|no bots please, get me a human|I need to speak to a manager now|have someone call me
can a person contact me|could someone call me back please|escalate this to your manager|human being please
hand me over to a human|how do I contact customer support|I demand a manager|get a human in here|can I get a human please
this is useless, give me a real person|any way to talk to a human|I wanna talk to someone|may I speak with someone please
where is my order? I want a human|your bot is dumb, let me talk to a person|real agent please|let a human look at this
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

NOT_PERSON = (
    """
человек прописал|оператор связи не присылает код|сколько человек может жить в палатке|какой оператор доставляет посылки
менеджер сказал, что вернёте деньги|лампа на шесть человек|нужен ли специалист для установки люстры|подарок для руководителя
не надо оператора, просто скажите срок|без оператора можно вернуть?|оператор сотовой связи МТС|хочу подарить человеку фонарь
где мой заказ|как вернуть товар|отмените заказ 1051|сколько стоит доставка|у вас есть поддержка Bluetooth|поддержка голосовых команд
человек, который привёз заказ, был вежлив|специалист по установке приедет?|сотрудник обещал перезвонить|два человека не смогли поднять
свяжите доставку с подъёмом|дайте скидку|позовите меня когда появится|переведите деньги на карту|соедините два заказа в один
можно вернуть лампу?|хочу вернуть лампу|мне нужен фонарь|нужен светильник для человека с аллергией|дайте адрес пункта выдачи
есть налобный фонарь?|кому можно подарить|людям с эпилепсией можно?|передайте спасибо курьеру|как отменить заказ
Нужен чек для руководителя|курьер не позвонил|какой срок возврата|менеджер уже ответил, спасибо|переключите способ оплаты на карту
where is my order|how many people fit in the tent|the mobile operator does not send the code|a person delivered the wrong parcel
lamp for three people|do I need a person to sign for it|the manager said I get a refund|my agent told me it is free|is a human needed for setup
how do I return a lamp|cancel order 1051|I don't need a human, just tell me|without talking to a person can I return it
I talked to a manager yesterday|I spoke with an agent last week|does the lamp support dimming|is this safe for people with epilepsy
customer reviews please|what are your support hours|connect the lamp to wifi|transfer the money to my card|switch to another card
can someone else pick up my parcel|put me on the waiting list|talk about delivery|give me a discount|get me a lamp
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

YES = (
    """
да|Да!|да, конечно|ага|угу|разрешаю|Согласен|согласна|да, разрешаю|Конечно, смотрите|давайте|ок|хорошо|подтверждаю|да пожалуйста|Можно|дада
yes|Yes please|yeah|sure|ok|of course|go ahead|I agree|I confirm|yep, go ahead|that's correct|yes, thanks|Absolutely
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

NO = (
    """
нет|Нет, спасибо|не надо|не сейчас|не разрешаю|неа|не хочу|нет, не надо|отказываюсь|против|я передумал|не согласна|ни в коем случае|нельзя
no|No thanks|nope|not now|no way|don't|I don't agree|I changed my mind|never mind|no, thank you|please don't|nah
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

NEITHER = (
    """
да нет|нет да|да?|да, но только статус|да, а зачем вам это|нет заказа|да сколько можно ждать|не знаю|может быть|а что это даст|нет в наличии?
хорошо, а когда|ну не знаю|да отмените другой заказ, не этот|какой заказ|зачем|спасибо|1051|да и адрес поменяйте тоже пожалуйста|отмена
ok but why|yes and no|no idea|yes but only the status|maybe|not sure|what for|yes?|no order yet|ok where is my order|sure thing is late|cancel
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.mark.parametrize("text", PERSON)
def test_a_wish_for_a_person_is_heard(text: str) -> None:
    assert wants_person(text)


@pytest.mark.parametrize("text", NOT_PERSON)
def test_a_mention_of_people_is_not_a_wish_for_a_person(text: str) -> None:
    assert not wants_person(text)


@pytest.mark.parametrize("text", YES)
def test_a_plain_yes_counts(text: str) -> None:
    assert says_yes(text)
    assert not says_no(text)


@pytest.mark.parametrize("text", NO)
def test_a_plain_no_counts(text: str) -> None:
    assert says_no(text)
    assert not says_yes(text)


@pytest.mark.parametrize("text", NEITHER)
def test_an_answer_that_says_more_is_neither_yes_nor_no(text: str) -> None:
    assert not says_yes(text)
    assert not says_no(text)


@pytest.mark.parametrize(
    "text",
    [
        "Привет",
        "здравствуйте!",
        "Добрый день",
        "доброе утро, коллеги",
        "алло",
        "hi",
        "Hello there!",
        "Good morning",
        "здраствуйте",
    ],
)
def test_a_greeting_alone_is_a_greeting(text: str) -> None:
    assert words.is_greeting(text)
    assert not words.is_thanks(text)


@pytest.mark.parametrize(
    "text",
    [
        "Спасибо",
        "спс",
        "Большое спасибо за помощь!",
        "Ок, спасибо",
        "благодарю вас",
        "Thanks a lot",
        "thank you very much",
        "thx",
        "ok, thanks for your help",
    ],
)
def test_thanks_alone_are_thanks(text: str) -> None:
    assert words.is_thanks(text)
    assert not words.is_greeting(text)


@pytest.mark.parametrize(
    "text",
    [
        "Здравствуйте, где мой заказ?",
        "спасибо, а когда привезут?",
        "hi, where is my order",
        "thanks, and how do I return it",
        "",
        "хорошо",
        "ok",
        "добрый день лампа не работает",
    ],
)
def test_a_greeting_or_thanks_before_a_question_is_a_question(text: str) -> None:
    assert not words.is_greeting(text)
    assert not words.is_thanks(text)


@pytest.mark.parametrize(
    ("text", "previous", "language"),
    [
        ("Где мой заказ?", "en", "ru"),
        ("Where is my order?", "ru", "en"),
        ("не работает Bluetooth headset JBL Tune 500", "en", "ru"),
        ("Where is my заказ", "ru", "en"),
        ("rfr dthyenm njdfh", "en", "ru"),
        ("ult vjq pfrfp", "en", "ru"),
        ("kak vernut tovar", "en", "ru"),
        ("gde moy zakaz", "en", "ru"),
        ("skolko stoit dostavka", "en", "ru"),
        ("zakaz", "en", "ru"),
        ("order status", "ru", "en"),
        ("loyalty program", "ru", "en"),
        ("refund", "ru", "en"),
        ("do you ship to Kazakhstan", "ru", "en"),
        ("ok", "ru", "ru"),
        ("ok", "en", "en"),
        ("1045", "en", "en"),
        ("FN-204", "ru", "ru"),
        ("", "en", "en"),
        ("👍", "ru", "ru"),
        ("где?", "en", "ru"),
        ("What's the warranty on headlamps?", "ru", "en"),
        ("cancel it", "ru", "en"),
        ("My transfer was declined", "ru", "en"),
        ("How do I report my card lost?", "ru", "en"),
        ("да", "en", "ru"),
    ],
)
def test_the_language_of_a_message(text: str, previous: Language, language: Language) -> None:
    assert detect(text, languages=BOTH, previous=previous) == language


def test_a_company_with_one_language_answers_in_it() -> None:
    assert detect("Where is my order?", languages=("ru",), previous=None) == "ru"
    assert detect("Где мой заказ?", languages=("en",), previous="ru") == "en"


def test_the_first_language_is_used_where_nothing_else_tells() -> None:
    assert detect("", languages=("en", "ru"), previous=None) == "en"


def test_disguised_russian_is_made_readable_and_the_rest_is_left_alone() -> None:
    assert readable("rfr dthyenm njdfh") == "как вернуть товар"
    assert readable("gde moy zakaz 1045") == "где мой заказ 1045"
    assert readable("where is my order") == "where is my order"
    assert readable("Где мой заказ FN-204") == "Где мой заказ FN-204"


def test_stems_bring_inflected_forms_together() -> None:
    assert stems("Заказы и заказа") == [stems("заказ")[0], "и", stems("заказ")[0]]
    assert stems("ёлка") == stems("елка")
    assert stems("returns returned") == ["return", "return"]


def test_codes_stay_whole_and_look_alike_letters_are_one() -> None:
    assert stems("заказ 1045-А") == stems("заказ 1045-A")
    assert "fn-204-bk" in stems("Лампа FN-204-BK")


SPLITS = [
    ("Доставка стоит 290 руб. Оплата картой.", ["Доставка стоит 290 руб.", "Оплата картой."]),
    ("Стоит 290 руб. за адрес, т. е. недорого. Да.", ["Стоит 290 руб. за адрес, т. е. недорого.", "Да."]),
    (
        "Склад: г. Тверь, ул. Мира, д. 5, кв. 2. Ждём вас!",
        ["Склад: г. Тверь, ул. Мира, д. 5, кв. 2.", "Ждём вас!"],
    ),
    (
        "Акция до 30 ноября 2026 г. Потом цена 3.5 тыс. руб.",
        ["Акция до 30 ноября 2026 г.", "Потом цена 3.5 тыс. руб."],
    ),
    ("Автор — А. С. Иванов. Он прав.", ["Автор — А. С. Иванов.", "Он прав."]),
    ("Вес 1.5 кг. Цвет синий.", ["Вес 1.5 кг.", "Цвет синий."]),
    ("«Можно?» — спросил он. «Да!» Вот так.", ["«Можно?» — спросил он.", "«Да!»", "Вот так."]),
    (
        "We ship to the U.S. and Canada, e.g. Ottawa. Costs $3.50!",
        ["We ship to the U.S. and Canada, e.g. Ottawa.", "Costs $3.50!"],
    ),
    ("Ask Mr. Brown vs. Dr. Who. No. 5 is out.", ["Ask Mr. Brown vs. Dr. Who.", "No. 5 is out."]),
    ("Открыто с 9 до 18 ч. ежедневно… Звоните.", ["Открыто с 9 до 18 ч. ежедневно…", "Звоните."]),
    ("# Заголовок\n\n**Важно:** [сайт](https://a.example/x_(y)) работает.", ["Важно: сайт работает."]),
    ("Перенос строки\nвнутри предложения. Второе.", ["Перенос строки внутри предложения.", "Второе."]),
]


@pytest.mark.parametrize(("text", "expected"), SPLITS)
def test_prose_is_split_at_sentence_ends_only(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_short_list_stays_with_the_line_that_opens_it() -> None:
    text = "Не принимаем обратно:\n\n- вскрытые семена;\n- срезанные цветы;\n- почву в мешках.\n\nОстальное можно."
    assert sentences(text) == [
        "Не принимаем обратно: вскрытые семена; срезанные цветы; почву в мешках.",
        "Остальное можно.",
    ]


def test_points_with_dashes_are_a_list_and_a_wrapped_dash_is_not() -> None:
    assert sentences("Выберите одно:\n\n— замену;\n— возврат денег.") == [
        "Выберите одно: замену; возврат денег."
    ]
    assert sentences("Грядка\n— это место для рассады.") == ["Грядка — это место для рассады."]


def test_a_long_list_repeats_its_opening_for_every_point() -> None:
    points = [f"пункт номер {n} " + "очень подробно " * 8 for n in range(6)]
    found = sentences("Нужно сделать:\n" + "\n".join(f"{n}. {p}" for n, p in enumerate(points, 1)))
    assert len(found) == 6
    assert all(sentence.startswith("Нужно сделать: пункт номер") for sentence in found)


def test_points_without_an_opening_are_sentences() -> None:
    assert sentences("1. Откройте профиль.\n2. Нажмите «Удалить». Готово.") == [
        "Откройте профиль.",
        "Нажмите «Удалить».",
        "Готово.",
    ]


def test_table_rows_become_sentences_that_name_their_columns() -> None:
    table = "| Город | Срок | Цена |\n|---|:---:|---|\n| Тверь | 2 дня | 290 ₽ |\n| Псков | — | 350 ₽ |"
    assert sentences(table) == ["Тверь — срок: 2 дня, цена: 290 ₽.", "Псков — цена: 350 ₽."]


def test_hostile_text_is_split_without_harm() -> None:
    for text in (
        "",
        "   \n\n",
        "....",
        "|||",
        "- \n- ",
        "а" * 100_000,
        ". " * 5_000,
        "| a\n" * 300,
        "\x00\x01",
        "(((" * 500,
    ):
        assert all(sentence.strip() for sentence in sentences(text))


def test_each_check_takes_less_than_a_millisecond_for_a_usual_message() -> None:
    words.warm()
    text = "Здравствуйте, заказывал у вас лампу на прошлой неделе, подскажите, пожалуйста, когда её привезут и можно ли вернуть?"
    checks = (wants_person, says_yes, says_no, words.is_greeting, words.is_thanks)
    began = time.perf_counter()
    for _ in range(200):
        for check in checks:
            check(text)
    # Ten times the budget: the figure is for a busy machine, the order of magnitude is what is held.
    assert (time.perf_counter() - began) / (200 * len(checks)) < 0.01


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("am i talkin to a chat bot?", "en"),
        ("it broke", "en"),
        ("my i do etogo pisali", "ru"),
        ("us ne vizhu zakaza", "ru"),
        ("hi, dostavka skolko", "ru"),
        ("id zakaza 1045", "ru"),
    ],
)
def test_small_words_of_one_language_decide_where_the_others_could_be_either(
    text: str, language: Language
) -> None:
    assert detect(text, languages=BOTH, previous="en" if language == "ru" else "ru") == language
