"""A library for tests: SQLite or PostgreSQL, fake embedder, indexes in memory."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from knowledge.embed.fake import FakeEmbedder
from knowledge.index.memory import MemoryIndexes
from knowledge.index.port import OpenIndex
from knowledge.keeping.tables import create_tables
from knowledge.library import Library

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

DOCUMENTS = {
    "ru/returns.md": "# Возврат товара\n\n## Сроки возврата\n\nВернуть товар можно в течение 14 дней после получения. "
    "Деньги вернутся на карту.\n\n## Что вернуть нельзя\n\nНе принимаем обратно отрезанные ленты и гирлянды на метраж.\n",
    "ru/delivery.md": "# Доставка\n\n## Курьер\n\nКурьер по Нижнему Новгороду стоит 290 ₽ и приезжает на следующий день.\n\n"
    "## Ёлочные гирлянды\n\nЁлочные гирлянды доставляем в жёсткой коробке.\n",
    "ru/lamps.md": "# Налобные фонари\n\n## Модель FN-204\n\nФонарь FN-204-BK светит 400 люмен и выдерживает дождь.\n\n"
    "## Модель FN-310\n\nФонарь FN-310 светит 900 люмен, его нельзя погружать в воду.\n",
    "en/returns.md": "# Returns\n\n## How long you have\n\nYou may return goods within 14 days after you received them.\n",
    "en/gift-cards.md": "# Gift cards\n\n## How long a gift card lives\n\nA gift card is valid for one year from purchase.\n",
}


def write(folder: Path, documents: dict[str, str] = DOCUMENTS) -> Path:
    """Write documents into a folder and return it."""
    for name, text in documents.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def sqlite(folder: Path) -> AsyncEngine:
    return create_async_engine(f"sqlite+aiosqlite:///{folder / 'kb.db'}")


@asynccontextmanager
async def opened(
    engine: AsyncEngine,
    *,
    embedder: FakeEmbedder | None = None,
    index: OpenIndex | None = None,
    clock: Callable[[], datetime] = lambda: NOW,
) -> AsyncIterator[Library]:
    """An open library; the engine is disposed of at the end."""
    await create_tables(engine)
    library = Library(
        engine, embedders=[embedder or FakeEmbedder()], index=index or MemoryIndexes(), clock=clock
    )
    await library.open()
    try:
        yield library
    finally:
        await library.close()
        await engine.dispose()
