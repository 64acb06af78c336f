"""The payment tool a model may call: it names an order; the system names the amount and the link."""

from langchain.tools import ToolRuntime

from tools.answer import Answer, answering
from tools.arguments import OrderNumber
from tools.assurance import Rule
from tools.context import Caller
from tools.declared import tool
from tools.orders.writes import number_in
from tools.payments.port import Payments
from tools.phrases import Phrases
from tools.toolkit import Toolkit

READ = Rule(scope="orders:read", effect="read", assurance="channel")


def payment_tools(payments: Payments, phrases: Phrases) -> Toolkit:
    """Return the tools over one payment system."""

    @tool(extras=READ.extras())
    @answering(phrases, READ)
    async def payment_link(order_id: OrderNumber, runtime: ToolRuntime[Caller]) -> Answer:
        """Get the link by which one of the customer's own unpaid orders is paid. Repeat it letter for letter."""
        caller = runtime.context
        found = await payments.link(number_in(order_id), owner=caller.customer())
        facts: dict[str, object] = {
            "order": found.order,
            "amount": float(found.amount),
            "currency": found.currency,
            "url": found.url,
            "until": found.expires.isoformat(),
        }
        said = phrases.say("payment.link", caller.language, **facts)
        return Answer(kind="payment", sentences=(said,), facts=facts)

    return Toolkit(tools=(payment_link,), phrases=phrases)
