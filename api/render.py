"""From a message's text to the little HTML a customer's screen may show. No links, no images, no raw HTML."""

from functools import cache
from html import escape

import nh3
from markdown_it import MarkdownIt

TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "code"}


@cache
def _markdown() -> MarkdownIt:
    # Nothing that fetches or leads away: a document or a model must not be able to place a link.
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(
        [
            "link",
            "image",
            "autolink",
            "html_inline",
            "html_block",
            "reference",
            "heading",
            "lheading",
            "hr",
            "code",
        ]
    )


def to_html(text: str, *, author: str) -> str:
    """Return safe HTML; what a customer wrote is shown as it was typed."""
    if author == "customer":
        return f"<p>{'<br>'.join(escape(line) for line in text.splitlines())}</p>"
    return nh3.clean(_markdown().render(text), tags=TAGS, attributes={}).strip()
