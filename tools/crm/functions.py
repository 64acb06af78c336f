"""The customer tools a model may call: the caller's own profile, contacts masked, and its address."""

from langchain.tools import ToolRuntime, tool

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
from tools.phrases import Phrases
from tools.toolkit import Toolkit

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
        customer = await crm.customer(caller.customer())
        facts: dict[str, object] = {
            "name": customer.name,
            "city": customer.city,
            "level": customer.level.said(language),
            "points": customer.points,
            "masked_email": mask_email(customer.email),
            "masked_phone": mask_phone(customer.phone),
        }
        keys = ["name", "city", "level", "points", "contacts"]
        if customer.address is not None:
            facts["address"] = str(customer.address)
            keys.insert(2, "address")
        said = tuple(phrases.say(f"profile.{key}", language, **facts) for key in keys)
        return Answer(kind="profile", sentences=said, facts=facts)

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
        proposal = await crm.propose_address(owner=caller.customer(), new_address=address)
        return proposed(proposal, caller, phrases)

    return Toolkit(tools=(my_profile, change_home_address), phrases=phrases, execute=crm.execute)


def mask_email(email: str) -> str:
    """Return "a•••@example.com": the owner knows it again, nobody else learns it."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}•••@{domain}"


def mask_phone(phone: str) -> str:
    """Return "+7 ••• ••-34": the country's first sign and the last two digits."""
    return f"{phone[:2]} ••• ••-{phone[-2:]}"
