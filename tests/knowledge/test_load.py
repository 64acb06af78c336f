"""Files are hostile: each gives its words, or a typed fault with a remedy."""

import io
import zipfile
from pathlib import Path

import docx
import pytest
from fpdf import FPDF
from pypdf import PdfWriter

from knowledge.errors import Empty, KnowledgeFault, TooLarge, Unreadable
from knowledge.load import Limits, load, parse


def word_file(build=lambda document: None) -> bytes:
    document = docx.Document()
    build(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def pdf_file(*pages: list[tuple[str, int]]) -> bytes:
    pdf = FPDF()
    for page in pages:
        pdf.add_page()
        for text, size in page:
            pdf.set_font("Helvetica", size=size)
            pdf.multi_cell(0, size * 0.5, text, new_x="LMARGIN", new_y="NEXT")
            pdf.ln(4)
    return bytes(pdf.output())


def test_markdown_front_matter_gives_the_title_and_is_not_text():
    loaded = parse(
        "---\ntitle: Возврат\nowner: Анна\n---\n# Иначе\n\nТекст.".encode(), name="a.md", form="md"
    )
    assert loaded.title == "Возврат"
    assert "owner" not in loaded.text
    assert loaded.language == "ru"


def test_markdown_with_broken_front_matter_is_still_read():
    loaded = parse(b"---\n: [\n---\n# Title\n\nWords.", name="a.md", form="md")
    assert (loaded.title, loaded.language) == ("Title", "en")


def test_a_web_page_gives_its_main_content_without_menus_scripts_and_hidden_text():
    page = """<html><head><title>Оплата | Фонарь</title><script>var secret = 1</script></head><body>
    <nav><a href="/">Главная</a></nav><div hidden>Скрыто</div><main><h1>Оплата</h1><p>Принимаем <b>карты</b> и СБП.</p>
    <ul><li>Мир</li><li>Visa</li></ul><table><tr><th>Способ</th><th>Срок</th></tr><tr><td>СБП | QR</td><td>сразу</td></tr></table>
    </main><footer>© Фонарь</footer></body></html>"""
    loaded = parse(page.encode(), name="payment.html", form="html")
    assert loaded.title == "Оплата"
    assert "Принимаем карты и СБП." in loaded.text
    assert "- Мир" in loaded.text
    assert "| Способ | Срок |" in loaded.text
    for noise in ("Главная", "secret", "Скрыто", "©"):
        assert noise not in loaded.text


@pytest.mark.parametrize("tag", ["div", "header", "table", "nav"])
def test_a_page_nested_thirty_thousand_deep_is_read_in_linear_time(tag):
    page = f"<h1>Главное слово</h1>{f'<{tag}>' * 30_000}глубокое{f'</{tag}>' * 30_000}<p>Дальше</p>"
    loaded = parse(page.encode(), name="deep.html", form="html")
    assert "Дальше" in loaded.text


def test_a_word_file_keeps_headings_lists_and_tables():
    def build(document):
        document.add_heading("Гарантия", 1)
        document.add_paragraph("Гарантия на фонари — 24 месяца.")
        document.add_heading("Сервис", 2)
        table = document.add_table(rows=2, cols=2)
        for cell, text in zip(
            (*table.rows[0].cells, *table.rows[1].cells), ("Товар", "Срок", "Лампа", "год"), strict=True
        ):
            cell.text = text

    loaded = parse(word_file(build), name="warranty.docx", form="docx")
    assert loaded.title == "Гарантия"
    assert "## Сервис" in loaded.text
    assert "| Лампа | год |" in loaded.text


def test_a_pdf_keeps_pages_and_takes_larger_type_for_headings():
    data = pdf_file(
        [("Battery safety", 22), ("Storage", 15), ("Keep cells dry and cool.", 11)],
        [("Disposal", 15), ("Bring them back.", 11)],
    )
    loaded = parse(data, name="safety.pdf", form="pdf")
    assert loaded.title == "Battery safety"
    assert "## Storage" in loaded.text
    first, second = loaded.text.split("\f")
    assert "Keep cells dry" in first
    assert "Bring them back." in second


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"%PDF-1.7\n%broken", "pdf"),
        (pdf_file([("Words", 12)])[:400], "pdf"),
        (b"not a zip at all", "docx"),
        (word_file()[:900], "docx"),
        (b"\xff\xfe\x00", "txt"),
        (bytes(range(256)) * 4, "md"),
        (b"PK\x03\x04 not a workbook", "xlsx"),
    ],
)
def test_damaged_bytes_and_wrong_encodings_are_refused_with_a_remedy(data, form):
    with pytest.raises((Unreadable, Empty)) as caught:
        parse(data, name=f"a.{form}", form=form)
    assert caught.value.remedy
    assert caught.value.message.startswith(f"a.{form}:") or isinstance(caught.value, Empty)


def test_a_page_that_says_its_encoding_is_read_in_it():
    page = '<meta charset="windows-1251"><p>Возврат товара</p>'.encode("cp1251")
    assert "Возврат товара" in parse(page, name="old.html", form="html").text


def test_a_locked_pdf_is_refused():
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret")
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(Unreadable, match="password"):
        parse(out.getvalue(), name="locked.pdf", form="pdf")


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (word_file(), "docx"),
        (pdf_file([]), "pdf"),
        (b"", "md"),
        (b"\n --- \n ***\n", "md"),
        (b"<p></p>", "html"),
        (b"\0\0", "txt"),
    ],
)
def test_files_without_words_are_called_empty(data, form):
    with pytest.raises(Empty):
        parse(data, name=f"a.{form}", form=form)


def test_a_file_over_the_size_limit_is_not_even_opened(tmp_path: Path):
    file = tmp_path / "huge.pdf"
    with file.open("wb") as out:
        out.truncate(200_000_000)
    with pytest.raises(TooLarge, match="200 MB"):
        load(file)


def test_an_archive_that_explodes_is_refused_before_it_is_unpacked():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * 50_000_000)
    with pytest.raises(TooLarge, match="unpacks"):
        parse(out.getvalue(), name="bomb.docx", form="docx", limits=Limits(unpacked=10_000_000))
    with pytest.raises(TooLarge, match="unpacks"):
        parse(out.getvalue(), name="bomb.docx", form="docx", limits=Limits(ratio=100))


def test_an_archive_with_too_many_members_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for n in range(50):
            archive.writestr(f"word/{n}.xml", b"x")
    with pytest.raises(TooLarge):
        parse(out.getvalue(), name="many.docx", form="docx", limits=Limits(members=20))


def test_a_pdf_with_too_many_pages_is_refused():
    with pytest.raises(TooLarge, match="pages"):
        parse(pdf_file(*[[("Page", 12)]] * 6), name="long.pdf", form="pdf", limits=Limits(pages=5))


def test_an_entity_bomb_in_a_word_file_is_refused():
    bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    bomb += "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    source = zipfile.ZipFile(io.BytesIO(word_file()))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member in source.namelist():
            body = source.read(member)
            archive.writestr(
                member, (bomb + "]><a>&j;</a>").encode() if member == "word/document.xml" else body
            )
    with pytest.raises(KnowledgeFault):
        parse(out.getvalue(), name="bomb.docx", form="docx")


def test_control_characters_are_dropped_and_line_ends_made_one():
    loaded = parse("Одна\r\nдве\x00\x07 строки\u2028".encode(), name="a.txt", form="txt")
    assert loaded.text == "Одна\nдве строки"


def test_plain_text_signs_stay_words_and_do_not_become_markup():
    loaded = parse("# не заголовок\n2*2*2 <b> [x](y) | z\n1. раз".encode(), name="a.txt", form="txt")
    from knowledge.reading.markup import blocks

    found = blocks(loaded.text)
    assert [block.kind for block in found] == ["text"]
    assert found[0].text == "# не заголовок 2*2*2 <b> [x](y) | z 1. раз"


def test_a_format_nobody_reads_is_refused_by_name(tmp_path: Path):
    (tmp_path / "prices.odt").write_bytes(b"PK")
    with pytest.raises(Unreadable, match="odt"):
        load(tmp_path / "prices.odt")
