"""The official error texts, by the reason for which the shop refused."""

from collections.abc import Mapping, Sequence

from evals.tau.domain import Refused

NO_ORDER = "Order not found"
NO_USER = "User not found"
NO_PRODUCT = "Product not found"
NO_ITEM = "Item not found"
NOT_PENDING = "Non-pending order cannot be modified"
INVALID_REASON = "Invalid reason"

_EVERYWHERE: Mapping[str, str] = {
    "not_found": NO_ORDER,
    "rejected.bad_number": NO_ORDER,
    "rejected.no_such_method": "Payment method not found",
    "rejected.no_such_variant": "Variant not found",
    "rejected.out_of_stock": "New item {new} not found or available",
}
_OF_CALLS: Mapping[str, Mapping[str, str]] = {
    "cancel_pending_order": {"rejected.not_cancellable": "Non-pending order cannot be cancelled"},
    "modify_pending_order_address": {"rejected.address_locked": NOT_PENDING},
    "modify_pending_order_payment": {
        "rejected.payment_locked": NOT_PENDING,
        "rejected.several_payments": "There should be exactly one payment for a pending order",
        "rejected.same_method": "The new payment method should be different from the current one",
        "rejected.gift_card_short": "Insufficient gift card balance to pay for the order",
    },
    "modify_pending_order_items": {
        "rejected.items_locked": NOT_PENDING,
        "rejected.not_in_order": "{old} not found",
        "rejected.uneven": "The number of items to be exchanged should match",
        "rejected.same_variant": "The new item id should be different from the old item id",
        "rejected.gift_card_short": "Insufficient gift card balance to pay for the new item",
    },
    "return_delivered_order_items": {
        "rejected.not_returnable": "Non-delivered order cannot be returned",
        "rejected.wrong_refund_method": "Payment method should be the original payment method",
        "rejected.not_in_order": "Some item not found",
    },
    "exchange_delivered_order_items": {
        "rejected.not_exchangeable": "Non-delivered order cannot be exchanged",
        "rejected.not_in_order": "Number of {old} not found.",
        "rejected.uneven": "The number of items to be exchanged should match.",
        "rejected.gift_card_short": "Insufficient gift card balance to pay for the price difference",
    },
}


def refused(text: str) -> Refused:
    """Return the official error of a business rule."""
    return Refused(f"ValueError: {text}")


def refusal(call: str, fault: str, *, old: str = "", new: str = "") -> Refused:
    """Return the official error for a fault of ours; `old` and `new` are the items it is about.

    A fault the official business does not know keeps its own name.
    """
    text = {**_EVERYWHERE, **_OF_CALLS.get(call, {})}.get(fault)
    return refused(text.format(old=old, new=new) if text is not None else fault)


def too_many(wanted: Sequence[str], there: Sequence[str]) -> str:
    """Return the first of the wanted items of which there are not so many, "" when there are."""
    return next((one for one in wanted if wanted.count(one) > there.count(one)), "")
