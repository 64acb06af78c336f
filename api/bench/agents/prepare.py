"""What all agents of a comparison get: the pack imported once into a data folder, questions with what a search found."""

import asyncio
from collections.abc import Sequence

from api.bench.agents.port import Asked
from api.container import open_building
from api.migrate import migrate
from api.serving import furnish
from api.settings import Settings
from knowledge.types import Query, Retrieval, title_of


async def prepared(settings: Settings, questions: Sequence[tuple[str, str]], *, k: int) -> tuple[Asked, ...]:
    """Import the company's pack into `settings.data`; return the questions with the k passages found for each."""
    settings.data.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(migrate, settings.database_url)
    async with open_building(settings) as building:
        await furnish(building)
        found = [
            await building.library.search(Query(text, language="en" if language == "en" else "ru", k=k))
            for text, language in questions
        ]
    return tuple(
        Asked(question=text, language=language, evidence=_rows(one))
        for (text, language), one in zip(questions, found, strict=True)
    )


def _rows(found: Retrieval) -> tuple[dict[str, str], ...]:
    return tuple(
        {"ref": str(hit.passage.id), "title": title_of(hit.passage), "text": hit.passage.text}
        for hit in found.hits
    )
