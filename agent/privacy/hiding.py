"""Personal data taken out for good: for logs, artefacts and the eyes of curators, who need not know. Pure but for the dictionary."""

import re
from collections.abc import Callable

from agent.privacy.detect import Detector, of_programs, quick

MASK = "•••"
"""Made of no letters, so that a search is not led astray by it."""
_RAISED = re.compile(
    r"(?P<kind>(?:[a-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Warning|Found|Failed|Unavailable|Rejected|Fault): )(?P<message>.+)"
)
"""The last line of a trace: what was raised, and its message."""
_REPEATED = re.compile(rf"{MASK}(?:\s+{MASK})+")


def hidden(text: str, *, detector: Callable[[], Detector] = quick, paths: bool = False) -> str:
    """Return the text with `MASK` in place of personal data; links keep their host alone, or with `paths` all but the query."""
    out, last = [], 0
    for span in detector().find(text):
        value = text[span.start : span.end]
        shown = value.partition("?")[0] if paths else ""
        out += [text[last : span.start], shown if span.kind == "link" else MASK]
        last = span.end
    return _REPEATED.sub(MASK, "".join([*out, text[last:]]))


def hidden_log(text: str) -> str:
    """Return what a program wrote without personal data; of a trace, the messages of its errors are read as messages."""
    return "\n".join(_log_line(line) for line in text.split("\n"))


def _log_line(line: str) -> str:
    raised = _RAISED.match(line)
    if raised is None:
        return hidden(line, detector=of_programs, paths=True)
    return raised["kind"] + hidden(raised["message"], paths=True)
