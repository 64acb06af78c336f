"""Identity by name and postcode, end to end: a company that counts it, the embedded shop, the real application."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.api.identity_desk import ALLOW, MINE, Town, open_town, settings_of
from tools.contacts import HIDDEN

pytestmark = pytest.mark.asyncio(loop_scope="module")

FACTORS = ('factors = ["token", "code"]', 'factors = ["token", "name_postcode"]')
OFTEN = ("per_hour = 60", "per_hour = 999")
HERS = "Анна Соколова, 603073"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    async with open_town(settings_of(folder, policy=(FACTORS, OFTEN))) as town:
        yield town


async def test_a_stranger_becomes_the_customer_and_the_request_goes_on(town: Town) -> None:
    visit = await town.visit()
    asked = await visit.say(MINE)
    assert asked["waiting"] == {"what": "name", "target": ""}
    assert "почтовый индекс" in asked["text"]
    assert [b["action"]["kind"] for b in asked["buttons"]] == ["person"]
    known = await visit.say(HERS)
    assert known["waiting"] == {"what": "consent", "target": "orders:read"}
    assert known["cost"]["prompt_tokens"] == 0
    state = await visit.state()
    assert (state.customer_id, state.assurance) == ("c-001", "channel")
    told = await visit.say(**ALLOW)
    assert "1045-А" in told["text"]


async def test_what_proves_little_opens_no_change(town: Town) -> None:
    visit = await town.visit()
    await visit.say(MINE)
    await visit.say(HERS)
    await visit.say(**ALLOW)
    wished = await visit.say("Отмените заказ 1051")
    assert wished["outcome"] in ("clarify", "answered", "escalated")
    assert wished["waiting"] is None
    assert "Отменить заказ 1051" not in wished["text"]
    assert not any(tool["name"] == "cancel_order" for tool in wished["tools"])


async def test_known_and_unknown_names_get_the_same_words_buttons_and_locks(town: Town) -> None:
    async def story(name: str) -> list[tuple[str, str, str]]:
        visit = await town.visit()
        turns = [await visit.say(MINE)]
        turns += [await visit.say(f"{name}, 20000{n}") for n in range(5)]
        turns += [await visit.say(MINE), await visit.say(f"{name}, 200009")]
        assert (await visit.state()).customer_id is None
        return [(turn["outcome"], turn["text"], repr(turn["buttons"])) for turn in turns]

    hers, nobodys = await story("Борис Орлов"), await story("Никто Никакой")
    assert hers == nobodys
    assert "не нашёл" in hers[1][1]
    assert "через 30\u00a0минут" in hers[5][1]
    # The right postcode, in another conversation, while the name is locked.
    visit = await town.visit()
    await visit.say(MINE)
    locked = await visit.say("Борис Орлов, 101009")
    assert "попыток было слишком много" in locked["text"]
    assert (await visit.state()).customer_id is None


async def test_name_and_postcode_are_nowhere_in_the_agents_records(town: Town) -> None:
    visit = await town.visit()
    await visit.say(MINE)
    await visit.say("Меня зовут Вера Туманова, индекс 420049")
    assert (await visit.state()).customer_id == "c-003"
    assert HIDDEN in await visit.lines()
    everything = await town.everything()
    assert "Туманова" not in everything
    assert "420049" not in everything


async def test_what_could_not_be_read_is_asked_for_again_and_another_question_is_answered(town: Town) -> None:
    visit = await town.visit()
    await visit.say(MINE)
    again = await visit.say("603073")
    assert again["waiting"]["what"] == "name"
    assert "одним сообщением" in again["text"]
    assert "603073" not in " ".join(await visit.lines())
    other = await visit.say("Вы робот?")
    assert other["outcome"] == "answered"
    assert (await visit.state()).customer_id is None


async def test_a_name_where_none_is_awaited_claims_nothing(town: Town) -> None:
    visit = await town.visit()
    await visit.say(HERS)
    assert (await visit.state()).customer_id is None


async def test_where_the_company_does_not_count_it_nobody_is_asked_for_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with open_town(settings_of(tmp_path_factory.mktemp("usual"))) as usual:
        visit = await usual.visit()
        asked = await visit.say(MINE)
        assert "индекс" not in asked["text"]
        await visit.say(HERS)
        assert (await visit.state()).customer_id is None
