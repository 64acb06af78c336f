"""When a customer's profile may be changed: pure, shared by every register that holds its own data."""

from dataclasses import replace
from datetime import datetime

from tools.address import Address, deliverable, from_arguments
from tools.crm.port import Customer
from tools.errors import Rejected
from tools.proposal import EXPIRES_AFTER, Proposal

HOME = "change_home_address"
KINDS = frozenset({HOME})


def moving(customer: Customer, *, new_address: Address, now: datetime) -> Proposal:
    """Return the proposal to keep another address; `Rejected` when it is useless or kept already."""
    address = deliverable(new_address)
    if customer.address is not None and address.same(customer.address):
        raise Rejected("same_home")
    return Proposal.made(
        HOME,
        owner=customer.id,
        arguments=address.as_arguments(),
        facts={"old_address": str(customer.address or ""), "new_address": str(address)},
        version=customer.version,
        now=now,
        expires_after=EXPIRES_AFTER,
    )


def moved(customer: Customer, proposal: Proposal) -> Customer:
    """Return the customer at the new address; `Rejected("changed")` when the profile has changed since."""
    if customer.version != proposal.version:
        raise Rejected("changed")
    address = from_arguments(proposal.arguments)
    # The city of the profile follows where the address names one.
    return replace(customer, address=address, city=address.city or customer.city)
