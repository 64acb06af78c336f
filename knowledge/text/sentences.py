"""Where sentences end, in Russian and English. Pure.

A full stop does not end a sentence after an abbreviation, an initial or inside a number.
"""

import re

_ENDS = re.compile(r"(?<=[.!?…])[»\"”)\]]*\s+(?=[«\"“(\[]?[A-ZА-ЯЁ0-9№])|(?<=[.!?…])\s*\n+|\n+")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(«\"])(?:[А-ЯЁA-Z]|т|г|гг|ул|д|корп|кв|стр|оф|пом|эт|м|р|руб|коп|тыс|млн|млрд|мин|макс|им|обл|пр|просп|пер|"
    r"тел|доб|напр|см|рис|табл|п|пп|ст|ч|шт|кг|др|прим|в т|т\.\s?[едпкнч]|и т|e\.g|i\.e|etc|mr|mrs|ms|dr|no|vs|approx|"
    r"inc|ltd|fig|vol|min|max|st|jr|sr|dept|ext)\.$",
    re.IGNORECASE,
)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text in order, stripped, none empty; a line break always ends one.

    Joined back and with white space removed, they are the text with white space removed.
    """
    out: list[str] = []
    start = 0
    for match in _ENDS.finditer(text):
        piece = text[start : match.start()]
        broken = "\n" in match.group()
        closing = match.group().rstrip()
        if not broken and _ABBREVIATION.search(piece[-24:]) and not closing:
            continue
        out.append((piece + closing).strip())
        start = match.end()
    out.append(text[start:].strip())
    return [sentence for sentence in out if sentence]
