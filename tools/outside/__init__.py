"""Tools of systems that the company plugs in, however they are reached: what the pack assigns, and what comes back.

```
the pack's assignment ─┐
the system's definition ┴─► plugged ─► shape (arguments a model may fill), wording (what customers read)
arguments, and who the caller is ─► values ─► the system ─► result ─► evidence
```
`tools.mcp` reaches them over MCP, `tools.openapi` over HTTP. A tool that the pack does not assign does not exist.
"""
