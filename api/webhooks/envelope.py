"""An event as it is posted: CloudEvents 1.0 in JSON, signed as Standard Webhooks has it.

The body of an event is the same at every attempt but for words that were taken out of the transcript meanwhile; id and
sequence never change, the signature is made anew with the time of the attempt.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks.webhooks import Webhook

from agent.records.hooks import Hook

PREFIX = "mayak."


def posted(hook: Hook, *, source: str, more: Mapping[str, object] | None = None) -> bytes:
    """Return the body; `source` is the address of this installation, `more` what the webhook includes."""
    event = CloudEvent(
        {
            "id": hook.event,
            "source": source,
            "type": f"{PREFIX}{hook.type}",
            "subject": hook.conversation,
            "time": hook.at,
            "datacontenttype": "application/json",
            # Compares as text does, as the extension of this name asks.
            "sequence": f"{hook.n:010}",
        },
        {"conversation": hook.conversation, **hook.data, **(more or {})},
    )
    return JSONFormat().write(event)


def signed(body: bytes, *, event: str, at: datetime, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers of one attempt: a signature for each secret, so that one can take the other's place."""
    text = body.decode()
    signatures = [Webhook(secret).sign(msg_id=event, timestamp=at, data=text) for secret in secrets]
    return {
        "content-type": JSONFormat.CONTENT_TYPE,
        "user-agent": "Mayak",
        "webhook-id": event,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
