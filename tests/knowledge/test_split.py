"""Passages: nothing is lost, nothing grows too long, sentences and rows stay whole."""

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.split import HARD, MOST, split
from knowledge.text.sentences import sentences
from knowledge.text.tokens import count
from knowledge.types import DocumentId

words = st.text(alphabet="абвгдежзиклмнопрст", min_size=1, max_size=12)
sentence = st.lists(words, min_size=1, max_size=20).map(lambda found: " ".join(found).capitalize() + ".")
paragraph = st.lists(sentence, min_size=1, max_size=12).map(" ".join)
section = st.tuples(words, st.lists(paragraph, max_size=5))


def pieces(text: str, title: str = "Документ"):
    return split(text, document=DocumentId("doc"), title=title, language="ru")


def markdown(sections) -> str:
    return "\n\n".join("\n\n".join([f"## {heading}", *paragraphs]) for heading, paragraphs in sections)


@given(st.lists(section, min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_every_word_is_in_a_passage_in_order_and_no_passage_is_too_long(sections):
    found = pieces(markdown(sections))
    wanted = "".join("".join(paragraphs) if paragraphs else heading for heading, paragraphs in sections)
    said = "".join(passage.text for passage in found)
    assert "".join(said.split()) == "".join(wanted.split())
    for passage in found:
        assert passage.tokens <= HARD
        # What joins two sentences may be a token of its own.
        said = len(sentences(passage.text))
        assert passage.tokens < MOST + said or said == 1


@given(st.lists(section, min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_sentences_are_never_cut(sections):
    whole = {one for _, paragraphs in sections for text in paragraphs for one in sentences(text)}
    for passage in pieces(markdown(sections)):
        if passage.text != passage.heading:
            assert set(sentences(passage.text)) <= whole


@given(st.text(max_size=600))
@settings(max_examples=150, deadline=None)
def test_any_text_at_all_is_cut_without_a_fault_and_numbered_from_one(text):
    found = pieces(text)
    assert [passage.n for passage in found] == list(range(1, len(found) + 1))
    assert all(passage.text.strip() for passage in found)


@given(st.text(alphabet='аб .!?…»"\nАБ1', max_size=200))
@settings(max_examples=150, deadline=None)
def test_sentences_joined_are_the_text(text):
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


def test_abbreviations_and_numbers_do_not_end_a_sentence():
    text = "Стоит 1 500 руб. в г. Москве, т. е. дороже на 3.5 %. Доставим 24 ноября."
    assert sentences(text) == ["Стоит 1 500 руб. в г. Москве, т. е. дороже на 3.5 %.", "Доставим 24 ноября."]


def test_the_path_of_headings_travels_with_each_passage_and_the_title_is_not_repeated():
    found = pieces(
        "# Доставка\n\nВводная.\n\n## Курьер\n\nПривезёт.\n\n### Сроки\n\nЗавтра.\n\n## Почта\n\nДолго.",
        "Доставка",
    )
    assert [(passage.heading, passage.text) for passage in found] == [
        ("", "Вводная."),
        ("Курьер", "Привезёт."),
        ("Курьер › Сроки", "Завтра."),
        ("Почта", "Долго."),
    ]
    assert {passage.title for passage in found} == {"Доставка"}
    assert found[2].id == "doc#3"


def test_a_long_table_is_cut_between_rows_and_every_piece_has_the_header():
    rows = "\n".join(f"| Город номер {n} | {n * 10} ₽ | {n} дней |" for n in range(1, 60))
    found = pieces(f"## Цены\n\n| Город | Цена | Срок |\n| --- | --- | --- |\n{rows}")
    assert len(found) > 1
    assert all(passage.text.startswith("| Город | Цена | Срок |\n") for passage in found)
    said = [line for passage in found for line in passage.text.split("\n")[1:]]
    assert said == rows.split("\n")


def test_a_sentence_longer_than_the_hard_limit_is_cut_between_words():
    text = " ".join(f"слово{n}" for n in range(2_000))
    found = pieces(text)
    assert " ".join(passage.text for passage in found) == text
    assert all(passage.tokens <= HARD for passage in found)


def test_a_hundred_kilobytes_without_a_space_are_cut_too():
    found = pieces("й" * 100_000)
    assert "".join("".join(passage.text.split()) for passage in found) == "й" * 100_000
    assert all(passage.tokens <= HARD for passage in found)


def test_pages_of_a_paged_source_are_counted_from_one():
    found = pieces("## Раз\n\nПервая.\f## Два\n\nВторая.")
    assert [(passage.text, passage.page) for passage in found] == [("Первая.", 1), ("Вторая.", 2)]
    assert pieces("Одна.")[0].page is None


def test_a_section_is_filled_evenly_instead_of_leaving_a_short_tail():
    text = "\n\n".join(f"Предложение номер {n} о доставке заказа курьером до двери." for n in range(24))
    sizes = [passage.tokens for passage in pieces(text)]
    assert len(sizes) > 1
    assert min(sizes) > max(sizes) / 2


def test_a_heading_that_nothing_follows_is_kept_and_a_heading_of_parts_is_not():
    found = pieces("## Работаем без выходных\n\n## Части\n\n### Первая\n\nТекст.")
    assert [passage.text for passage in found] == ["Работаем без выходных", "Текст."]


def test_markup_is_read_and_not_shown():
    found = pieces("Нажмите **«Вернуть»** в [заказе](https://x.example/a), затем `ОК`.\n\n- раз\n- два")
    assert found[0].text == "Нажмите «Вернуть» в заказе, затем ОК.\n— раз\n— два"


def test_special_token_spellings_count_as_plain_text():
    assert count("<|endoftext|>") > 1
