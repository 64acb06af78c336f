"""Tools of MCP servers that the company pack plugs in. One that the pack does not assign does not exist.

```
policy.toml [mcp.<server>] ─► plug ───────┐
mcp/<server>.json (pinned) ─► definition ─┴─► assigned ─► functions ─► Toolkit ─► Toolbox
                                                              │ arguments, and who the caller is
server ◄── client (connection kept, definitions compared) ◄───┘
```
"""
