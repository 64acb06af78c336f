"""How well personal data is found: on texts from a file, and on a set made from templates (suite `pii`).

```
sentences.toml ─► made.sentences ─┐
--texts FILE ─────────────────────┴─► agent.privacy ─► spans ─► recall, precision, what was rightly left alone, ms
```
"""
