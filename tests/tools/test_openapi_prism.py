"""Described systems before a third party that knows their document: what we send is as agreed, and so is our own Desk."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.npm import NoNode
from tests.prism import prism
from tests.tools.desk_server import KEY, desk
from tests.tools.desks import DESK, MAPPING, asking, box, described, known
from tests.tools.shop import ANNA
from tools.crm.http import HttpCRM
from tools.http_client import HttpSystem
from tools.openapi.asking import Asking
from tools.proposal import Proposal

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1200)]
DOCUMENT = DESK / "desk.openapi.yaml"


@pytest.fixture(scope="module")
def mocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        with prism(DOCUMENT, folder=tmp_path_factory.mktemp("prism")) as address:
            yield address
    except NoNode as absent:
        pytest.skip(str(absent))


async def test_every_request_is_one_that_the_document_allows(mocked: str, tmp_path: Path) -> None:
    """Its answers are examples of nobody's: they are refused or of others, but never 422, which would be our fault."""
    http = HttpSystem("desk", mocked, headers={"Authorization": f"Bearer {KEY}"})
    asked = Asking(http)
    tools = box(described(tmp_path), asked)
    try:
        told = {
            name: json.loads(await tools.call(name, arguments, known(ANNA)))
            for name, arguments in (
                ("my_cases", {}),
                ("case_status", {"number": 101}),
                ("service_rooms", {"city": "Омск"}),
            )
        }
        # The examples belong to a customer called “string”, and their cursor leads back to itself.
        assert told["my_cases"]["fault"] == "unavailable"
        assert told["case_status"]["fault"] == "not_found"
        assert told["service_rooms"]["sentences"] == ["string: string."]
        raw = json.loads(await tools.call("open_case", {"subject": "Мигает лампа"}, known(ANNA)))
        proposal = Proposal.from_dict(raw["proposal"])
        effect = await tools.execute(proposal, known(ANNA), key=proposal.id)
        assert (effect.state, effect.facts["number"]) == ("done", 1)
    finally:
        await http.close()


async def test_our_own_desk_keeps_to_its_document(tmp_path: Path) -> None:
    """What the other tests are run against answers as its document says, by the word of somebody else."""
    async with desk() as server:
        try:
            with prism(DOCUMENT, folder=tmp_path, upstream=server.address) as address:
                server.address = address
                async with asking(server, seconds=9) as asked:
                    system = described(tmp_path, MAPPING)
                    assert (await HttpCRM(system, asked).customer(ANNA)).login == "anna"
                    assert (await HttpCRM(system, asked).find_by_email("anna@example.com")).id == ANNA
                    tools = box(system, asked)
                    for name, arguments in (("my_cases", {}), ("case_status", {"number": 103})):
                        assert json.loads(await tools.call(name, arguments, known(ANNA)))["ok"], name
                    for name, given in (
                        ("open_case", {"subject": "Мигает"}),
                        ("close_case", {"number": 101}),
                    ):
                        raw = json.loads(await tools.call(name, given, known(ANNA)))
                        proposal = Proposal.from_dict(raw["proposal"])
                        assert (
                            await tools.execute(proposal, known(ANNA), key=proposal.id)
                        ).state == "done", name
        except NoNode as absent:
            pytest.skip(str(absent))
