"""Who may ask for what: the gates of the bank's tools."""

from tools.assurance import Rule

READ = Rule(scope="bank:read", effect="read", assurance="verified")
ACCOUNTS = Rule(scope="accounts:write", effect="write", assurance="verified")
CARDS = Rule(scope="cards:write", effect="write", assurance="verified")
CLAIMS = Rule(scope="claims:write", effect="write", assurance="verified")
CREDITS = Rule(scope="compensation:write", effect="write", assurance="verified")
PROFILE = Rule(scope="profile:write", effect="write", assurance="verified")
APPLY = Rule(scope="applications:write", effect="write", assurance="channel")
"""An application needs no customer: whoever writes is known by the conversation."""
