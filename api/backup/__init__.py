"""One file that holds an installation: its databases at one moment, its files and its keys.

```
taking ─► snapshot ─► staged copy ─► manifest ─► tar ─► gzip ─► [seal] ─► FILE
restoring ─► FILE ─► [unseal] ─► gunzip ─► checked against the manifest ─► staged ─► migrated ─► put in place at once
```
"""
