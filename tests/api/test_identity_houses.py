"""Identity by one-time code in houses of their own: restarts, stricter tools, other factors, Telegram."""

import re
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from agent.records import tables as t
from api.identity import sign
from tests.api.identity_desk import ALLOW, CODE, MINE, SECRET, Town, open_town, settings_of
from tests.telegram_api import TOKEN, TelegramApi, telegram_api
from tools.payments.embedded import genuine
from tools.shop import standing


async def test_who_is_known_by_the_site_steps_up_where_a_tool_asks_for_it(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path, policy=(("[assurance.tools]\n", '[assurance.tools]\ncancel_order = "stepped_up"\n'),)
    )
    async with open_town(settings) as town:
        visit = await town.visit(identity=sign("c-001", secret=SECRET, audience="mayak"))
        asked = await visit.say("Отмените заказ 1051")
        assert "ещё раз убедиться" in asked["text"]
        sent = await visit.say(**CODE)
        assert sent["text"].startswith("Отправил код на контакт из вашего профиля")
        told = await visit.say(await town.code(after=0))
        assert (await visit.state()).assurance == "stepped_up"
        assert told["waiting"]["target"] == "orders:write"


async def test_a_restart_in_between_loses_nothing_but_the_screen(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    async with open_town(settings) as town:
        visit = await town.visit()
        await visit.say(MINE)
        code = await visit.coded()
        await visit.say(f"{(int(code) + 1) % 1_000_000:06}")
    async with open_town(settings) as town:
        visit.town = town
        told = await visit.say(code)
        assert told["waiting"] == {"what": "consent", "target": "orders:read"}
        assert (await visit.state()).customer_id == "c-001"


async def test_a_company_without_codes_or_without_tokens_offers_and_takes_none(tmp_path: Path) -> None:
    both = 'factors = ["token", "code"]'
    settings = settings_of(tmp_path / "tokens", policy=((both, 'factors = ["token"]'),), sender="")
    async with open_town(settings) as town:
        visit = await town.visit()
        asked = await visit.say(MINE)
        assert [b["action"]["kind"] for b in asked["buttons"]] == ["person"]
        assert "код" not in asked["text"]
        assert (await visit.say(**CODE))["outcome"] == "clarify"
        assert town.letters() == []
    settings = settings_of(tmp_path / "codes", policy=((both, 'factors = ["code"]'),))
    async with open_town(settings) as town:
        token = sign("c-001", secret=SECRET, audience="mayak")
        refused = await town.client.post("/v1/conversations", json={"identity": token})
        assert refused.status_code == 401
        assert "remedy" in refused.json()


async def test_telegram_links_the_chat_by_the_same_words(tmp_path: Path) -> None:
    async with telegram_api() as api:
        settings = settings_of(
            tmp_path, telegram_token=TOKEN, telegram_api=api.url, public_url="http://mayak"
        )
        async with open_town(settings) as town:
            await _by_telegram(town, api, chat=7001)


async def _by_telegram(town: Town, api: TelegramApi, *, chat: int) -> None:
    api.languages[chat] = "ru"
    await api.says(chat, MINE)
    offered = (await api.until(chat, 2))[-1]
    assert "Пришлю код" in offered
    assert "сайте" not in offered
    await api.says(chat, "пришлите код")
    await api.until(chat, 3)
    await api.says(chat, "anna@example.com")
    await api.until(chat, 4)
    await api.says(chat, await town.code(after=0))
    known = await api.until(chat, 6)
    assert known[4] == "Спасибо, теперь вижу, что это вы."
    await api.presses(chat, "Разрешить")
    assert "1045-А" in (await api.until(chat, 7))[-1]
    async with town.building.engine.connect() as connection:
        row = (await connection.execute(select(t.conversations))).one()
    assert (row.channel, row.customer_id, row.assurance) == ("telegram", "c-001", "verified")


async def test_a_payment_link_is_told_whole_and_a_change_above_a_limit_goes_to_a_person(
    tmp_path: Path,
) -> None:
    settings = settings_of(tmp_path, policy=(("amount = 100000", "amount = 1000"),))
    async with open_town(settings) as town:
        visit = await town.visit(identity=sign("c-003", secret=SECRET, audience="mayak"))
        asked = await visit.say("пришлите ссылку на оплату заказа 1090")
        assert asked["waiting"] == {"what": "consent", "target": "orders:read"}
        told = await visit.say(**ALLOW)
        assert told["outcome"] == "answered"
        (link,) = re.findall(r"https://\S+", told["text"])
        secret = (settings.data / "payments.secret").read_text("ascii")
        assert genuine(link, secret=secret, now=datetime.now(UTC))
        assert "2 230 ₽" in told["text"].replace("\u00a0", " ")
        await visit.say("отмените заказ 1090")
        proposed = await visit.say(kind="consent", target="orders:write", yes=True)
        assert proposed["waiting"]["what"] == "confirmation"
        handed = await visit.say("да")
        assert handed["handoff"]["reason"] == "needs_approval"
        assert (await standing(town.building.engine))["1090"].startswith("pending")
        async with town.building.engine.connect() as connection:
            (ticket,) = (await connection.execute(select(t.tickets))).all()
        assert ticket.rejected.startswith("amount: Отменить заказ 1090")
