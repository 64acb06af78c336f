"""Tools of a system behind HTTP as customers meet them: their own records, in the pack's words, and nothing believed."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.utils.function_calling import convert_to_openai_tool

from tests.tools.desk_server import Desk, desk
from tests.tools.desks import MAPPING, asking, box, described, known
from tests.tools.shop import ANNA, BORIS, JOHN, caller
from tests.tools.test_toolbox import TestSchemas
from tools.context import CustomerId
from tools.errors import NoBasis, NotIdentified
from tools.toolbox import Toolbox

FOREIGN = "Возврат гирлянды"


@pytest.fixture
async def server() -> AsyncIterator[Desk]:
    async with desk() as running:
        yield running


@pytest.fixture
async def tools(server: Desk, tmp_path: Path) -> AsyncIterator[Toolbox]:
    async with asking(server) as asked:
        yield box(described(tmp_path), asked)


async def told(tools: Toolbox, name: str, who: CustomerId = ANNA, **arguments: Any) -> dict[str, Any]:
    language = arguments.pop("language", "ru")
    found: dict[str, Any] = json.loads(await tools.call(name, arguments, known(who, language=language)))
    return found


class TestReading:
    async def test_own_cases_are_listed_in_the_packs_words(self, tools: Toolbox, server: Desk) -> None:
        found = await told(tools, "my_cases")
        assert found["sentences"] == [
            "Обращение № 103 от 20\u00a0ноября, «Счёт для бухгалтерии»: закрыто.",
            "Обращение № 101 от 20\u00a0ноября, «Не горит фонарь»: в работе.",
        ]
        assert [entry["number"] for entry in found["facts"]["entries"]] == [103, 101]
        assert found["choices"] == {"number": [{"value": n, "label": n} for n in ("103", "101")]}
        assert server.asked == ["GET /api/cases?customer_id=c-001&limit=5"]
        english = await told(tools, "my_cases", language="en")
        assert english["sentences"][1] == "Case 101 of 20\u00a0November, “Не горит фонарь”: being worked on."

    async def test_one_case_is_told_with_what_is_known_of_it_alone(self, tools: Toolbox) -> None:
        closed = await told(tools, "case_status", number="103")
        assert closed["sentences"] == [
            "Обращение № 103 от 20\u00a0ноября, «Счёт для бухгалтерии»: закрыто.",
            "Закрыто 21\u00a0ноября.",
            "Ответ: Отправили.",
        ]
        unanswered = await told(tools, "case_status", number=101)
        assert len(unanswered["sentences"]) == 1
        assert unanswered["facts"].keys() == {"number", "subject", "state", "opened"}

    async def test_who_has_none_hears_so(self, tools: Toolbox) -> None:
        assert (await told(tools, "my_cases", JOHN))["sentences"] == ["Обращений у вас нет."]

    async def test_a_value_without_a_word_is_told_as_it_stands(self, server: Desk, tmp_path: Path) -> None:
        async with asking(server) as asked:
            bare = MAPPING.replace('open = { ru = "в работе", en = "being worked on" }, ', "")
            found = await told(box(described(tmp_path, bare), asked), "my_cases")
        assert found["sentences"][1].endswith("«Не горит фонарь»: open.")

    async def test_what_is_nobodys_is_told_to_everybody(self, tools: Toolbox) -> None:
        anonymous = caller(None, assurance="anonymous", purposes=frozenset())
        found = json.loads(await tools.call("service_rooms", {"city": "Омск"}, anonymous))
        assert found["sentences"] == ["Омск, Мира 7: 9–18."]

    async def test_pages_are_turned_until_the_last_and_what_is_left_is_said(
        self, tools: Toolbox, server: Desk
    ) -> None:
        for n in range(6):
            server.open(ANNA, f"Вопрос {n}")
        assert len((await told(tools, "my_cases"))["sentences"]) == 8
        assert len(server.asked) == 2
        for n in range(60):
            server.open(ANNA, f"Ещё {n}")
        many = await told(tools, "my_cases")
        assert len(many["facts"]["entries"]) == 12
        assert many["sentences"][-1] == "Это не всё: система знает и другие записи."
        assert len(server.asked) == 2 + 4

    async def test_a_cursor_that_leads_back_is_not_followed_for_ever(
        self, tools: Toolbox, server: Desk
    ) -> None:
        server.instead = lambda asked: (200, {"cases": server.cases[:1], "next_cursor": "again"})
        assert (await told(tools, "my_cases"))["fault"] == "unavailable"
        assert len(server.asked) == 2


class TestWhose:
    async def test_another_customers_case_looks_as_if_it_were_not_there(
        self, tools: Toolbox, server: Desk
    ) -> None:
        absent = await tools.call("case_status", {"number": 999}, known(ANNA))
        foreign = await tools.call("case_status", {"number": 102}, known(ANNA))
        server.forbidden = True
        forbidden = await tools.call("case_status", {"number": 102}, known(ANNA))
        assert absent == foreign == forbidden
        assert json.loads(absent)["fault"] == "not_found"

    async def test_a_system_that_ignores_its_filter_gives_nothing_away(
        self, tools: Toolbox, server: Desk
    ) -> None:
        server.filters = False
        raw = await tools.call("my_cases", {}, known(ANNA))
        assert FOREIGN not in raw
        assert [entry["number"] for entry in json.loads(raw)["facts"]["entries"]] == [103, 101]
        assert (await told(tools, "my_cases", BORIS))["facts"]["entries"][0]["number"] == 102

    @pytest.mark.parametrize("proof", [None, True, 1, "c-0011", "c-00", "", {"id": "c-001"}, ["c-001"]])
    async def test_only_the_very_id_proves_an_owner(
        self, tools: Toolbox, server: Desk, proof: object
    ) -> None:
        server.cases[0]["customer"] = {"id": proof}
        raw = await tools.call("case_status", {"number": 101}, known(ANNA))
        assert json.loads(raw)["fault"] in ("not_found", "unavailable")
        assert "фонарь" not in raw

    async def test_nobody_is_answered_without_consent_or_identity(self, tools: Toolbox, server: Desk) -> None:
        with pytest.raises(NoBasis):
            await tools.call("my_cases", {}, caller(ANNA, purposes=frozenset()))
        with pytest.raises(NotIdentified):
            await tools.call("my_cases", {}, caller(None, assurance="anonymous"))
        assert server.asked == []

    async def test_no_argument_of_a_tool_can_name_a_customer(self, tools: Toolbox) -> None:
        """Security requirement 1, by the same measure as the house's own tools."""
        seen = TestSchemas()
        for tool in tools.tools():
            names = {*seen.properties(convert_to_openai_tool(tool)), *tool.args}
            assert not {name for name in names if TestSchemas.IDENTITY.search(name)}, tool.name

    async def test_what_a_model_adds_is_not_sent(self, tools: Toolbox, server: Desk) -> None:
        await told(tools, "my_cases", customer_id="c-002", state="closed", limit=50)
        assert server.asked == ["GET /api/cases?customer_id=c-001&limit=5"]


class TestFaults:
    @pytest.mark.parametrize(
        ("status", "fault"),
        [
            (401, "unavailable"),
            (400, "not_found"),
            (410, "not_found"),
            (500, "unavailable"),
            (302, "unavailable"),
        ],
    )
    async def test_a_refusal_is_told_by_what_it_means(
        self, tools: Toolbox, server: Desk, status: int, fault: str
    ) -> None:
        server.instead = lambda asked: (status, {"error": "Boris owns it"})
        raw = await tools.call("case_status", {"number": 101}, known(ANNA))
        assert json.loads(raw)["fault"] == fault
        assert "Boris" not in raw

    @pytest.mark.parametrize(
        "number", [0, -1, "1/../../customers/c-002", "..", "101?state=open", 10**40, "сто"]
    )
    async def test_an_impossible_number_is_of_nothing(
        self, tools: Toolbox, server: Desk, number: object
    ) -> None:
        try:
            found = await told(tools, "case_status", number=number)
        except ValueError:
            found = {"fault": "not_found"}
        assert found["fault"] == "not_found"
        assert all(asked.startswith("GET /api/cases/") and "customers" not in asked for asked in server.asked)

    async def test_the_key_is_sent_and_never_said(
        self, tools: Toolbox, server: Desk, caplog: pytest.LogCaptureFixture
    ) -> None:
        server.instead = lambda asked: (200, {"case": {"number": "desk-key"}})
        raw = await tools.call("case_status", {"number": 101}, known(ANNA))
        assert "Bearer desk-key" in server.heads[0]
        assert "desk-key" not in raw + caplog.text
        assert "in another shape: case" in caplog.text


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["case", "cases", "next_cursor", "number", "subject", "state", "customer", "id"])
            | st.text(max_size=6),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=24,
)
CASE = st.fixed_dictionaries(
    {
        "number": st.integers(1, 10**6),
        "subject": st.text(max_size=60),
        "state": st.sampled_from(["open", "waiting", "closed"]),
        "opened": st.sampled_from(["2026-11-20T09:30:00+03:00", "yesterday", "", "2026-99-99"])
        | st.text(max_size=9),
        "customer": st.fixed_dictionaries({"id": st.sampled_from([ANNA, BORIS, "", "c-001 "])}),
    },
    optional={"closed": st.none() | st.text(max_size=20), "answer": st.none() | st.text(max_size=40)},
)


class TestAnythingAnswered:
    """Whatever comes back: no crash, nobody else's record, no value the system did not send."""

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(answer=JSON, status=st.sampled_from([200, 200, 200, 201, 204, 400, 404, 418]))
    async def test_that_is_of_another_shape_is_refused_in_words(
        self, tools: Toolbox, server: Desk, answer: Any, status: int
    ) -> None:
        server.instead = lambda asked: (status, answer)
        for name, arguments in (("my_cases", {}), ("case_status", {"number": 101})):
            found = await told(tools, name, **arguments)
            assert found["ok"] or found["fault"] in ("unavailable", "not_found", "rejected.refused")
            if found["ok"]:
                # Hardly ever does chance find the agreed shape: then there is nothing in it.
                assert found["facts"] == {"entries": []}

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(cases=st.lists(CASE, max_size=8), single=CASE)
    async def test_that_is_of_the_agreed_shape_is_told_of_its_owner_alone(
        self, tools: Toolbox, server: Desk, cases: list[dict[str, Any]], single: dict[str, Any]
    ) -> None:
        server.instead = lambda asked: (
            200,
            {"case": single} if "/cases/" in asked else {"cases": cases, "next_cursor": None},
        )
        own = [case for case in cases if case["customer"]["id"] == ANNA]
        found = await told(tools, "my_cases")
        if found["ok"]:
            assert [entry["number"] for entry in found["facts"]["entries"]] == [
                case["number"] for case in own
            ]
            for entry, case in zip(found["facts"]["entries"], own, strict=True):
                assert entry.keys() <= {"number", "subject", "state", "opened"}
                # Told on one visible line, and otherwise as it stood in the row.
                assert entry.get("state", "") == case["state"]
                assert set(entry.get("subject", "")) <= set(case["subject"]) | {" "}
        else:
            assert found["fault"] == "unavailable"
        one = await told(tools, "case_status", number=101)
        if single["customer"]["id"] != ANNA:
            assert one["fault"] == "not_found"
            assert one["facts"] == {}
