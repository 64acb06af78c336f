"""Whom the console lets in of those the provider knows. Pure; nobody who is not known or named by the rules.

```
                 linked here before ─┬─ by us: the account's own roles
claims ─► sub ──►│                   └─ by the rules: the roles of the claim, none ─► refused
                 └ not linked ─► login claim ─┬─ an account that nobody is linked to ─► link it, its own roles
                                              └─ no account ─► roles of the claim ─┬─ some ─► a new account
                                                                                   └─ none ─► refused
```
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agent.records.staff import ROLES, Person, Role
from api.staff import LOGIN

Refusal = Literal["unknown", "no_role", "blocked", "taken", "bad_login"]
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Which claim is the login, and which values of which claim give which role."""

    login: str = "preferred_username"
    claim: str = "groups"
    roles: Mapping[str, Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """An account somebody of the provider is linked to; `managed`: its roles are those of the claim."""

    person: Person
    managed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter:
    """Let them in. `roles` are those to have from now on, None for those they have."""

    login: str
    roles: frozenset[Role] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Remember that this account is theirs, then let them in."""

    login: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Make an account, then let them in."""

    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why not; `login` is what the provider calls them, to be told to an administrator."""

    why: Refusal
    login: str


def admitted(
    claims: Mapping[str, Any], *, rules: Rules, linked: Linked | None, named: Person | None, taken: bool
) -> Enter | Link | Create | Refused:
    """Decide. `named` has the login of the claim; `taken`: somebody else of the provider is linked to it."""
    login, roles = login_of(claims, rules), roles_of(claims, rules)
    if linked is not None:
        if linked.person.disabled:
            return Refused(why="blocked", login=linked.person.login)
        if not linked.managed:
            return Enter(login=linked.person.login)
        own = linked.person.login
        return Enter(login=own, roles=roles) if roles else Refused(why="no_role", login=own)
    if named is not None:
        if taken:
            return Refused(why="taken", login=login)
        return Refused(why="blocked", login=login) if named.disabled else Link(login=login)
    if not roles:
        return Refused(why="unknown", login=login)
    if not LOGIN.fullmatch(login):
        return Refused(why="bad_login", login=login)
    return Create(person=Person(login=login, name=_name(claims) or login, roles=roles))


def login_of(claims: Mapping[str, Any], rules: Rules) -> str:
    """Return the login the provider names, empty when it names none."""
    found = claims.get(rules.login)
    # No login has other letters, and half a character would break whatever stores it.
    return found.strip().lower()[:64] if isinstance(found, str) and found.isascii() else ""


def roles_of(claims: Mapping[str, Any], rules: Rules) -> frozenset[Role]:
    """Return the roles the rules give for the values of the claim."""
    found = claims.get(rules.claim)
    values = found if isinstance(found, list) else [found]
    named = {rules.roles[value] for value in values if isinstance(value, str) and value in rules.roles}
    return frozenset(role for role in ROLES if role in named)


def _name(claims: Mapping[str, Any]) -> str:
    found = claims.get("name")
    if not isinstance(found, str):
        return ""
    return " ".join(found.encode("utf-8", "ignore").decode().split())[:LONGEST_NAME]
