"""The company's voice: what does not leave, and that none of our own texts is against it."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from agent.domain import Draft, Sentence
from agent.language import dictionary
from agent.pack import Voice, load_pack
from agent.policy.voice import fitting, other_language, plurals, voice_of
from tools.context import Language
from tools.phrases import Phrases

ROOT = Path(__file__).resolve().parents[2]
PACK = load_pack(ROOT / "demo")
VOICE = PACK.company.voice
FRIENDLY = Voice(formality="ты", tone={"ru": "Тепло."}, emoji="few")
FOLDERS = ("agent/texts", "tools/texts", "api/shop_page/texts")


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("Товар можно вернуть за 14 дней.", None),
        ("Вы уверены, что хотите отменить?", None),
        ("Вы уверена?", "one_sex"),
        ("Вы уже сделал заказ.", "one_sex"),
        ("Готов(а) помочь.", "one_sex"),
        ("Ты можешь вернуть товар.", "address"),
        ("Твой заказ в пути.", "address"),
        ("Можешь вернуть товар.", "address"),
        ("Напиши нам.", "address"),
        ("Лишь бы успеть к празднику.", None),
        ("Нажмите «Напиши мне».", None),
        ("В заказе 5 товара.", "plural"),
        ("Ждём 2 дней.", "plural"),
        ("Осталось 21 дня.", "plural"),
        ("Через 1 минуту ответим.", None),
        ("В течение 2 дней.", None),
        ("До 3 часов.", None),
        ("Рады помочь 😊.", "emoji"),
        ("Рады помочь :)", "emoji"),
        ("Заказ оформлен!", "exclamation"),
        ("Ожидайте звонка.", "forbidden_words"),
        ("Your order is on its way.", "other_language"),
        ("Фонарь Fenix HM70R и лампа Philips Hue White есть.", None),
        ("Возвраты: returns@fonar.example, опт: opt@fonar.example.", None),
    ],
)
def test_a_russian_sentence_is_held_against_the_voice(sentence: str, fault: str | None) -> None:
    assert voice_of(sentence, voice=VOICE, language="ru") == fault


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("The order is on its way.", None),
        ("The order goes to 603073, Нижний Новгород, ул. Лесная, д. 12.", None),
        ("Open «Мои данные» in the menu.", None),
        ("Заказ в пути.", "other_language"),
        ("Your order сейчас на складе и скоро будет отправлен.", "other_language"),
        ("As soon as possible.", "forbidden_words"),
        ("Great!", "exclamation"),
    ],
)
def test_an_english_sentence_is_held_against_the_voice(sentence: str, fault: str | None) -> None:
    assert voice_of(sentence, voice=VOICE, language="en") == fault


def test_a_company_may_be_on_first_name_terms_and_smile_once() -> None:
    assert voice_of("Твой заказ в пути 🙂!", voice=FRIENDLY, language="ru") is None
    assert voice_of("Твой заказ 🙂🙂.", voice=FRIENDLY, language="ru") == "emoji"
    assert voice_of("Ваш заказ в пути.", voice=FRIENDLY, language="ru") == "address"
    assert voice_of("Ты сделала заказ.", voice=FRIENDLY, language="ru") == "one_sex"


def test_a_draft_loses_what_is_not_in_the_voice_and_keeps_the_reasons() -> None:
    draft = Draft(
        kind="clarify",
        sentences=(Sentence(text="Товар вернуть можно."), Sentence(text="Ты молодец.")),
        options=("Заказ 1051", "Order one"),
    )
    found = fitting(draft, voice=VOICE, language="ru")
    assert [s.text for s in found.draft.sentences] == ["Товар вернуть можно."]
    assert found.dropped == ("address: Ты молодец.",)
    assert found.draft.options == ("Заказ 1051", "Order one")
    assert fitting(draft, voice=VOICE, language="en").draft.options == ("Order one",)


def texts(folder: str, language: Language) -> list[tuple[str, str]]:
    """Every text of a folder that a customer reads, by key."""
    phrases = Phrases(ROOT / folder)
    table = tomllib.loads((ROOT / folder / f"{language}.toml").read_text("utf-8"))
    found: list[tuple[str, str]] = []

    def walk(node: dict[str, object], prefix: str) -> None:
        for name, value in node.items():
            if isinstance(value, dict):
                walk(value, f"{prefix}{name}.")
            elif isinstance(value, str) and phrases.has(f"{prefix}{name}", language):
                found.append((f"{prefix}{name}", value))

    walk(table, "")
    return found


OURS = [
    pytest.param(folder, language, id=f"{folder}-{language}")
    for folder in FOLDERS
    for language in ("ru", "en")
]
PLACE = re.compile(r"\{[^{}]*\}")
PLURAL = re.compile(r"\{\w+:(?:plural|word) ([^{}]+)\}")


@pytest.mark.parametrize(("folder", "language"), OURS)
def test_our_own_texts_are_in_the_voice(folder: str, language: Language) -> None:
    for key, text in texts(folder, language):
        bare = PLACE.sub("1", text)
        fault = voice_of(bare, voice=VOICE, language=language)
        # The first greeting says hello, and a brand name alone is no language.
        allowed = {"exclamation"} if key.startswith(("disclosure.", "page.", "shop.")) else set()
        assert fault is None or fault in allowed, (key, text, fault)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_widget_and_the_pack_speak_in_the_voice(language: Language) -> None:
    widget = json.loads((ROOT / f"api/widget/texts.{language}.json").read_text("utf-8"))
    own = [text for text in widget.values() if isinstance(text, str)]
    own += [purpose.text[language] for purpose in PACK.purposes.values()]
    own += [purpose.gives[language] for purpose in PACK.purposes.values()]
    own += [line.name[language] for line in PACK.company.helplines]
    own += [*PACK.quick_replies[language], *(d.to[language] for d in PACK.departments)]
    for text in own:
        assert voice_of(PLACE.sub("1", text), voice=VOICE, language=language) in (None, "exclamation"), text


CASES = ("nomn", "accs", "gent", "datv", "ablt", "loct")


def agree(forms: list[str], noun: str, case: str) -> bool:
    """Whether the forms are those after 1, 2 and 5 where the noun stands in this case."""
    counted = {"nomn": ("gent sing", "gent plur"), "accs": ("gent sing", "gent plur")}
    wanted = (f"{case} sing", *counted.get(case, (f"{case} plur",) * 2))
    return all(
        any(p.normal_form == noun and set(tags.split()) in p.tag for p in dictionary().parse(form))
        for form, tags in zip(forms, wanted, strict=True)
    )


@pytest.mark.parametrize("folder", ["agent/texts", "tools/texts"])
def test_plural_forms_in_our_texts_are_those_of_the_dictionary(folder: str) -> None:
    checked = 0
    for key, text in texts(folder, "ru"):
        for match in PLURAL.finditer(text):
            forms = [form.strip().split()[-1] for form in match[1].split("|")]
            noun = next((p for p in dictionary().parse(forms[0]) if p.tag.POS == "NOUN"), None)
            if noun is None:
                continue
            assert any(agree(forms, noun.normal_form, case) for case in CASES), (key, forms)
            checked += 1
    assert checked


def test_departments_are_named_in_the_case_they_are_said_in() -> None:
    for department in PACK.departments:
        said = department.to["ru"].split()
        into = said[0] in ("в", "во", "на")
        head = dictionary().parse(said[1] if into else said[0])
        case = "accs" if into else "datv"
        assert any(parse.tag.case == case for parse in head), department.to["ru"]


def test_what_is_counted_in_the_documents_is_counted_right() -> None:
    assert plurals("Храним 7 дней, в постамате 3 дня, гарантия 24 месяца, 21 день, 5 товаров") == ()
    assert plurals("Заказ 1045 товары, пункт 5 правил, 5 ноября") == ()
    assert other_language("Разрешить", "en")
    assert not other_language("OK", "ru")
