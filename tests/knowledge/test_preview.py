"""What a change would do to answers: the verdicts, and the library with a draft laid over it."""

import pytest

from knowledge.catalogue import hash_of
from knowledge.embed.fake import FakeEmbedder
from knowledge.errors import Empty, UnknownDocument
from knowledge.preview import Asked, Cited, Gold, Told, preview, verdict
from knowledge.types import DocumentId, Query
from tests.knowledge.shelf import opened, sqlite, write

RETURNS = DocumentId("returns")
NEW = "# Возврат товара\n\n## Сроки возврата\n\nВернуть товар можно в течение 30 дней после получения.\n"


class CountingEmbedder(FakeEmbedder):
    """Counts the texts of documents it encodes."""

    read = 0

    def passages(self, texts):
        self.read += len(texts)
        return super().passages(texts)


def asked(text="Как вернуть?", *, gold=None, origin="customer", context=()):
    return Asked(text=text, language="ru", origin=origin, gold=gold, context=context)


def told(text="", *, outcome="answered", document="returns", quote="14 дней", words="", confidence=0.8):
    cited = (
        Cited(document=DocumentId(document), passage=f"{document}#1", title="", quote=quote, words=words),
    )
    return Told(outcome=outcome, text=text or quote, citations=cited, confidence=confidence)


SILENT = Told(outcome="escalated", text="…", confidence=0.2)
GOLD = Gold(documents=(RETURNS,), contains="14 дней")


@pytest.mark.parametrize(
    ("gold", "before", "after", "expected"),
    [
        (GOLD, told("a"), told("b", quote="иное", words="иное"), ("worse", "gold_lost")),
        (GOLD, told("a", document="delivery"), told("b"), ("better", "gold_found")),
        (GOLD, told("a"), told("b"), ("unknown", "gold_kept")),
        (GOLD, SILENT, told("b", document="delivery"), ("better", "answers_now")),
        (Gold(outside=True), SILENT, told("b"), ("worse", "outside_answered")),
        (Gold(outside=True), told("a"), SILENT, ("better", "outside_declined")),
        (Gold(), SILENT, told("b"), ("better", "answers_now")),
        (None, told("a"), SILENT, ("worse", "answers_no_more")),
        (None, SILENT, told("b"), ("better", "answers_now")),
        (None, told("a"), told("b", outcome="clarify"), ("worse", "answers_no_more")),
        (None, told("a", confidence=0.6), told("b", confidence=0.8), ("better", "surer")),
        (None, told("a", confidence=0.9), told("b", confidence=0.7), ("worse", "less_sure")),
        (None, told("a", confidence=0.80), told("b", confidence=0.85), ("unknown", "other_words")),
        (None, told("a", confidence=None), told("b"), ("unknown", "other_words")),
    ],
)
def test_a_verdict_follows_gold_then_scope_then_outcome_then_confidence(gold, before, after, expected):
    assert verdict(asked(gold=gold), before, after) == expected


async def run(questions, before, after, **more):
    async def ask(answers, question):
        return answers[question.text]

    return await preview(
        questions,
        document=RETURNS,
        version=2,
        before=lambda question: ask(before, question),
        after=lambda question: ask(after, question),
        **more,
    )


async def test_only_answers_that_read_differently_are_differences_and_the_worst_come_first():
    same = {"same": told("a"), "up": SILENT, "down": told("a")}
    other = {"same": told("A ", confidence=0.7), "up": told("b"), "down": SILENT}
    seen = []
    found = await run(
        [asked("same"), asked("up"), asked("down")],
        same,
        other,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert [one.question.text for one in found.differences] == ["down", "up"]
    assert (found.unchanged, found.asked) == (1, 3)
    assert found.counts == {"worse": 1, "unknown": 0, "better": 1}
    assert seen == [(1, 3), (2, 3), (3, 3)]


async def test_a_new_version_alone_changes_no_answer_although_its_passages_have_new_names():
    before = told("a")
    renamed = Told(
        outcome="answered",
        text="a",
        citations=(Cited(document=RETURNS, passage="returns@2#1", title="", quote="14 дней"),),
        confidence=0.8,
    )
    assert (await run([asked("q")], {"q": before}, {"q": renamed})).unchanged == 1


async def test_a_question_is_asked_once_and_the_one_whose_answer_is_known_counts():
    before, after = {"Вопрос": told("a"), "вопрос ": told("a")}, {"Вопрос": SILENT, "вопрос ": SILENT}
    found = await run([asked("Вопрос"), asked("вопрос ", gold=GOLD, origin="pack")], before, after)
    assert found.asked == 1
    assert found.differences[0].why == "gold_lost"


async def test_whole_passages_are_not_kept_with_a_difference():
    found = await run([asked("q", gold=GOLD)], {"q": told("a", words="14 дней")}, {"q": SILENT})
    assert found.differences[0].before.citations[0].words == ""


@pytest.fixture
async def library(tmp_path):
    embedder = CountingEmbedder()
    async with opened(sqlite(tmp_path), embedder=embedder) as library:
        await library.import_path(write(tmp_path / "kb"))
        library.embedder = embedder
        yield library


async def drafted(library, text=NEW):
    return await library.save_draft(RETURNS, text, title="Возврат товара", language="ru", by="anna")


async def rows(engine):
    async with engine.connect() as connection:
        tables = ("kb_documents", "kb_versions", "kb_passages", "kb_events", "kb_revision")
        return [
            hash_of(str((await connection.exec_driver_sql(f"SELECT * FROM {table}")).all()))
            for table in tables
        ]


async def test_with_the_draft_its_words_are_found_and_the_live_ones_are_not(library):
    await drafted(library)
    overlay = await library.overlay(RETURNS)
    found = await overlay.search(Query("В течение скольких дней можно вернуть товар?"))
    assert found.hits[0].passage.id == "returns@2#1"
    assert "30 дней" in found.hits[0].passage.text
    assert not any(hit.passage.id.startswith("returns#") for hit in found.hits)
    assert await overlay.live(["returns#1", "returns@2#1", "delivery#1"]) == {
        "returns@2#1": overlay.passages[0],
        **await library.live(["delivery#1"]),
    }


async def test_looking_ahead_changes_neither_the_database_nor_what_is_found(library, tmp_path):
    await drafted(library)
    question = "Сколько дней на возврат?"
    before, kept = await library.search(Query(question)), await rows(library.catalogue._engine)
    await (await library.overlay(RETURNS)).search(Query(question))
    after = await library.search(Query(question))
    assert [(hit.passage.id, hit.score) for hit in after.hits] == [
        (hit.passage.id, hit.score) for hit in before.hits
    ]
    assert await rows(library.catalogue._engine) == kept
    assert (await library.check()).ok


async def test_what_is_seen_ahead_is_what_publishing_brings(library):
    await drafted(library)
    overlay = await library.overlay(RETURNS)
    questions = [
        "Сколько дней на возврат?",
        "Сколько стоит курьер?",
        "How long is a gift card valid?",
        "FN-204-BK",
    ]
    ahead = [await overlay.search(Query(question)) for question in questions]
    await library.publish(RETURNS, by="anna")
    for question, seen in zip(questions, ahead, strict=True):
        found = await library.search(Query(question))
        assert [hit.passage for hit in found.hits] == [hit.passage for hit in seen.hits]
        assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in seen.hits], abs=1e-4)
        assert found.confidence == pytest.approx(seen.confidence, abs=1e-4)


async def test_publishing_after_a_preview_embeds_nothing_again(library):
    await drafted(library)
    await library.overlay(RETURNS)
    read = library.embedder.read
    assert read > 0
    await library.publish(RETURNS, by="anna")
    assert library.embedder.read == read


async def test_a_draft_for_staff_is_not_found_by_customers(library):
    await library.describe(RETURNS, audience="staff", department=None, valid_from=None, valid_until=None)
    await drafted(library)
    overlay = await library.overlay(RETURNS)
    assert not any(
        hit.passage.document == RETURNS
        for hit in (await overlay.search(Query("возврат товара 30 дней"))).hits
    )
    staff = await overlay.search(Query("возврат товара 30 дней", audience="staff"))
    assert staff.hits[0].passage.document == RETURNS


async def test_a_draft_of_a_new_document_can_be_looked_at(library):
    await library.save_draft(
        DocumentId("gifts"),
        "# Упаковка\n\nУпаковка в подарок стоит 90 ₽.",
        title="Упаковка",
        language="ru",
        by="a",
    )
    overlay = await library.overlay(DocumentId("gifts"))
    assert (await overlay.search(Query("сколько стоит упаковка в подарок"))).hits[
        0
    ].passage.document == "gifts"
    assert not (await library.live([overlay.passages[0].id]))


async def test_what_cannot_be_published_cannot_be_looked_at(library):
    with pytest.raises(UnknownDocument):
        await library.overlay(DocumentId("nothing"))
    with pytest.raises(UnknownDocument):
        await library.overlay(RETURNS, version=9)
    with pytest.raises(Empty):
        await drafted(library, "—")
