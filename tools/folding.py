"""Names and e-mails as they are compared: without case, accents and double spaces."""

import unicodedata


def folded(text: str) -> str:
    """Return "jose nunez" for " José  NÚÑEZ"; ё is е, й stays itself."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("й", "\0"))
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(bare.replace("\0", "й").split())
