"""A wrong context is made of questions about something else, in the same language, the same every time."""

from evals.strangers import after_strangers
from knowledge.records import Question
from knowledge.types import DocumentId, Passage, PassageId


def passage(name: str, document: str) -> Passage:
    return Passage(
        id=PassageId(name), document=DocumentId(document), title="", heading="", text="…", language="ru", n=1,
        tokens=1,
    )  # fmt: skip


PASSAGES = [passage("a#1", "a"), passage("a#2", "a"), passage("b#1", "b"), passage("c#1", "c")]
ASKED = [
    Question(qid="1", text="вопрос о доставке", gold=frozenset({"a#1"})),
    Question(qid="2", text="ещё вопрос о доставке", gold=frozenset({"a#2"})),
    Question(qid="3", text="вопрос о возврате", gold=frozenset({"b#1"})),
    Question(qid="4", text="вопрос о гарантии", gold=frozenset({"c#1"})),
    Question(qid="5", text="a question about warranty", gold=frozenset({"c#1"})),
    Question(qid="6", text="вопрос без ответа"),
]


def test_strangers_are_about_other_documents_and_in_the_same_language():
    told = after_strangers(ASKED, passages=PASSAGES)
    assert set(told[0].context) == {"вопрос о возврате", "вопрос о гарантии"}
    assert told[4].context == ()
    assert len(told[5].context) == 2
    assert [one.text for one in told] == [one.text for one in ASKED]


def test_the_same_questions_get_the_same_strangers():
    assert after_strangers(ASKED, passages=PASSAGES) == after_strangers(ASKED, passages=PASSAGES)
