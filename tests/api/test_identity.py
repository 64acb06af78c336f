"""Identity by one-time code, end to end: the real application, the embedded shop, letters in files."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import select

from agent.records import tables as t
from agent.records.errors import OtherCustomer
from api.identity import sign
from tests.api.identity_desk import ALLOW, CODE, MINE, SECRET, Town, open_town, settings_of
from tools.context import CustomerId

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with open_town(settings_of(tmp_path_factory.mktemp("town"))) as town:
        yield town


async def test_a_stranger_becomes_the_customer_and_the_request_goes_on(town: Town) -> None:
    visit = await town.visit()
    asked = await visit.say(MINE)
    assert asked["outcome"] == "clarify"
    assert [b["action"]["kind"] for b in asked["buttons"]] == ["code", "person"]
    before = len(town.letters())
    assert (await visit.say(**CODE))["waiting"] == {"what": "contact", "target": ""}
    sent = await visit.say("Anna@Example.com")
    assert sent["waiting"] == {"what": "code", "target": ""}
    assert "Если этот контакт у нас есть" in sent["text"]
    assert (await visit.state()).customer_id is None
    known = await visit.say(f"мой код {await town.code(after=before)}")
    assert known["waiting"] == {"what": "consent", "target": "orders:read"}
    state = await visit.state()
    assert (state.customer_id, state.assurance) == ("c-001", "verified")
    told = await visit.say(**ALLOW)
    assert told["outcome"] == "answered"
    assert "1045-А" in told["text"]
    assert (await visit.say("Где мой заказ 1051?"))["tools"][0]["name"] == "order_status"


async def test_words_ask_for_a_code_as_a_button_does_and_a_contact_may_stand_beside_them(town: Town) -> None:
    visit = await town.visit(language="en")
    before = len(town.letters())
    sent = await visit.say("send me a code to anna@example.com please")
    assert sent["waiting"]["what"] == "code"
    assert "If we know this contact" in sent["text"]
    assert "anna@" not in " ".join(await visit.lines())
    done = await visit.say(await town.code(after=before))
    assert done["text"] == "Thanks, now I can see it's you. What can I do for you?"


async def test_known_and_unknown_contacts_get_the_same_words_and_outcomes(town: Town) -> None:
    async def story(contact: str) -> list[tuple[str, str, str]]:
        visit = await town.visit()
        turns = [await visit.say(**CODE), await visit.say(contact)]
        turns += [await visit.say(f"00000{n}") for n in range(6)]
        assert (await visit.state()).customer_id is None
        return [(turn["outcome"], turn["text"], repr(turn["buttons"])) for turn in turns]

    assert await story("john@example.com") == await story("nobody@example.org")


async def test_five_wrong_codes_lock_and_say_for_how_long(town: Town) -> None:
    visit = await town.visit()
    code = await visit.coded("boris@example.com")
    wrong = [f"{(int(code) + n) % 1_000_000:06}" for n in range(1, 6)]
    texts = [(await visit.say(one))["text"] for one in wrong]
    assert texts[0].startswith("Код не подошёл.")
    assert "через 30\u00a0минут" in texts[-1]
    assert "Неверных кодов было слишком много" in (await visit.say(code))["text"]
    assert (await visit.state()).customer_id is None


async def test_a_used_code_and_one_of_another_conversation_prove_nothing(town: Town) -> None:
    one, two = await town.visit(), await town.visit()
    code = await one.coded("vera@example.com")
    theirs = await two.coded("vera@example.com")
    if code != theirs:
        assert (await two.say(code))["text"].startswith("Код не подошёл.")
    await one.say(code)
    assert (await one.state()).customer_id == "c-003"
    assert (await one.say(code))["text"].startswith("Я уже знаю, что это вы")
    await two.say(**CODE)
    await two.say(theirs)
    assert (await two.state()).customer_id in (None, "c-003")


async def test_two_conversations_at_once_are_each_their_own(town: Town) -> None:
    one, two = await town.visit(), await town.visit()
    await asyncio.gather(one.say(**CODE), two.say(**CODE))
    before = len(town.letters())
    await one.say("vera@example.com")
    first = await town.code(after=before)
    await two.say("+7 900 000-00-04")
    second = await town.code(after=before + 1)
    await asyncio.gather(one.say(first), two.say(second))
    assert [(await each.state()).customer_id for each in (one, two)] == ["c-003", "c-004"]


async def test_a_conversation_never_changes_hands(town: Town) -> None:
    visit = await town.visit()
    await visit.say(await visit.coded("vera@example.com"))
    before = len(town.letters())
    again = await visit.say("пришлите код на boris@example.com")
    assert again["text"].startswith("Я уже знаю, что это вы")
    assert len(town.letters()) == before
    async with town.building.engine.connect() as connection:
        turn = (
            (await connection.execute(select(t.turns.c.id).where(t.turns.c.conversation == visit.id)))
            .scalars()
            .first()
        )
    with pytest.raises(OtherCustomer):
        await town.building.records.identify(turn, CustomerId("c-002"), "verified")
    assert (await visit.state()).customer_id == "c-003"


async def test_what_was_allowed_before_is_allowed_again(town: Town) -> None:
    visit = await town.visit(identity=sign("c-003", secret=SECRET, audience="mayak"))
    await visit.say("Какие у меня заказы?")
    await visit.say(**ALLOW)
    later = await town.visit()
    await later.say("Какие у меня заказы?")
    told = await later.say(await later.coded("vera@example.com"))
    assert told["outcome"] == "answered"
    assert [use["purpose"] for use in told["data_used"]] == ["orders:read"]


async def test_a_question_in_between_leaves_the_code_open_and_the_request_waiting(town: Town) -> None:
    visit = await town.visit()
    await visit.say("Какие у меня заказы?")
    code = await visit.coded("vera@example.com")
    assert (await visit.say("Вы робот?"))["text"].startswith("Да, я программа")
    told = await visit.say(code)
    assert told["text"].startswith("Спасибо, теперь вижу, что это вы.")
    assert "Чем помочь" not in told["text"]


@pytest.mark.parametrize(
    ("words", "begins"),
    [("12345", "В коде шесть цифр"), ("1234567", "В коде шесть цифр"), ("０００ ０００", "Код не подошёл")],
)
async def test_digits_are_read_in_every_hand(town: Town, words: str, begins: str) -> None:
    visit = await town.visit()
    await visit.coded("vera@example.com")
    assert (await visit.say(words))["text"].startswith(begins)
    assert (await visit.lines())[-2] == "•••"


async def test_a_contact_that_cannot_be_read_is_asked_for_again(town: Town) -> None:
    visit = await town.visit()
    await visit.say(**CODE)
    again = await visit.say("anna@example")
    assert again["waiting"]["what"] == "contact"
    assert again["text"].startswith("Не разобрал контакт")
    assert (await visit.say("anna@example.com или boris@example.com"))["waiting"]["what"] == "contact"


async def test_a_person_asked_for_in_the_middle_comes_and_reads_no_code(town: Town) -> None:
    visit = await town.visit()
    code = await visit.coded("vera@example.com")
    handed = await visit.say(f"{code}\nпозовите человека")
    assert handed["handoff"]["reason"] == "customer_asked"
    async with town.building.engine.connect() as connection:
        (summary,) = (
            await connection.execute(select(t.tickets.c.summary).where(t.tickets.c.conversation == visit.id))
        ).one()
    assert code not in summary


async def test_no_code_and_no_contact_is_in_any_log_or_table(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    visit = await town.visit()
    await visit.say(MINE)
    code = await visit.coded("vera@example.com")
    await visit.say(code)
    await asyncio.sleep(0.2)
    kept = await town.everything()
    for secret in (code, "vera@example.com"):
        assert secret not in kept
        assert secret not in caplog.text
