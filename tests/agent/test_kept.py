"""Dear things are made once, and the least recently used goes first."""

from agent.kept import Kept


def test_a_value_is_made_once_as_long_as_it_is_used() -> None:
    made: list[str] = []
    kept: Kept[str] = Kept(most=2)

    def get(name: str) -> str:
        return kept.get(name, lambda: made.append(name) or name.upper())

    assert [get(name) for name in ("a", "b", "a", "c", "a", "b")] == ["A", "B", "A", "C", "A", "B"]
    assert made == ["a", "b", "c", "b"]
