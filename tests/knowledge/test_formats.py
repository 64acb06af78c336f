"""Tables, archives, encodings, scans: what each gives, and what is said about what it does not."""

import csv
import io
import json
import time

import pytest
from pypdf import PdfWriter

from knowledge.errors import Empty, TooLarge, Unreadable
from knowledge.load import Limits, parse
from knowledge.reading.bundles import parts
from tests.knowledge.files import VBA, archive, endless_pdf, pdf, picture, with_member, word, workbook

FAQ = [
    ("№", "Вопрос", "Ответ"),
    (1, "Как вернуть лампу?", "В течение 14 дней.\nДеньги — на карту."),
    (2, "Где вы?", "На Фонарной, 7."),
]


def read(data: bytes, name: str, **limits):
    return list(parts(data, name=name, limits=Limits(**limits)))


def kinds(loaded) -> list[str]:
    return [note.kind for note in loaded.notes]


def test_a_workbook_with_questions_and_answers_becomes_headings_and_text():
    loaded = parse(workbook({"FAQ": FAQ}), name="faq.xlsx", form="xlsx")
    assert "## Как вернуть лампу?\n\nВ течение 14 дней.\n\nДеньги — на карту." in loaded.text
    assert "## Где вы?" in loaded.text
    assert loaded.language == "ru"
    assert [(note.kind, note.detail) for note in loaded.notes] == [("columns", "left out: №")]


def test_a_sheet_without_such_columns_stays_a_table_and_hidden_sheets_are_left_out():
    book = workbook(
        {"Сроки": [("Город", "Дней"), ("Москва", 2), ("Пермь", 3.0)], "Закупка": [("Цена", 100)]},
        hidden=["Закупка"],
    )
    loaded = parse(book, name="days.xlsx", form="xlsx")
    assert "| Город | Дней |\n| --- | --- |\n| Москва | 2 |\n| Пермь | 3 |" in loaded.text
    assert "Цена" not in loaded.text
    assert [(note.kind, note.where) for note in loaded.notes] == [("sheet", "Закупка")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "koi8-r", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_csv_is_read_in_any_usual_encoding_and_separator(encoding, mark):
    rows = (
        ["question", "answer"],
        ["Как оплатить заказ?", "Картой или по СБП."],
        ["Есть ли рассрочка?", "Да, на полгода."],
    )
    sheet = io.StringIO()
    csv.writer(sheet, delimiter=mark).writerows(rows)
    data = sheet.getvalue().encode(encoding)
    loaded = parse(data, name="faq.csv", form="csv")
    assert "## Как оплатить заказ?\n\nКартой или по СБП." in loaded.text
    assert "## Есть ли рассрочка?\n\nДа, на полгода." in loaded.text
    assert ("encoding" in kinds(loaded)) == (encoding in ("cp1251", "koi8-r"))


@pytest.mark.parametrize(
    ("encoding", "noted"),
    [("cp1251", "cp1251"), ("koi8-r", "koi8_r"), ("cp866", "cp866"), ("utf-16-le", "utf-16-le")],
)
@pytest.mark.parametrize(
    "text",
    ["Возврат", "# Возврат\n\nВернуть товар можно за 14 дней, деньги придут на карту.", "ДОСТАВКА ПО РОССИИ"],
)
def test_an_old_encoding_is_recognised_and_told(encoding, noted, text):
    loaded = parse(text.encode(encoding), name="old.md", form="md")
    assert text.split("\n")[-1] in loaded.text
    assert [(note.kind, note.detail) for note in loaded.notes] == [("encoding", noted)]


def test_a_file_of_two_encodings_is_read_line_by_line():
    data = "Первая строка в UTF-8.\n".encode() + "Вторая строка в старой кодировке.\n".encode("cp1251")
    loaded = parse(data, name="mixed.txt", form="txt")
    assert loaded.text == "Первая строка в UTF-8.\nВторая строка в старой кодировке."
    assert "mixed" in loaded.notes[0].detail


def test_english_typography_of_windows_is_read():
    loaded = parse("It’s “free” – until Friday, café included.".encode("cp1252"), name="a.txt", form="txt")
    assert "It’s “free” – until Friday" in loaded.text


def test_every_line_of_jsonl_is_a_document_and_a_bad_line_is_told_by_number():
    rows = [
        json.dumps(
            {"id": "pay-1", "title": "Оплата", "text": "Платите картой.", "language": "ru"},
            ensure_ascii=False,
        ),
        "{broken",
        json.dumps({"title": "Shipping", "text": "We ship on Mondays."}),
        json.dumps({"title": "Empty", "text": " "}),
        json.dumps({"id": "../../etc", "text": "Words of a bold id."}),
    ]
    found = read("\n".join(rows).encode(), "faq.jsonl")
    assert [(part.name, part.id, part.loaded is not None) for part in found] == [
        ("1", "pay-1", True),
        ("2", "", False),
        ("3", "faq-3", True),
        ("4", "", False),
        ("5", "etc", True),
    ]
    assert (found[0].loaded.title, found[0].language) == ("Оплата", "ru")
    assert "line 2" in found[1].reason


def test_a_zip_gives_its_good_members_and_a_reason_for_each_bad_one():
    bomb = b"0" * 5_000_000
    data = archive(
        {
            "ru/returns.md": "# Возврат\n\nЗа 14 дней.".encode(),
            "../../evil.md": b"# Evil\n\nwords",
            "/etc/passwd.md": b"# Root\n\nwords",
            "C:\\windows\\a.md": b"# Drive\n\nwords",
            "inner.zip": archive({"a.md": b"# A"}),
            "bomb.txt": bomb,
            "photo.heic": b"not read",
            "broken.pdf": b"%PDF-1.4 broken",
            "__MACOSX/ru/._returns.md": b"resource fork",
            "prices.csv": "question,answer\nСколько?,Сто рублей.\n".encode(),
        }
    )
    found = {part.name: part for part in read(data, "pack.zip", ratio=50)}
    assert {name for name, part in found.items() if part.loaded} == {"ru/returns.md", "prices.csv"}
    assert "leads out" in found["../../evil.md"].reason
    assert "leads out" in found["/etc/passwd.md"].reason
    assert "leads out" in found["C:\\windows\\a.md"].reason or "leads out" in found["C:/windows/a.md"].reason
    assert "inside an archive" in found["inner.zip"].reason
    assert "unpacks" in found["bomb.txt"].reason
    assert "not supported" in found["photo.heic"].reason
    assert "damaged" in found["broken.pdf"].reason
    assert len(found) == 9


def test_a_zip_that_lies_about_its_sizes_is_stopped_while_unpacking():
    data = bytearray(archive({"a.txt": b"a" * 3_000_000}))
    real, claimed = (3_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    data = data.replace(real, claimed)
    found = read(bytes(data), "lie.zip")
    assert found[0].loaded is None
    assert found[0].reason


def test_members_beyond_what_all_may_unpack_to_are_refused():
    data = archive({f"{n}.txt": (f"слово{n} " * 20_000).encode() for n in range(6)})
    found = read(data, "many.zip", unpacked=600_000, ratio=10_000)
    assert [part.loaded is not None for part in found] == [True, True, False, False, False, False]


def test_names_packed_by_russian_windows_are_read():
    data = archive({"x.md": "# Оплата\n\nКартой.".encode()}).replace(b"x.md", "ё.md".encode("cp866"))
    assert read(data, "old.zip")[0].name == "ё.md"


def test_a_zip_with_too_many_members_or_a_damaged_one_is_one_reason():
    many = archive({f"{n}.md": b"words" for n in range(30)})
    assert "30 files" in read(many, "many.zip", members=20)[0].reason
    assert "damaged" in read(many[:200], "cut.zip")[0].reason


def test_macros_are_told_and_the_words_are_read():
    data = with_member(
        word(lambda one: one.add_paragraph("Гарантия — два года.")), "word/vbaProject.bin", VBA
    )
    found = read(data, "warranty.docm")[0].loaded
    assert "Гарантия — два года." in found.text
    assert kinds(found) == ["macros"]
    book = with_member(workbook({"FAQ": FAQ}), "xl/vbaProject.bin", VBA)
    assert "macros" in kinds(read(book, "faq.xlsm")[0].loaded)


def test_scanned_pages_are_named():
    def draw(paper):
        for number in range(1, 10):
            paper.add_page()
            if number in (3, 7, 8, 9):
                paper.image(picture(), x=0, y=0, w=210)
            else:
                paper.multi_cell(0, 8, f"Page {number} has words about lamps and their care.")

    loaded = parse(pdf(draw), name="mixed.pdf", form="pdf")
    assert [(note.kind, note.detail) for note in loaded.notes] == [
        ("scan", "pages 3, 7–9 hold no text: a scan?")
    ]
    assert loaded.text.count("\f") == 8


def test_a_wholly_scanned_pdf_is_refused_by_name_and_not_silently_empty():
    def draw(paper):
        for _ in range(2):
            paper.add_page()
            paper.image(picture(), x=0, y=0, w=210)

    with pytest.raises(Empty, match="pages 1–2 hold no text: a scan"):
        parse(pdf(draw), name="scan.pdf", form="pdf")


def test_a_table_as_a_picture_is_told_in_every_format():
    def draw(paper):
        paper.add_page()
        paper.multi_cell(0, 8, "Our delivery prices are in the table below.")
        paper.image(picture(600, 400), w=120)

    assert kinds(parse(pdf(draw), name="a.pdf", form="pdf")) == ["picture"]
    assert parse(pdf(draw), name="a.pdf", form="pdf").notes[0].where == "pages 1"

    def build(document):
        document.add_paragraph("Цены в таблице ниже.")
        document.add_picture(picture(600, 400))

    assert kinds(parse(word(build), name="a.docx", form="docx")) == ["picture"]
    page = "<p>Цены ниже</p><img src='/img/price-table.png' alt='Таблица цен'>"
    assert kinds(parse(page.encode(), name="a.html", form="html")) == ["picture"]


def test_a_table_in_a_pdf_becomes_rows_of_cells():
    def draw(paper):
        paper.add_page()
        paper.multi_cell(0, 8, "Delivery times by region and carrier:", new_x="LMARGIN", new_y="NEXT")
        paper.ln(4)
        with paper.table() as table:
            for row in (
                ("City", "Days", "Price"),
                ("Moscow", "2", "290"),
                ("Perm and its region", "4", "390"),
            ):
                table.row(row)
        paper.ln(4)
        paper.multi_cell(0, 8, "Prices include packing.")

    text = parse(pdf(draw), name="a.pdf", form="pdf").text
    assert "| City | Days | Price |\n| --- | --- | --- |\n| Moscow | 2 | 290 |" in text
    assert "| Perm and its region | 4 | 390 |" in text
    assert text.endswith("Prices include packing.")


def test_a_cell_of_several_lines_is_one_cell():
    def draw(paper):
        paper.add_page()
        rows = (
            (["City"], "Days"),
            (["Moscow"], "2"),
            (["Perm and all of the", "villages around it"], "4"),
            (["Tver"], "3"),
        )
        y = 20.0
        for lines, days in rows:
            for n, line in enumerate(lines):
                paper.text(20, y + 5 * n, line)
            paper.text(120, y, days)
            y += 5 * len(lines) + 5

    text = parse(pdf(draw), name="a.pdf", form="pdf").text
    assert text.split("\n")[2:] == [
        "| Moscow | 2 |",
        "| Perm and all of the villages around it | 4 |",
        "| Tver | 3 |",
    ]


def test_a_pdf_of_ten_thousand_pages_is_refused_at_once():
    data = endless_pdf(10_000)
    started = time.perf_counter()
    with pytest.raises(TooLarge, match="10000 pages"):
        parse(data, name="long.pdf", form="pdf")
    assert time.perf_counter() - started < 30


def test_locked_truncated_and_empty_files_are_refused():
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret")
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(Unreadable, match="password"):
        parse(out.getvalue(), name="locked.pdf", form="pdf")
    whole = pdf(lambda paper: (paper.add_page(), paper.multi_cell(0, 8, "Words")))
    with pytest.raises((Unreadable, Empty)):
        parse(whole[:300], name="cut.pdf", form="pdf")
    for name, form in (("a.csv", "csv"), ("a.txt", "txt"), ("a.html", "html")):
        with pytest.raises(Empty):
            parse(b"", name=name, form=form)
    for name in ("a.zip", "a.jsonl", "a.xlsx", "a.docx", "a.pdf"):
        assert read(b"", name)[0].reason


def test_an_old_office_file_under_a_new_name_is_told_as_such():
    with pytest.raises(Unreadable, match="old or password-protected"):
        parse(VBA, name="a.docx", form="docx")


def test_a_workbook_that_explodes_is_refused():
    with pytest.raises(TooLarge, match="unpacks"):
        parse(archive({"xl/workbook.xml": b"0" * 60_000_000}), name="bomb.xlsx", form="xlsx")
