"""A name a company gives to a thing, in both languages."""

from dataclasses import dataclass

from tools.context import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Bilingual:
    """The two names of one thing."""

    ru: str
    en: str

    def said(self, language: Language) -> str:
        return self.ru if language == "ru" else self.en
