"""`systems/NAME.toml`: what the pack makes of a system's operations. Typed here, joined with the document in `mapped`."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from tools.openapi.expression import Expression
from tools.outside.assignment import Assigned, Both, BothLines, Part, Words

Sought = Literal["id", "login", "email", "phone", "name", "postcode"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{2,47}$")]
Fields = Annotated[dict[str, Expression], Field(min_length=1)]


class Pages(Part):
    """How the next rows of a list are asked for.

    `offset` and `page` count in the argument, `cursor` puts into it what `next` finds in the answer before.
    """

    by: Literal["offset", "page", "cursor"]
    argument: str
    size: int = Field(default=50, ge=1, le=1000)
    """Rows a full page has; the end is where fewer come."""
    size_argument: str = ""
    """The argument that takes `size`."""
    first: int = Field(default=1, ge=0)
    """Number of the first page."""
    next: Expression = ""
    most: int = Field(default=4, ge=1, le=20)
    """Pages read at most; what is left is said to be left."""

    @model_validator(mode="after")
    def _cursor(self) -> "Pages":
        if (self.by == "cursor") != bool(self.next):
            raise ValueError(
                '`next` says where the next cursor stands, by = "cursor" alone; give both or neither'
            )
        return self


class Reading(Part):
    """An operation that answers, and how its answer is read."""

    operation: str = Field(min_length=1)
    rows: Expression = ""
    """Where the list stands in the answer; without it the answer is about one thing."""
    row: Expression = ""
    """Where the one thing stands; default the whole answer."""
    owner: Expression = ""
    """In a row: the customer's id, or a list of several. Another's row is as good as none."""
    owner_of_answer: Expression = ""
    """The same, in the whole answer."""
    fields: Fields
    pages: Pages | None = None

    @model_validator(mode="after")
    def _one_or_many(self) -> "Reading":
        if self.rows and self.row:
            raise ValueError("`rows` is for lists and `row` for one thing; give one of them")
        if self.pages and not self.rows:
            raise ValueError("`pages` belong to a list; say where it stands with `rows`")
        return self


class Finding(Reading):
    """How a customer is found: `takes` says which arguments get what is sought."""

    takes: dict[str, Sought]
    fixed: dict[str, Any] = Field(default_factory=dict)


class Customers(Part):
    """The customer register behind this system: `[customers.…]`; what is absent is not found that way."""

    by_id: Finding
    by_login: Finding | None = None
    by_email: Finding | None = None
    by_phone: Finding | None = None
    by_name: Finding | None = None


class Tool(Assigned, Reading):
    """One tool of the system that only reads: `[tools.<tool>]`."""

    effect: Literal["read"] = "read"
    changes_nothing: bool = False
    """The pack's word that a POST only asks."""
    asks: tuple[str, ...] = ()
    """The arguments a model fills, and no others."""
    fixed: dict[str, Any] = Field(default_factory=dict)
    tell: BothLines
    """Sentences for each row; one whose values are not all there is left out."""
    empty: Both = Field(default_factory=dict)
    words: dict[str, dict[str, Words]] = Field(default_factory=dict)
    """What the values of a field are called: words.status.open = { ru = "открыто", en = "open" }."""
    fills: dict[str, str] = Field(default_factory=dict)
    """Which arguments of other tools are listed here, and in which field: { number = "number" }."""

    @property
    def whose(self) -> bool:
        return bool(self.owner or self.owner_of_answer) or super().whose

    @property
    def nobodys(self) -> str:
        return "personal data, but nothing proves whose: say with `owner` where the customer's id stands in a row"

    @model_validator(mode="after")
    def _told(self) -> "Tool":
        if self.hide or self.say:
            raise ValueError("`asks` and `tell` stand in place of `hide` and `say` here")
        for name, lines in self.tell.items():
            if not lines:
                raise ValueError(f"`tell` says nothing in “{name}”")
        for field in (*self.words, *self.fills.values()):
            if field not in self.fields:
                raise ValueError(f"“{field}” is none of `fields`")
        for words in (each for values in self.words.values() for each in values.values()):
            if words.keys() != {"ru", "en"}:
                raise ValueError("`words` are given in ru and en")
        return self


class Look(Reading):
    """Where to look whether a write has happened: `mark` is where in a row the sent mark stands."""

    mark: Expression = Field(min_length=1)
    from_caller: dict[str, Literal["customer"]] = Field(default_factory=dict)
    fixed: dict[str, Any] = Field(default_factory=dict)
    fields: dict[str, Expression] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _listed(self) -> "Look":
        if not self.rows:
            raise ValueError("a look goes through a list; say where it stands with `rows`")
        return self


class Change(Assigned):
    """One tool that writes: `[changes.<tool>]`. It is proposed, confirmed by the customer, and sent once."""

    operation: str = Field(min_length=1)
    effect: Literal["write"] = "write"
    asks: tuple[str, ...] = ()
    fixed: dict[str, Any] = Field(default_factory=dict)
    of: str = ""
    """The tool that reads what is changed: it proves whose that is, before the question and before it is sent."""
    became: dict[str, str | int | bool] = Field(default_factory=dict)
    """Fields of `of` as the change leaves them."""
    mark: str = ""
    """The argument that takes a mark of ours; where the model fills it too, the mark is put after its text."""
    look: Look | None = None
    row: Expression = ""
    fields: dict[str, Expression] = Field(default_factory=dict)
    """What the system tells of what it did: { number = "number" }."""

    @property
    def whose(self) -> bool:
        return bool(self.of) or super().whose

    @model_validator(mode="after")
    def _found_again(self) -> "Change":
        if self.hide or self.say:
            raise ValueError("`asks` and `fields` stand in place of `hide` and `say` here")
        if bool(self.mark) != (self.look is not None):
            raise ValueError("`mark` is what `look` finds again; give both or neither")
        if self.became and not self.of:
            raise ValueError("`became` are fields of the thing that `of` reads; name it")
        return self


class Key(Part):
    """How the system wants to be shown its key: a header, and what stands before the key."""

    header: str = Field(default="Authorization", pattern=r"^[A-Za-z0-9-]+$")
    prefix: str = "Bearer "


class Mapping(Part):
    """One file."""

    url: str = ""
    """The system's address; default the first of the document's `servers`."""
    key: Key = Key()
    seconds: float = Field(default=5.0, ge=0.2, le=9.0)
    """Longest wait for one question, further attempts and pages included."""
    customers: Customers | None = None
    tools: dict[Name, Tool] = Field(default_factory=dict)
    changes: dict[Name, Change] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _address(self) -> "Mapping":
        parts = urlsplit(self.url)
        if self.url and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError(f"“{self.url}” is no address; write it as https://host/api")
        if parts.username or parts.password or parts.query:
            raise ValueError("no secrets in `url`; put the key into MAYAK_SYSTEM_KEYS")
        return self
