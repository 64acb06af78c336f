"""Where something goes: as a customer gave it in one line, or part by part."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from tools.errors import Rejected

_PREFIX = "new_"
_CHARS = range(8, 301)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """`line` is the street and the house, or the whole address in one line; `extra` the flat or the suite."""

    line: str
    city: str = ""
    postcode: str = ""
    extra: str = ""
    region: str = ""
    country: str = ""

    def __str__(self) -> str:
        place = (self.postcode, self.country, self.region, self.city, self.line, self.extra)
        return ", ".join(part for part in place if part)

    @property
    def whole(self) -> bool:
        """Whether it is one line and nothing is known of its parts."""
        return not any((self.city, self.postcode, self.extra, self.region, self.country))

    def tidy(self) -> "Address":
        """Return it with single spaces."""
        return Address(**{name: " ".join(part.split()) for name, part in self.parts().items()})

    def parts(self) -> dict[str, str]:
        """Return the parts by name, empty ones too."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def same(self, other: "Address | None") -> bool:
        """Whether it leads where `other` does; one line may be the other's street or the other in full."""
        if other is None or not self.whole:
            return self == other
        return self.line.casefold() in (str(other).casefold(), other.line.casefold())

    def as_arguments(self) -> dict[str, str]:
        """Return the parts that are known as arguments of a proposal: `new_address`, `new_city`…"""
        return {_argument(name): part for name, part in self.parts().items() if part or name == "line"}


def deliverable(address: Address) -> Address:
    """Return the address with single spaces; `Rejected("bad_address")` when nothing could be delivered to it."""
    tidy = address.tidy()
    said = str(tidy)
    # A street and a house: fewer characters, or none of the two kinds, cannot be delivered to.
    lettered, numbered = any(c.isalpha() for c in said), any(c.isdigit() for c in said)
    if not tidy.line or len(said) not in _CHARS or not lettered or not numbered:
        raise Rejected("bad_address")
    return tidy


def from_arguments(arguments: Mapping[str, str]) -> Address:
    """Return the address that `as_arguments` gave."""
    return Address(**{field.name: arguments.get(_argument(field.name), "") for field in fields(Address)})


def _argument(part: str) -> str:
    return f"{_PREFIX}{'address' if part == 'line' else part}"
