"""The provider and the rules of these settings, checked before anybody signs in."""

from collections.abc import Mapping

from agent.records.staff import ROLES, Role
from api.settings import BadSetting, Settings
from api.sign_on.admitting import Rules
from api.sign_on.provider import Client, Provider, is_safe

BACK = "/console/sign-on/callback"


def provider_of(settings: Settings) -> Provider | None:
    """Return the provider, None where there is none. Raises `BadSetting`."""
    issuer = settings.oidc_issuer
    if not issuer:
        if settings.oidc_only:
            raise BadSetting(
                "MAYAK_OIDC_ONLY=yes, but there is no provider: nobody could sign in.",
                remedy="Set MAYAK_OIDC_ISSUER and MAYAK_OIDC_CLIENT, or leave MAYAK_OIDC_ONLY out.",
            )
        return None
    if not is_safe(issuer):
        raise BadSetting(
            f"MAYAK_OIDC_ISSUER={issuer!r} is no https address.",
            remedy="Give the issuer as its discovery document writes it, such as https://id.example.com.",
        )
    if not settings.oidc_client:
        raise BadSetting(
            "MAYAK_OIDC_ISSUER is set and MAYAK_OIDC_CLIENT is not.",
            remedy=f"Register {settings.base_url}{BACK} as a redirect address there; set the client's id and secret.",
        )
    rules_of(settings)
    client = Client(
        issuer=issuer,
        id=settings.oidc_client,
        secret=settings.oidc_secret,
        scopes=tuple(dict.fromkeys(("openid", *settings.oidc_scopes))),
        back=f"{settings.base_url}{BACK}",
    )
    return Provider(client)


def rules_of(settings: Settings) -> Rules:
    """Return who gets which role. Raises `BadSetting`."""
    roles: dict[str, Role] = {}
    for row in settings.oidc_roles:
        value, _, name = row.rpartition("=")
        role = _ROLES.get(name.strip())
        if not value.strip() or role is None:
            raise BadSetting(
                f"MAYAK_OIDC_ROLES: “{row}” cannot be read.",
                remedy=f"Write value=role, several by commas; roles are {', '.join(ROLES)}.",
            )
        roles[value.strip()] = role
    return Rules(login=settings.oidc_login_claim, claim=settings.oidc_role_claim, roles=roles)


_ROLES: Mapping[str, Role] = {role: role for role in ROLES}
