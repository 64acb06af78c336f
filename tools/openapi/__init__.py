"""Systems with an HTTP interface that the pack describes: an OpenAPI document and a mapping, no code.

```
systems/NAME.openapi.yaml ─► document ─► schemas ─┐
systems/NAME.toml ─────────► mapping ─────────────┴─► mapped ─► functions ─► Toolkit ─► Toolbox
                                                        │  arguments, and who the caller is
system ◄── request (checked) ── asking (answer checked, owner proven) ◄┘
```
"""
