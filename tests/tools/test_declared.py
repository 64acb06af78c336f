"""Tools of several toolkits share what they ask for, and nothing else."""

from typing import Annotated

from langchain.tools import BaseTool
from pydantic import Field

from tools.declared import tool


def _toolkit(shelf: str) -> list[BaseTool]:
    @tool(extras={"scope": shelf})
    async def borrow(book: Annotated[str, Field(max_length=9)], days: int = 14) -> str:
        """Borrow a book."""
        return f"{book} from {shelf} for {days}"

    @tool(extras={})
    async def give_back(book: str) -> str:
        """Give a book back."""
        return f"{book} to {shelf}"

    return [borrow, give_back]


async def test_each_toolkit_keeps_its_own_body_and_extras() -> None:
    (north, back), (south, _) = _toolkit("north"), _toolkit("south")
    assert await north.ainvoke({"book": "Emma"}) == "Emma from north for 14"
    assert await south.ainvoke({"book": "Emma", "days": 3}) == "Emma from south for 3"
    assert await back.ainvoke({"book": "Emma"}) == "Emma to north"
    assert (north.extras, south.extras) == ({"scope": "north"}, {"scope": "south"})


def test_what_a_function_asks_for_is_read_once() -> None:
    (first, back), (again, back_again) = _toolkit("north"), _toolkit("south")
    assert again.args_schema is first.args_schema
    assert back_again.args_schema is back.args_schema
    assert first.args_schema is not back.args_schema


def test_a_tool_read_before_is_described_as_one_read_now() -> None:
    first, again = _toolkit("north")[0], _toolkit("south")[0]
    assert (again.name, again.description) == (first.name, first.description) == ("borrow", "Borrow a book.")
    assert again.args["book"]["maxLength"] == 9
    assert again.get_input_jsonschema() == first.get_input_jsonschema()
