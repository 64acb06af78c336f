"""What must happen between the model and its tools, one concern a file.

```
model:  Ledger ─► Fallback ─► Evidence ──────────────────────────► a model of the chain
tool:   Ledger ─────────────► Evidence ─► Consent ─► Faults ─────► the tool
        recorded once         only data    only what  failures
        in a fixed order      is evidence  is offered are results
```
The order matters: the ledger is outermost, so that a replay after a crash finds every call, refused ones too.
"""
