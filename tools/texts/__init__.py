"""The room's own sentences: ru.toml and en.toml, read with `Phrases(TEXTS, timezone=…)`."""

from pathlib import Path

TEXTS = Path(__file__).parent
