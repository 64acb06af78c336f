"""The customer tools a model may call: the caller's own profile, contacts masked, and its address."""

from collections.abc import Awaitable
from typing import TypeVar

from langchain.tools import ToolRuntime

from tools.address import Address
from tools.answer import Answer, answering, proposed
from tools.arguments import (
    ADDRESS_PARTS,
    NewAddress,
    NewCity,
    NewCountry,
    NewExtra,
    NewPostcode,
    NewRegion,
)
from tools.assurance import Rule
from tools.context import Caller
from tools.crm.port import CRM
from tools.declared import tool
from tools.errors import NotFound, Rejected
from tools.phrases import Phrases
from tools.toolkit import Toolkit

T = TypeVar("T")

_ALONE = ("name", "city", "address", "level", "points")

PROFILE = Rule(scope="profile:read", effect="read", assurance="channel")
WRITE = Rule(scope="profile:write", effect="write", assurance="verified")
SENT_TO = {**WRITE.extras(), "recipients": ["new_address", *ADDRESS_PARTS]}


def crm_tools(crm: CRM, phrases: Phrases) -> Toolkit:
    """Return all customer tools over one register."""

    @tool(extras=PROFILE.extras())
    @answering(phrases, PROFILE)
    async def my_profile(runtime: ToolRuntime[Caller]) -> Answer:
        """Read the customer's own profile: name, city, address, loyalty level and points, masked contacts."""
        caller = runtime.context
        language = caller.language
        customer = await _own(crm.customer(caller.customer()))
        known: dict[str, object] = {
            "name": customer.name,
            "city": customer.city,
            "address": str(customer.address or ""),
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

    @tool(extras=SENT_TO)
    @answering(phrases, WRITE)
    async def change_home_address(
        new_address: NewAddress,
        runtime: ToolRuntime[Caller],
        new_extra: NewExtra = "",
        new_city: NewCity = "",
        new_region: NewRegion = "",
        new_country: NewCountry = "",
        new_postcode: NewPostcode = "",
    ) -> Answer:
        """Prepare to keep another address in the customer's own profile; no order is changed. To be confirmed."""
        caller = runtime.context
        address = Address(
            line=new_address,
            extra=new_extra,
            city=new_city,
            region=new_region,
            country=new_country,
            postcode=new_postcode,
        )
        proposal = await _own(crm.propose_address(owner=caller.customer(), new_address=address))
        return proposed(proposal, caller, phrases)

    return Toolkit(tools=(my_profile, change_home_address), phrases=phrases, execute=crm.execute)


async def _own(asked: Awaitable[T]) -> T:
    """Return what was asked of the caller's own profile; whoever has none any more hears that, and of no number."""
    try:
        return await asked
    except NotFound as gone:
        raise Rejected("no_profile") from gone


def mask_email(email: str) -> str:
    """Return "a•••@example.com": the owner knows it again, nobody else learns it; "" for none."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}•••@{domain}" if email else ""


def mask_phone(phone: str) -> str:
    """Return "+7 ••• ••-34": the country's first sign and the last two digits; "" for none."""
    return f"{phone[:2]} ••• ••-{phone[-2:]}" if phone else ""
