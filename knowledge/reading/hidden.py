"""Which parts of a page a reader cannot see: by their own style, or by a plain rule of the page's style sheet. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bs4 import BeautifulSoup
from bs4.element import Tag

How = Literal["quiet", "loud"]
"""`quiet`: a page does this for its own reasons (menus, tabs). `loud`: hardly ever innocent."""

_AT_BLOCK = re.compile(
    r"@[^{};]{0,500}\{(?:[^{}]{0,20000}\{[^{}]{0,20000}\}){0,2000}[^{}]{0,20000}\}|@[^{};]{0,500};"
)
_RULE = re.compile(r"([^{}]{1,2000})\{([^{}]{0,5000})\}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SELECTOR = re.compile(r"(?:[a-z][\w-]*)?(?:[.#][\w-]+)?", re.IGNORECASE)
_LENGTH = re.compile(r"(-?\d*\.?\d+)\s*(px|pt|em|rem|%|vw|vh|cm|in)?")
_ZERO_CLIP = re.compile(r"rect\(\s*0(?:px)?[\s,]+0(?:px)?[\s,]+0(?:px)?[\s,]+0(?:px)?|inset\(\s*(?:50|100)%")
_TINY = {"px": 2.0, "pt": 1.5, "em": 0.12, "rem": 0.12, "%": 12.0, "": 0.0}
_FAR = -900.0
_MOST_RULES = 2_000
_MOST_PARENTS = 12
_NAMED = {"white": (255, 255, 255), "snow": (255, 250, 250), "ivory": (255, 255, 240)}
_PALE = 245

Declarations = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Styles:
    """The style sheet's plain rules: `tag`, `.class`, `#id`, `tag.class`; rules for print or narrow screens are left out."""

    rules: Mapping[str, Declarations] = field(default_factory=dict)

    def of(self, tag: Tag) -> dict[str, str]:
        """Return what is declared for a tag: its rules, then its own style."""
        out: dict[str, str] = {}
        if self.rules:
            classes = list(tag.get("class") or ())
            names = [tag.name, *(f".{one}" for one in classes), *(f"{tag.name}.{one}" for one in classes)]
            if tag.get("id"):
                names.append(f"#{tag['id']}")
            for name in names:
                out.update(self.rules.get(name, {}))
        own = tag.get("style")
        if own:
            out.update(declarations(str(own)))
        return out


def styles_of(soup: BeautifulSoup) -> Styles:
    """Read the page's `<style>` elements."""
    rules: dict[str, dict[str, str]] = {}
    for sheet in soup.find_all("style"):
        text = _AT_BLOCK.sub("", _COMMENT.sub("", sheet.get_text()[:200_000]))
        for selectors, body in _RULE.findall(text):
            found = declarations(body)
            for selector in selectors.split(","):
                name = selector.strip()
                if name and _SELECTOR.fullmatch(name) and len(rules) < _MOST_RULES:
                    rules.setdefault(name, {}).update(found)
    return Styles(rules=rules)


def declarations(style: str) -> dict[str, str]:
    """Return a style as names and values, lower case, without `!important`."""
    out: dict[str, str] = {}
    for part in style[:5_000].lower().split(";"):
        name, colon, value = part.partition(":")
        if colon:
            out[name.strip()] = value.replace("!important", "").strip()
    return out


def hides(tag: Tag, styles: Styles) -> How | None:
    """Say whether a tag hides what is in it, and how."""
    if tag.has_attr("hidden") or tag.get("aria-hidden") == "true":
        return "quiet"
    if not tag.has_attr("style") and not styles.rules and tag.name != "font":
        return None
    found = styles.of(tag)
    if found.get("display") == "none" or found.get("visibility") in ("hidden", "collapse"):
        return "quiet"
    if _tiny(found) or _faint(found) or _away(found) or _same_colour(tag, found, styles):
        return "loud"
    return None


def _tiny(found: Declarations) -> bool:
    length = _LENGTH.match(found.get("font-size", ""))
    if length and float(length.group(1)) <= _TINY.get(length.group(2) or "", -1.0):
        return True
    boxed = found.get("overflow", "") == "hidden"
    return boxed and any(found.get(side) in ("0", "0px", "1px") for side in ("height", "width", "max-height"))


def _faint(found: Declarations) -> bool:
    opacity = _LENGTH.match(found.get("opacity", ""))
    if opacity and float(opacity.group(1)) < 0.05:
        return True
    return found.get("color", "").replace(" ", "") in ("transparent", "rgba(0,0,0,0)")


def _away(found: Declarations) -> bool:
    if _ZERO_CLIP.search(found.get("clip", "") + found.get("clip-path", "")):
        return True
    placed = found.get("position") in ("absolute", "fixed")
    sides = ("left", "top", "right", "bottom") if placed else ()
    for name in (*sides, "text-indent", "margin-left", "margin-top"):
        length = _LENGTH.match(found.get(name, ""))
        if length and float(length.group(1)) <= (_FAR if length.group(2) in ("px", "pt", None) else -90.0):
            return True
    return False


def _same_colour(tag: Tag, found: Declarations, styles: Styles) -> bool:
    colour = _rgb(
        found.get("color") or str(tag.get("color") or "") if tag.name == "font" else found.get("color", "")
    )
    if colour is None:
        return False
    background = _background(tag, styles)
    if background == "unknown":
        return False
    behind = _rgb(background) or (255, 255, 255)
    if min(behind) >= _PALE and min(colour) >= _PALE:
        return True
    return all(abs(one - other) <= 8 for one, other in zip(colour, behind, strict=True))


def _background(tag: Tag, styles: Styles) -> str:
    """Return the nearest background colour, "" for the page's white, "unknown" for a picture or a gradient."""
    for depth, one in enumerate([tag, *tag.parents]):
        if depth > _MOST_PARENTS:
            return "unknown"
        if not isinstance(one, Tag):
            break
        found = styles.of(one)
        if "background-image" in found:
            return "unknown"
        named = (
            found.get("background-color") or found.get("background") or str(one.get("bgcolor") or "").lower()
        )
        if named and named not in ("transparent", "none", "inherit"):
            return named if _rgb(named) else "unknown"
    return ""


def _rgb(value: str) -> tuple[int, ...] | None:
    value = value.strip().lower()
    if value in _NAMED:
        return _NAMED[value]
    if found := re.fullmatch(r"#([0-9a-f]{3})", value):
        return tuple(int(digit * 2, 16) for digit in found.group(1))
    if found := re.fullmatch(r"#([0-9a-f]{6})(?:ff)?", value):
        return tuple(int(found.group(1)[i : i + 2], 16) for i in (0, 2, 4))
    if found := re.fullmatch(r"rgba?\((\d{1,3})[,\s]+(\d{1,3})[,\s]+(\d{1,3})(?:[,/\s]+1(?:\.0)?)?\)", value):
        return tuple(min(255, int(part)) for part in found.groups())
    return None
