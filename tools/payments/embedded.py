"""Links to the shop's own payment page, over any order system.

    https://shop.example/pay?order=1090&amount=2230.00&currency=RUB&until=1795168800&sign=…

`sign` binds the other four under a secret that the page shares: whoever changes one of them, customer or model, has a
link that the page refuses (`genuine`).
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from tools.context import CustomerId, OrderId
from tools.orders.port import Orders
from tools.payments.port import PayLink
from tools.payments.rules import due

BOUND = ("order", "amount", "currency", "until")
"""What of a link is signed, in this order; `until` is a Unix time in seconds."""


class EmbeddedPayments:
    """`Payments` over `orders`; `page` is the address of the payment page, `secret` is shared with it."""

    def __init__(
        self,
        orders: Orders,
        *,
        page: str,
        secret: str,
        good_for: timedelta,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._orders = orders
        self._page = page
        self._secret = secret
        self._good_for = good_for
        self._now = now

    async def link(self, order_id: OrderId, *, owner: CustomerId) -> PayLink:
        order = await self._orders.get(order_id, owner=owner)
        amount = due(order)
        expires = (self._now() + self._good_for).replace(microsecond=0)
        bound = {
            "order": order.id,
            "amount": f"{amount:.2f}",
            "currency": order.currency,
            "until": str(int(expires.timestamp())),
        }
        query = urlencode({**bound, "sign": signature(bound, secret=self._secret)})
        url = f"{self._page}?{query}"
        return PayLink(order=order.id, amount=amount, currency=order.currency, url=url, expires=expires)


def signature(bound: Mapping[str, str], *, secret: str) -> str:
    """Return the signature of what a link binds: HMAC-SHA256, URL-safe base64 without padding."""
    text = "\n".join(bound[name] for name in BOUND)
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


def genuine(url: str, *, secret: str, now: datetime) -> bool:
    """Whether a link is as it was made and still good: what the payment page asks before it shows anything."""
    told = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    if not all(name in told for name in (*BOUND, "sign")) or not told["until"].isascii():
        return False
    fits = hmac.compare_digest(signature(told, secret=secret).encode(), told["sign"].encode())
    return fits and told["until"].isdigit() and now.timestamp() < int(told["until"])
