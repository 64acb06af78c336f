"""The guide's example is the one that runs: its mapping is loaded, its calls are made, what it prints comes out."""

import json
import re
from pathlib import Path

from api.settings import ROOT
from tests.tools.desk_server import desk
from tests.tools.desks import asking, box, described, known
from tests.tools.shop import ANNA
from tools.crm.http import HttpCRM
from tools.proposal import Proposal

GUIDE = (ROOT / "docs" / "http-adapter.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+) (\S+)\n(.*?)```", GUIDE, re.DOTALL)
MAPPING = "\n".join(body for _, name, body in BLOCKS if name == "systems/desk.toml")


async def test_the_example_of_the_guide_answers_as_it_says(tmp_path: Path) -> None:
    calls = [(name.partition("=")[2], json.loads(body)) for _, name, body in BLOCKS if "call=" in name]
    assert len(calls) >= 5
    async with desk() as server, asking(server) as asked:
        system = described(tmp_path, MAPPING)
        tools = box(system, asked)
        for tool, example in calls:
            found = json.loads(await tools.call(tool, example["arguments"], known(ANNA)))
            assert found.get("fault") == example.get("fault"), tool
            told = [sentence.replace("\u00a0", " ") for sentence in found["sentences"]]
            assert told == example["sentences"], tool
            if "yes" in example:
                proposal = Proposal.from_dict(found["proposal"])
                effect = await tools.execute(proposal, known(ANNA), key=proposal.id)
                assert tools.effect_text(effect, "ru") == example["yes"]
        assert (await HttpCRM(system, asked).customer(ANNA)).login == "anna"
