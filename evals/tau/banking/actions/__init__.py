"""What the bank does for its customers: pure plans over one customer's holdings, in a table by name."""

from collections.abc import Mapping

from evals.tau.banking.actions import accounts, cards, claims, credit, debit_orders
from evals.tau.banking.port import Action

ACTIONS: Mapping[str, Action] = {
    action.name: action
    for module in (accounts, cards, debit_orders, credit, claims)
    for action in module.ACTIONS
}
PURPOSES = frozenset(str(action.rule.scope) for action in ACTIONS.values()) | {"bank:read"}
