"""Ask it: what would be found and answered if the newest text were published, beside what is answered today."""

from dataclasses import dataclass

from fastapi import APIRouter, Response

from api.console.page import PageRoute
from api.console.sheet import sheet
from api.console.visit import CuratorSent
from api.curation import Curation
from knowledge.language import language_of
from knowledge.preview import Asked, Told
from knowledge.types import DocumentId, Query

router = APIRouter(prefix="/console/knowledge/{document}", route_class=PageRoute)
FOUND = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The same question, asked today and with the draft."""

    before: Told
    after: Told


@router.post("/ask")
async def ask(document: str, sent: CuratorSent) -> Response:
    """Play one question through, without a customer; nothing of it is kept."""
    visit = sent.visit
    question = " ".join(sent.text("question", most=500).split())
    if not any(letter.isalnum() for letter in question):
        return await sheet(visit, document, trouble="no_question", status=422)
    curation = Curation(visit.house.building)
    overlay = await visit.house.building.library.overlay(DocumentId(document))
    asked = Asked(text=question, language=language_of(question), origin="pack")
    before, after = curation.asks(overlay)
    answers = Answers(before=await before(asked), after=await after(asked))
    found = await overlay.search(Query(question, language=asked.language, k=FOUND, audience="customer"))
    told = {"question": question, "answers": answers, "hits": found.hits, "depth": curation.depth}
    return await sheet(visit, document, asked=told)
