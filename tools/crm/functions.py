"""The customer tools a model may call: the caller's own profile, contacts masked."""

from langchain.tools import ToolRuntime, tool

from tools.answer import Answer, answering
from tools.assurance import Rule
from tools.context import Caller
from tools.crm.port import CRM
from tools.phrases import Phrases
from tools.toolkit import Toolkit

_ALONE = ("name", "city", "level", "points")

PROFILE = Rule(scope="profile:read", effect="read", assurance="channel")


def crm_tools(crm: CRM, phrases: Phrases) -> Toolkit:
    """Return all customer tools over one register."""

    @tool(extras=PROFILE.extras())
    @answering(phrases, PROFILE)
    async def my_profile(runtime: ToolRuntime[Caller]) -> Answer:
        """Read the customer's own profile: name, city, loyalty level and points, masked contacts."""
        caller = runtime.context
        language = caller.language
        customer = await crm.customer(caller.customer())
        known: dict[str, object] = {
            "name": customer.name,
            "city": customer.city,
            "level": customer.level.said(language) if customer.level else "",
            "points": customer.points,
            "masked_email": mask_email(customer.email),
            "masked_phone": mask_phone(customer.phone),
        }
        facts = {name: value for name, value in known.items() if value not in (None, "")}
        said = [phrases.say(f"profile.{key}", language, **facts) for key in _ALONE if key in facts]
        contacts = [facts[name] for name in ("masked_email", "masked_phone") if name in facts]
        if len(contacts) == 1:
            said.append(phrases.say("profile.contact", language, contact=contacts[0]))
        elif contacts:
            said.append(phrases.say("profile.contacts", language, **facts))
        return Answer(kind="profile", sentences=tuple(said), facts=facts)

    return Toolkit(tools=(my_profile,), phrases=phrases)


def mask_email(email: str) -> str:
    """Return "a•••@example.com": the owner knows it again, nobody else learns it; "" for none."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}•••@{domain}" if email else ""


def mask_phone(phone: str) -> str:
    """Return "+7 ••• ••-34": the country's first sign and the last two digits; "" for none."""
    return f"{phone[:2]} ••• ••-{phone[-2:]}" if phone else ""
