"""Systems behind HTTP before anybody asks: what a mapping may say, and what is refused with file, line and remedy."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.errors import BadPack
from agent.pack import load_pack
from api.health import examine_systems
from api.plugged import refuse_taken
from api.settings import Settings
from tests.tools.desk_server import KEY, desk
from tests.tools.desks import DESK, MAPPING, pack
from tools.openapi.document import Document, Unreadable, read_document
from tools.openapi.schemas import Schemas
from tools.outside.assignment import Unusable

DOCUMENT = (DESK / "desk.openapi.yaml").read_text("utf-8")


class TestPack:
    def test_a_described_system_is_read_with_its_tools(self, tmp_path: Path) -> None:
        desk = load_pack(pack(tmp_path)).systems["desk"]
        found = {tool.name: tool for tool in desk.tools}
        assert {"my_cases", "case_status", "service_rooms"} <= found.keys()
        assert found["case_status"].kinds == {"number": "integer"}
        assert found["my_cases"].kinds == {}
        assert found["my_cases"].rule.scope == "cases:read"
        assert desk.customers.keys() == {"by_id", "by_login", "by_email", "by_phone", "by_name"}

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ('operation = "getCase"', 'operation = "getCse"', "no operation “getCse”"),
            ('scope = "cases:read"', 'scope = "cases:look"', "no purpose of this pack"),
            ('assurance = "channel"', 'assurance = "anonymous"', "known customer"),
            ('assurance = "channel"', 'assurance = "sure"', "assurance"),
            ('asks = ["number"]', 'asks = ["numbr"]', "no argument “numbr”"),
            ('asks = ["number"]\n', "", "“number” is required"),
            ('from_caller = { customer_id = "customer" }', 'asks = ["customer_id"]', "whose data it is"),
            (
                'from_caller = { customer_id = "customer" }',
                'from_caller = { customer = "customer" }',
                "no argument",
            ),
            ('rows = "cases"\nowner = "customer.id"', 'rows = "cases"', "a system may ignore a filter"),
            ('row = "case"\nowner = "customer.id"', 'row = "case"', "nothing proves whose"),
            ('owner = "customer.id"', 'owner = "customer.ident"', "no field “ident”"),
            ('row = "case"', 'row = "cas"', "no field “cas”"),
            ('rows = "cases"', 'rows = "case"', "no field “case”"),
            ('subject = "subject"', 'subject = "subjct"', "no field “subjct”"),
            ('subject = "subject"', 'subject = "subject["', "no JMESPath"),
            ('subject = "subject"', 'subject = "shout(subject)"', "no function “shout”"),
            ('next = "next_cursor"', 'next = "next"', "no field “next”"),
            ('argument = "cursor"', 'argument = "curser"', "no argument “curser”"),
            (', next = "next_cursor"', "", "next cursor"),
            ("«{subject}»", "«{topic}»", "{topic} is none of the fields"),
            ("{opened:date}", "{opened:day}", "unknown kind"),
            ('tell.ru = ["Обращение', 'tell.de = ["Обращение', "tell"),
            ('"Ответ: {answer}"]', '"Ответ: {answer}", "Всё."]', "as many in both"),
            ("words.state = {", "words.status = {", "none of `fields`"),
            ('open = { ru = "в работе", en = "being worked on" }', 'open = { ru = "в работе" }', "ru and en"),
            ('fills = { number = "number" }', 'fills = { number = "no" }', "none of `fields`"),
            ('effect = "read"', 'effect = "look"', "effect"),
            ("[tools.case_status]", "[tools.my_cases_too]\nretries = 3", "retries"),
            ("[tools.service_rooms]", "[tools.hand_over]", "called “hand_over”"),
            ("[changes.close_case]", "[changes.my_cases]", "called “my_cases”"),
            ("[tools.case_status]", "[tools.Case]", "Case"),
            ('url = "https://desk.example/api"', 'url = "desk.example"', "no address"),
            ('url = "https://desk.example/api"', 'url = "https://me:pw@desk.example"', "no secrets"),
            ("seconds = 5", "seconds = 50", "seconds"),
            (
                'takes = { customer_id = "id" }',
                'takes = { customer_id = "email" }',
                "no argument takes what is sought",
            ),
            ('takes = { customer_id = "id" }', 'takes = { id = "id" }', "no argument “id”"),
            ('fields = { id = "id", login = "login"', 'fields = { login = "login"', "some are absent"),
            ('points = "points"', 'score = "points"', "score"),
            ('operation = "getCase"', 'operation = "closeCase"', "may change something"),
            ('operation = "openCase"', 'operation = "getCase"', "a GET changes nothing"),
            ('of = "case_status"\nbecame = { state = "closed" }\n', "", "nothing tells the server whose"),
            ('of = "case_status"\nbecame = { state = "closed" }', 'of = "my_case"', "no tool “my_case”"),
            ('of = "case_status"', 'of = "my_cases"', "not about one thing"),
            ('became = { state = "closed" }', 'became = { stat = "closed" }', "none of the fields of"),
            ('{details}", en', '", en', "does not show the argument “details”"),
            ('en = "Case {number} is open."', 'en = "Case {no} is open."', "{no} is no argument"),
            (
                'fields = { number = "number" }\nconfirm',
                'fields = { subject = "subject" }\nconfirm',
                "two things",
            ),
            (
                'fields = { number = "number" }\nconfirm',
                'fields = { number = "nr" }\nconfirm',
                "no field “nr”",
            ),
            ('idempotency = "Idempotency-Key"', 'idempotency = "key"', "no argument “key”"),
            ('idempotency = "Idempotency-Key"', 'mark = "reference"', "both or neither"),
            ('fixed = { channel = "chat" }\n', "", "“channel” is required"),
        ],
    )
    def test_what_cannot_be_used_is_refused_with_file_line_and_remedy(
        self, tmp_path: Path, old: str, new: str, said: str
    ) -> None:
        assert old in MAPPING
        with pytest.raises(BadPack, match=r"systems/desk\.toml:\d+: ") as refused:
            load_pack(pack(tmp_path, MAPPING.replace(old, new, 1)))
        assert said in f"{refused.value} {refused.value.remedy}"

    def test_the_line_is_that_of_the_wrong_value(self, tmp_path: Path) -> None:
        text = MAPPING.replace('operation = "getCase"', 'operation = "getCse"')
        with pytest.raises(BadPack) as refused:
            load_pack(pack(tmp_path, text))
        line = int(re.findall(r"desk\.toml:(\d+)", str(refused.value))[0])
        assert text.splitlines()[line - 1] == 'operation = "getCse"'
        assert "getCase" in refused.value.remedy

    def test_a_name_of_the_house_is_not_given_to_another_tool(self, tmp_path: Path) -> None:
        found = load_pack(pack(tmp_path))
        refuse_taken(found, {"my_orders"})
        with pytest.raises(BadPack, match=r"systems/desk\.toml:\d+: tools\.my_cases: "):
            refuse_taken(found, {"my_cases"})

    @pytest.mark.parametrize(
        ("document", "said"),
        [
            ("openapi: 3.0.3\npaths: ]\n", r"desk\.openapi\.yaml:2: "),
            ("swagger: '2.0'\npaths: {}", "no OpenAPI document of version 3"),
            ("- 1", "no OpenAPI document"),
            ("{}", "no OpenAPI document"),
            (DOCUMENT.replace("#/components/schemas/State", "other.yaml#/State"), "elsewhere"),
            (DOCUMENT.replace("#/components/schemas/State", "#/components/schemas/Stat"), "has no “#/comp"),
        ],
    )
    def test_a_document_that_cannot_be_read_is_refused(
        self, tmp_path: Path, document: str, said: str
    ) -> None:
        with pytest.raises(BadPack, match=said) as refused:
            load_pack(pack(tmp_path, document=document))
        assert refused.value.remedy

    def test_a_mapping_without_its_document_is_refused(self, tmp_path: Path) -> None:
        folder = pack(tmp_path)
        (folder / "systems" / "desk.openapi.yaml").unlink()
        with pytest.raises(BadPack, match=r"desk\.openapi\.yaml is absent") as refused:
            load_pack(folder)
        assert "desk.toml" in refused.value.remedy

    def test_an_answer_nobody_describes_could_not_be_checked(self, tmp_path: Path) -> None:
        bare = DOCUMENT.replace('schema: { $ref: "#/components/schemas/Customer" }', "schema: {}")
        with pytest.raises(BadPack, match="does not say what “getCustomer” answers"):
            load_pack(pack(tmp_path, document=bare))


class TestSchemas:
    """What OpenAPI says in its own way is checked as it is meant."""

    @pytest.mark.parametrize(
        ("schema", "good", "bad"),
        [
            ({"type": "string", "nullable": True}, [None, "x"], [7]),
            ({"type": "string", "enum": ["a"], "nullable": True}, [None, "a"], ["b"]),
            ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, [0.1], [0, -1]),
            ({"allOf": [{"$ref": "#/components/schemas/N"}], "nullable": True}, [None, 3], ["3"]),
            ({"$ref": "#/components/schemas/N", "nullable": True}, [3], [None]),
            # Two branches that only a format tells apart are one of them all the same.
            (
                {"oneOf": [{"type": "string", "format": "email"}, {"type": "string", "maxLength": 0}]},
                ["", "a@b.c"],
                [7],
            ),
            ({"type": "string", "pattern": "^(a+)+$"}, ["b"], [1]),
            ({"type": "object", "properties": {"a": {"writeOnly": True}}, "required": ["a"]}, [{}], [[]]),
            (
                {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
                [[{"of": [{}]}]],
                [[{"of": 1}]],
            ),
            ({"type": "object", "additionalProperties": False}, [{}], [{"x": 1}]),
        ],
    )
    def test_of_the_older_version(self, schema: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
        asserted = _schemas("3.0.3").asserted(schema, direction="received")
        assert [asserted.fault(value) for value in good] == [""] * len(good)
        assert all(asserted.fault(value) for value in bad)

    def test_of_the_newer_version(self) -> None:
        both = {"$ref": "#/components/schemas/N", "minimum": 5}
        asserted = _schemas("3.1.0").asserted(both, direction="received")
        assert (asserted.fault(7), bool(asserted.fault(3))) == ("", True)
        several = _schemas("3.1.0").asserted({"type": ["string", "null"]}, direction="received")
        assert (several.fault(None), bool(several.fault(1))) == ("", True)

    def test_a_fault_names_the_place_and_nothing_of_the_value(self) -> None:
        schema = {"type": "object", "properties": {"rows": {"items": {"type": "integer"}}}}
        fault = _schemas("3.0.0").asserted(schema, direction="received").fault({"rows": [1, "Anna, +7 900"]})
        assert fault == "rows.[] (type)"

    def test_what_a_document_cannot_be_called_for_is_said(self) -> None:
        document = Document(
            {
                "openapi": "3.0.0",
                "paths": {
                    "/a": {
                        "post": {
                            "operationId": "upload",
                            "requestBody": {"required": True, "content": {"multipart/form-data": {}}},
                        },
                        "get": {
                            "operationId": "deep",
                            "parameters": [
                                {"name": "f", "in": "query", "required": True, "style": "deepObject"}
                            ],
                        },
                    }
                },
            }
        )
        for operation, said in (("upload", "no JSON"), ("deep", "cannot be sent")):
            with pytest.raises(Unusable, match=said):
                document.operation(operation)

    def test_a_day_in_an_example_and_a_status_that_is_a_number_are_no_trouble(self, tmp_path: Path) -> None:
        path = tmp_path / "x.yaml"
        path.write_text(DOCUMENT.replace('"200"', "200") + "x-example: { day: 2026-11-29 }\n")
        assert read_document(path).operation("getCase").answers is not None
        path.write_bytes(b"openapi: \xff")
        with pytest.raises(Unreadable):
            read_document(path)


def _schemas(version: str) -> Schemas:
    pool = {
        "N": {"type": "integer"},
        "Tree": {"properties": {"of": {"items": {"$ref": "#/components/schemas/Tree"}, "type": "array"}}},
    }
    return Schemas({"components": {"schemas": pool}}, version=version)


class TestDoctor:
    async def test_a_system_that_answers_is_well(self, tmp_path: Path) -> None:
        async with desk() as server:
            (finding,) = await examine_systems(_settings(tmp_path, server.address))
            assert (finding.ok, finding.detail) == (True, "desk: answers; customers, 5 tools")
            assert server.asked == ["GET /api/customers/000000"]
            wrong = replace(_settings(tmp_path, server.address), system_keys=("desk=other",))
            (finding,) = await examine_systems(wrong)
            assert not finding.ok
            assert "key" in finding.remedy
            # Some systems say of a wrong key that it is forbidden, as they say of another's record.
            server.instead = lambda asked: (403, None)
            (finding,) = await examine_systems(_settings(tmp_path, server.address))
            assert (finding.ok, "key" in finding.remedy) == (False, True)

    async def test_one_that_is_away_and_a_key_for_another_are_told_with_a_remedy(
        self, tmp_path: Path
    ) -> None:
        settings = _settings(tmp_path, "http://127.0.0.1:9")
        (finding,) = await examine_systems(settings)
        assert (finding.ok, "cannot be reached" in finding.detail) == (False, True)
        (finding,) = await examine_systems(replace(settings, system_keys=("dusk=x",)))
        assert (finding.ok, "desk" in finding.remedy) == (False, True)
        assert "x" not in finding.detail.replace("MAYAK_SYSTEM_KEYS", "").split("“")[0]


def _settings(folder: Path, address: str) -> Settings:
    return Settings(
        company=pack(folder),
        data=folder / "data",
        system_keys=(f"desk={KEY}",),
        system_urls=(f"desk={address}",),
    )
