"""Values of the generated set, as people write them: in digits and in words, with blanks, dots and slips. All from one seed.

What is checked by a control digit has a right one, but for slips, which are rare and always beside the word that says
what the number is.
"""

import string
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from agent.privacy.russian import dictionary

PEOPLE = Path(__file__).with_name("people.toml")
_SPOKEN = Path(__file__).with_name("spoken.toml")
_MAIL = (
    "mail.ru",
    "yandex.ru",
    "gmail.com",
    "bk.ru",
    "outlook.com",
    "company-spb.ru",
    "example.co.uk",
    "proton.me",
)


class Values:
    """Makes one value after another; equal seeds make equal ones."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._people: Mapping[str, Any] = tomllib.loads(PEOPLE.read_text("utf-8"))
        self._spoken: Mapping[str, Any] = tomllib.loads(_SPOKEN.read_text("utf-8"))

    def make(self, kind: str, *, language: str, case: str = "") -> str:
        """Return a value of one kind. Raises `KeyError` for a kind nobody makes."""
        makers: Mapping[str, Callable[[], str]] = {
            "phone": lambda: self._phone(language),
            "email": lambda: self._email(language),
            "card": lambda: self._card(language),
            "snils": lambda: self._snils(language),
            "inn": lambda: self._inn(language),
            "passport": lambda: self._passport(language),
            "passport_en": lambda: (
                self._letters(self.random.choice((0, 1, 2))) + self._digits(self.random.choice((7, 9)))
            ),
            "name": lambda: self._name(language, case),
            "name_small": lambda: self._name(language, case).lower(),
            "surname_small": lambda: self._choice(self._people["ru"]["male"]["last"]).lower(),
            "address": self._address,
            "address_en": self._address_en,
            "birth": lambda: self._birth("ru"),
            "birth_en": lambda: self._birth("en"),
            "order": self._order,
            "price": lambda: self._price(language),
            "track": lambda: self._choice(("8" + self._digits(13), "RA" + self._digits(9) + "RU")),
            "goods": lambda: self._choice(
                ("FN-204-BK", "LX-900", "AB1234-56", self._digits(6), self._digits(8))
            ),
            "points": lambda: str(self.random.randint(20, 9000)),
            "day": lambda: self._choice(
                ("12.11.2026", "3 ноября" if language == "ru" else "November 3", "2026-11-02")
            ),
        }
        return makers[kind]()

    def _choice(self, among: Sequence[Any]) -> Any:
        return self.random.choice(among)

    def _digits(self, count: int) -> str:
        return "".join(self.random.choices(string.digits, k=count))

    def _letters(self, count: int) -> str:
        return "".join(self.random.choices(string.ascii_uppercase, k=count))

    def _phone(self, language: str) -> str:
        if language == "en":
            return self._phone_en()
        area = self._choice(("9", "9", "9", "495", "812", "843"))
        rest = area + self._digits(10 - len(area))
        if self.random.random() < 0.2:
            lead = self._choice((("7", "plus "), ("8", "")))
            return self._said(lead[0] + rest, (1, 3, 3, 2, 2), language)
        a, b, c, d = rest[:3], rest[3:6], rest[6:8], rest[8:]
        lead = self._choice(("+7", "8", "7", "+7 ", "8 ", "8-"))
        shapes = (
            f"{lead}{a}{b}{c}{d}",
            f"{lead}({a}) {b}-{c}-{d}",
            f"{lead}({a}){b}-{c}-{d}",
            f"{lead.strip(' -')} {a} {b} {c} {d}",
            f"{lead.strip(' -')}-{a}-{b}-{c}-{d}",
            f"{lead.strip(' -')}.{a}.{b}.{c}.{d}",
            f"{lead.strip(' -')} {a} {b}{c}{d}",
            f"{lead.strip(' -')} ({a}) {b} {c}  {d}",
            f"{lead.strip(' -')} {a}-{b}-{c}{d}",
        )
        return self._slip(self._choice(shapes))

    def _phone_en(self) -> str:
        area, mid, last = "2" + self._digits(2), "5" + self._digits(2), self._digits(4)
        if self.random.random() < 0.15:
            return self._said(area + mid + last, (1,) * 10, "en")
        shapes = (
            f"({area}) {mid}-{last}",
            f"{area}-{mid}-{last}",
            f"{area}.{mid}.{last}",
            f"+1 {area} {mid} {last}",
            f"+1{area}{mid}{last}",
            f"+44 7700 900{last[:3]}",
            f"07700 900{last[:3]}",
            f"+44 20 7946 0{last[:3]}",
        )
        return str(self._choice(shapes))

    def _email(self, language: str) -> str:
        own = self._choice(
            ("anna.petrova", "ivan_85", "kuz-olga", "p.smith", "lampa2020", "julia", "m.o.connor")
        )
        own += self._choice(("", "", self._digits(2)))
        host = str(self._choice(_MAIL))
        roll = self.random.random()
        if roll < 0.12:
            at, dot = ("собака", "точка") if language == "ru" else ("at", "dot")
            own = own.replace(".", f" {dot} ").replace("_", " ")
            return f"{own.split()[-1]} {at} {self._choice(('mail', 'gmail', 'yandex'))} {dot} {self._choice(('ru', 'com'))}"
        if roll < 0.2:
            return f"{own} @ {host}"
        if roll < 0.26:
            return f"{own}@{host.replace('.', ',', 1)}"
        if roll < 0.32:
            return f"{own}(at){host}" if language == "en" else f"{own}(собака){host}"
        return f"{own}@{host}".upper() if roll < 0.36 else f"{own}@{host}"

    def _card(self, language: str) -> str:
        body = self._choice(("4", "5", "2200")) + self._digits(14)
        digits = _with_luhn(body[:15])
        if self.random.random() < 0.12:
            return self._said(digits, (4, 4, 4, 4) if language == "ru" else (1,) * 16, language)
        groups = [digits[n : n + 4] for n in range(0, 16, 4)]
        return self._slip(self._choice(("", " ", " ", "-", ".", "  ")).join(groups))

    def _snils(self, language: str) -> str:
        body = str(self.random.randint(2_000_000, 999_999_999)).zfill(9)
        total = sum(int(d) * w for d, w in zip(body, range(9, 0, -1), strict=True)) % 101 % 100
        digits = f"{body}{total:02d}"
        if self.random.random() < 0.12:
            return self._said(digits, (3, 3, 3, 2), language)
        a, b, c, d = digits[:3], digits[3:6], digits[6:9], digits[9:]
        shapes = (digits, f"{a}-{b}-{c} {d}", f"{a} {b} {c} {d}", f"{a}-{b}-{c}-{d}", f"{a}.{b}.{c} {d}")
        return self._slip(self._choice(shapes))

    def _inn(self, language: str) -> str:
        body = self._digits(10)
        eleven = _control(body, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8))
        twelve = _control(body + eleven, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8))
        digits = body + eleven + twelve
        if self.random.random() < 0.3:
            digits = body[:9] + _control(body[:9], (2, 4, 10, 3, 5, 9, 4, 6, 8))
        if self.random.random() < 0.1:
            return self._said(digits, (2, 2, 2, 2, 2, 2), language)
        spaced = " ".join(digits[n : n + 4] for n in range(0, len(digits), 4))
        return str(self._choice((digits, digits, digits, spaced)))

    def _passport(self, language: str) -> str:
        series, number = self._digits(4), self._digits(6)
        if self.random.random() < 0.1:
            return self._said(series + number, (2, 2, 3, 3), language)
        shapes = (
            f"{series} {number}",
            f"{series[:2]} {series[2:]} {number}",
            f"{series}{number}",
            f"{series} № {number}",
            f"{series[:2]}-{series[2:]} {number}",
            f"{series}-{number}",
            f"{series[:2]}.{series[2:]}.{number}",
        )
        return self._slip(self._choice(shapes))

    def _name(self, language: str, case: str) -> str:
        if language == "en":
            first, last = self._choice(self._people["en"]["first"]), self._choice(self._people["en"]["last"])
            return str(
                self._choice(
                    (f"{first} {last}", f"{first} {last}", first, f"{first} {self._letters(1)}. {last}")
                )
            )
        gender = self._choice(("female", "male"))
        known = self._people["ru"][gender]
        first, last, middle = (self._choice(known[part]) for part in ("first", "last", "middle"))
        words = self._choice(
            (
                (first, last),
                (last, first),
                (first,),
                (last, first, middle),
                (first, middle),
                (first, middle, last),
            )
        )
        return " ".join(_declined(word, case, gender=gender) for word in words)

    def _address(self) -> str:
        known = self._people["streets"]
        street, town = self._choice(known["ru"]), self._choice(known["towns"])
        house, flat = self.random.randint(1, 180), self.random.randint(1, 400)
        shapes = (
            f"{self._digits(6)}, г. {town}, ул. {street}, д. {house}, кв. {flat}",
            f"г. {town}, ул. {street}, дом {house}, квартира {flat}",
            f"ул. {street} {house}, кв {flat}",
            f"улица {street}, {house}-{flat}",
            f"{town}, проспект {street}, д.{house}, корп. 2, кв.{flat}",
            f"ул {street} д {house} кв {flat}",
            f"пр-т {street}, {house}/2, подъезд 3, кв. {flat}",
        )
        return str(self._choice(shapes))

    def _address_en(self) -> str:
        known = self._people["streets"]
        street = f"{self.random.randint(1, 980)} {self._choice(known['en'])} {self._choice(known['ends'])}"
        city = self._choice(known["cities"])
        shapes = (
            f"{street}, {city}",
            f"{street}, Apt {self.random.randint(1, 60)}, {city}",
            f"{street}, {city}, NW1 6XE",
            f"{street}, Flat 3B, {city}",
        )
        return str(self._choice(shapes))

    def _birth(self, language: str) -> str:
        day, month, year = (
            self.random.randint(1, 28),
            self.random.randint(1, 12),
            self.random.randint(1950, 2006),
        )
        if language == "en":
            return str(
                self._choice((f"{month:02d}/{day:02d}/{year}", f"{day} March {year}", f"July {day}, {year}"))
            )
        return str(
            self._choice(
                (f"{day:02d}.{month:02d}.{year}", f"{day} мая {year}", f"{day:02d}/{month:02d}/{year}")
            )
        )

    def _order(self) -> str:
        return str(
            self._choice(
                (
                    self._digits(4),
                    self._digits(6),
                    f"10{self._digits(2)}-А",
                    f"W{self._digits(7)}",
                    self._digits(10),
                )
            )
        )

    def _price(self, language: str) -> str:
        amount = self.random.randint(90, 399_999)
        spaced = f"{amount:,}".replace(",", " ")
        if language == "en":
            return str(self._choice((f"${amount:,}", f"${amount}.99", f"{amount} dollars", f"€{amount}")))
        return str(
            self._choice((f"{amount} руб", f"{spaced} ₽", f"{spaced} рублей", f"{amount}р", f"{amount} р."))
        )

    def _said(self, digits: str, shape: Sequence[int], language: str) -> str:
        """Return digits in words, group by group."""
        words, at = [], 0
        for size in shape:
            group = digits[at : at + size]
            if group:
                words += self._spell(group, language)
            at += size
        return " ".join(words)

    def _spell(self, group: str, language: str) -> list[str]:
        """Return one group in words: as one number where it is said so, else digit by digit."""
        known = self._spoken[language]
        digits = list(known["digits"])
        if len(group) > 3 or group.startswith("0") or language == "en" or self.random.random() < 0.2:
            return [digits[int(digit)] for digit in group]
        value = int(group)
        words = [known["hundreds"][value // 100]] if value >= 100 else []
        rest = value % 100
        if 10 <= rest < 20:
            return [*words, known["teens"][rest - 10]]
        words += [known["tens"][rest // 10]] if rest >= 20 else []
        return words + ([digits[rest % 10]] if rest % 10 or not words else [])

    def _slip(self, written: str) -> str:
        """Return a number as it was meant, or, one time in ten, as it slipped from the fingers."""
        roll = self.random.random()
        if roll < 0.03:
            return written.replace("0", "О")
        if roll < 0.06:
            at = self.random.randrange(1, len(written))
            return f"{written[:at]} {written[at:]}" if written[at].isdigit() else written
        return written.replace("-", "–") if roll < 0.1 else written


def _with_luhn(body: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 - place % 2)
        total += value - 9 * (value > 9)
    return body + str(-total % 10)


def _control(digits: str, weights: Sequence[int]) -> str:
    return str(sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11 % 10)


def _declined(word: str, case: str, *, gender: str) -> str:
    """Return a Russian name in a case, as it is where the dictionary does not decline it."""
    if not case:
        return word
    parses = dictionary().parse(word)
    wanted = "femn" if gender == "female" else "masc"
    fitting = [
        parse
        for parse in parses
        if any(kind in parse.tag for kind in ("Name", "Surn", "Patr"))
        and wanted in parse.tag
        and "nomn" in parse.tag
    ]
    inflected = fitting[0].inflect({case, "sing"}) if fitting else None
    return str(inflected.word).title() if inflected else word
