"""How a row of a system is told: in the pack's sentences, values in the customer's words, nothing that is not there."""

from collections.abc import Mapping
from typing import Any

from tools.answer import MAX_CHARS
from tools.context import Language
from tools.errors import Unavailable
from tools.openapi.mapped import Mapped
from tools.outside.shape import one_line
from tools.phrases import PhraseFault


class Telling:
    """Tells the rows of one tool."""

    def __init__(self, tool: Mapped) -> None:
        self._tool = tool

    def row(self, row: Mapping[str, Any], language: Language) -> tuple[str, ...]:
        """Return the sentences whose values are all there; a row of which nothing can be told is no answer."""
        values = self._said(row, language)
        told = [
            said
            for n in range(len(self._tool.reading.tell[language]))
            if (said := self._sentence(n, values, language))
        ]
        if not told:
            raise Unavailable(f"{self._tool.server}: nothing of an answer to {self._tool.name} can be told")
        return tuple(told)

    def known(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the values that are there."""
        return {name: value for name, value in row.items() if value not in (None, "", [], {})}

    def empty(self, language: Language) -> str:
        """Return what is said of an empty list."""
        own, phrases = f"empty.{self._tool.name}", self._tool.phrases
        return phrases.say(own if phrases.has(own, language) else "result.none", language)

    def more(self, language: Language) -> str:
        """Return what is said of a list that goes on."""
        return self._tool.phrases.say("result.more", language)

    def _said(self, row: Mapping[str, Any], language: Language) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in self.known(row).items():
            words = self._tool.reading.words.get(name, {}).get(str(value))
            if words is not None:
                values[name] = words[language]
            elif isinstance(value, list):
                shown = [
                    one_line(each, most=MAX_CHARS) for each in value if isinstance(each, str | int | float)
                ]
                values[name] = ", ".join(shown)
            elif isinstance(value, str):
                values[name] = one_line(value, most=MAX_CHARS)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                values[name] = value
        return values

    def _sentence(self, n: int, values: Mapping[str, Any], language: Language) -> str:
        key, phrases = f"tell.{self._tool.name}.{n}", self._tool.phrases
        if any(values.get(place.name) in (None, "") for place in phrases.placeholders(key, language)):
            return ""
        try:
            return phrases.say(key, language, **values)
        except PhraseFault:
            # A day that is none, a sum that is text: it is left out, not guessed.
            return ""
