"""Who speaks, as a line over a message in a messenger, which has no other place to show it. Pure.

```
ai      ─► «ИИ» | “AI”
person  ─► «Ольга · сотрудник» | “Olga · person”
system  ─► nothing: the words of the service itself say what they are
```
"""

from agent.domain import Message
from agent.language import script
from tools.phrases import Phrases


def speaker(message: Message, *, phrases: Phrases) -> str:
    """Return the label in the language of the message, empty for what nobody says."""
    language = script(message.text)
    if message.author == "ai":
        return phrases.say("speaker.ai", language)
    if message.author == "person":
        key = "speaker.person" if message.name else "speaker.nameless"
        return phrases.say(key, language, name=message.name)
    return ""
