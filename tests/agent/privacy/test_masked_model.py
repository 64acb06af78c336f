"""A model outside the company reads placeholders; the house and its customer read values."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage

from agent.domain import Draft, Message, Sentence, ToolUse
from agent.errors import BadPack, WriterFailed
from agent.link import Link
from agent.loop import Loop
from agent.models import ModelChain
from agent.pack import load_pack
from agent.ports import Heard, Listener
from agent.privacy.detect import thorough
from agent.privacy.vault import Vault
from agent.privacy.veil import Veil, veiled, warm
from agent.records.purse import FakePurse
from tests.agent.library import ALLOWING, DEMO, CountingSteps, LibraryTools, brief, no_status, pack, result
from tests.scripted import ScriptedModel, StreamedScript, calls, says
from tools.context import Caller

PHONE = "8 916 123-45-67"
ASKED = f"Это Анна Петрова, {PHONE}. Какие книги у меня на руках?"
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


def writer(
    model: ScriptedModel, *, masked: bool = True, external: bool = True, tools: LibraryTools | None = None
) -> tuple[Loop, ScriptedModel]:
    house = ScriptedModel(steps=[says("Книгу дают на 21 день. [rules#2]")])
    links = [
        Link(name="far", model=model, timeout=20, local=False, external=external),
        Link(name="house", model=house, timeout=5, local=True, external=False),
    ]
    made = Loop(
        ModelChain(links),
        toolbox=tools or LibraryTools(),
        pack=pack(masked=masked),
        purse=FakePurse(),
        gate=ALLOWING,
    )
    return made, house


def left(draft: Draft) -> list[bool]:
    """Whether each model outside that read something of the turn read it masked."""
    return [read.masked for read in draft.reads if read.external]


def read(messages: Sequence[BaseMessage]) -> str:
    """All a model could read of its messages, arguments of calls included."""
    return "\n".join(f"{message.content} {getattr(message, 'tool_calls', '')}" for message in messages)


async def test_no_value_reaches_the_model_and_every_value_comes_back() -> None:
    heard: list[str] = []

    async def status(argument: str, _: Caller) -> str:
        heard.append(argument)
        return result([f"Книга у Анны Петровой, звонили на {PHONE}, почта anna.p@mail.ru."])

    model = ScriptedModel(
        steps=[
            calls(("loan_status", {"book": "Дневник [NAME_1]"})),
            says("[NAME_1], мы звонили на [PHONE_1] и писали на [EMAIL_1]. [tool:loan_status:1]"),
        ]
    )
    loop, _ = writer(model, tools=LibraryTools(loan_status=status))
    said = (Message(seq=1, author="customer", text="Меня зовут Анна Петрова", at=AT),)
    draft = await loop.write(brief(question=ASKED, history=said), steps=CountingSteps(), status=no_status)
    model.finished()
    assert heard == ["Дневник Анна Петрова"], "tools work with values"
    for asked in model.asked:
        told = read(asked)
        assert not [word for word in ("Петров", "Анн", "916", "anna.p") if word in told]
        assert "[NAME_1]" in told
    results = [str(m.content) for m in model.asked[1] if isinstance(m, ToolMessage)]
    assert json.loads(results[0])["sentences"] == ["Книга у [NAME_1], звонили на [PHONE_1], почта [EMAIL_1]."]
    expected = f"Анна Петрова, мы звонили на {PHONE} и писали на anna.p@mail.ru."
    assert draft.sentences == (Sentence(text=expected, refs=("tool:loan_status:1",)),)
    assert left(draft) == [True]


async def test_a_value_of_nobody_here_does_not_come_back() -> None:
    model = ScriptedModel(steps=[says("[NAME_1] и [NAME_2] ждут [PHONE_7] в зале. [rules#2]")])
    loop, _ = writer(model)
    draft = await loop.write(brief(question="Это Анна Петрова"), steps=CountingSteps(), status=no_status)
    assert draft.sentences[0].text == "Анна Петрова и [NAME_2] ждут [PHONE_7] в зале."


@pytest.mark.parametrize(("masked", "external"), [(False, True), (True, False)])
async def test_where_the_pack_does_not_ask_or_the_model_is_the_companys_own_nothing_is_masked(
    masked: bool, external: bool
) -> None:
    model = ScriptedModel(steps=[says("Книгу дают на 21 день. [rules#2]")])
    loop, _ = writer(model, masked=masked, external=external)
    draft = await loop.write(brief(question=ASKED), steps=CountingSteps(), status=no_status)
    assert PHONE in read(model.asked[0])
    assert left(draft) == ([False] if external else [])


async def test_the_model_of_the_house_reads_everything() -> None:
    model = ScriptedModel(steps=[ConnectionError("gone")])
    loop, house = writer(model)
    draft = await loop.write(brief(question=ASKED), steps=CountingSteps(), status=no_status)
    assert PHONE in read(house.asked[0])
    assert PHONE not in read(model.asked[0])
    assert left(draft) == [True], "it was read, though no answer came of it"


class Heeding(Listener):
    """Lets every sentence leave, and keeps it."""

    def __init__(self) -> None:
        self.left: list[str] = []

    @property
    def said(self) -> tuple[str, ...]:
        return tuple(self.left)

    async def hear(self, sentence: Sentence, *, tools: Sequence[ToolUse]) -> Heard:
        self.left.append(sentence.text)
        return "left"


async def test_sentences_that_leave_early_have_their_values_wherever_the_stream_breaks() -> None:
    answer = "Здравствуйте, [NAME_1], книга ваша. [rules#2] Мы позвоним на [PHONE_1] завтра. [rules#2] "
    pieces: list[Any] = [answer[n : n + 3] for n in range(0, len(answer), 3)]
    listener = Heeding()
    loop, _ = writer(StreamedScript(steps=[pieces]))
    draft = await loop.write(
        brief(question=ASKED, listener=listener), steps=CountingSteps(), status=no_status
    )
    assert listener.left[0] == "Здравствуйте, Анна Петрова, книга ваша."
    assert draft.sentences[1].text == f"Мы позвоним на {PHONE} завтра."


async def test_what_has_left_before_a_crash_is_masked_too() -> None:
    listener = Heeding()
    listener.left.append("Анна Петрова, книга ваша.")
    model = StreamedScript(steps=[["Вы взяли её в мае. [rules#2]"]])
    loop, _ = writer(model)
    await loop.write(brief(question="Чья книга?", listener=listener), steps=CountingSteps(), status=no_status)
    assert "Петров" not in read(model.asked[0])
    assert '"said": ["[NAME_1], книга ваша."]' in read(model.asked[0])


async def test_a_masked_sentence_never_leaves_by_the_masked_brief() -> None:
    listener = Heeding()
    listener.left.append("Анна Петрова, книга ваша.")
    asked = brief(question=ASKED, listener=listener)
    masked = Veil(Vault(thorough()), brief=asked, company=pack(masked=True).company).brief(asked).listener
    assert masked is not None
    assert masked.said == ("[NAME_1], книга ваша.",)
    assert await masked.hear(Sentence(text="[NAME_1], до мая.", refs=()), tools=()) == "held"
    assert listener.left == ["Анна Петрова, книга ваша."]


def test_the_companys_own_words_are_read_as_they_are() -> None:
    veil = Veil(Vault(thorough()), brief=brief(), company=pack(masked=True).company)
    shop = SystemMessage(content=f"Библиотека: {PHONE}")
    told = veil.messages([shop, HumanMessage(content=f"Мой номер {PHONE}")])
    assert [message.content for message in told] == [f"Библиотека: {PHONE}", "Мой номер [PHONE_1]"]


def test_who_comes_after_the_warming_up_waits_for_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    warm()
    monkeypatch.setattr("agent.privacy.reader._loaded", lambda: pytest.fail("it was loaded again"))
    assert [span.kind for span in thorough().find("Вчера Гасымлы Видади привёз не ту книгу")] == ["name"]


async def test_a_replayed_turn_still_tells_that_its_text_had_left() -> None:
    steps = CountingSteps()
    loop, _ = writer(ScriptedModel(steps=[says("Книгу дают на 21 день. [rules#2]")]))
    await loop.write(brief(question=ASKED), steps=steps, status=no_status)
    again, _ = writer(ScriptedModel(steps=[]))
    draft = await again.write(brief(question=ASKED), steps=steps, status=no_status)
    assert left(draft) == [True]


async def test_nothing_of_the_vault_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        loop, _ = writer(ScriptedModel(steps=[ConnectionError("gone")]))
        await loop.write(brief(question=ASKED), steps=CountingSteps(), status=no_status)
    assert "Петров" not in caplog.text
    assert "916" not in caplog.text


def test_a_pack_that_asks_for_something_else_is_refused_with_its_line(tmp_path) -> None:
    for name in ("company.toml", "policy.toml"):
        (tmp_path / name).write_text((DEMO / name).read_text("utf-8"), "utf-8")
    text = (tmp_path / "policy.toml").read_text("utf-8")
    assert load_pack(tmp_path).policy.privacy.model_external == "masked"
    (tmp_path / "policy.toml").write_text(
        text.replace('model_external = "masked"', 'model_external = "hidden"'), "utf-8"
    )
    with pytest.raises(BadPack, match=r"policy\.toml:\d+: privacy\.model_external"):
        load_pack(tmp_path)


async def test_a_result_whose_numbers_are_long_stays_json_when_it_is_masked() -> None:
    async def loans(_: str, __: Caller) -> str:
        return json.dumps(
            {
                "ok": True,
                "kind": "loan",
                "sentences": ["Читает Анна Петрова."],
                "facts": {"card": 4276123456789012},
            }
        )

    model = ScriptedModel(steps=[calls(("list_loans", {})), says("Это [NAME_1]. [tool:list_loans:1]")])
    loop, _ = writer(model, tools=LibraryTools(list_loans=loans))
    await loop.write(brief(), steps=CountingSteps(), status=no_status)
    (content,) = [str(m.content) for m in model.asked[1] if isinstance(m, ToolMessage)]
    assert json.loads(content)["sentences"] == ["Читает [NAME_1]."]


def test_the_reader_is_got_ready_only_where_a_model_outside_reads_placeholders() -> None:
    far = Link(name="far", model=None, timeout=1, local=False)
    own, house = replace(far, external=False), replace(far, local=True)
    assert veiled(pack(masked=True), [far, house])
    assert not veiled(pack(masked=True), [own, house])
    assert not veiled(pack(masked=False), [far])


async def test_kinds_of_what_stood_behind_placeholders_are_counted_and_a_failed_call_counts_too() -> None:
    loop, _ = writer(ScriptedModel(steps=[ConnectionError("gone")]))
    draft = await loop.write(brief(question=ASKED), steps=CountingSteps(), status=no_status)
    far, house = draft.reads
    assert (far.model, far.external, far.answered, dict(far.kinds)) == (
        "far",
        True,
        False,
        {"name": 1, "phone": 1},
    )
    assert (house.model, house.external, house.answered, house.masked) == ("house", False, True, False)


async def test_where_no_model_answers_the_failure_carries_what_had_been_read() -> None:
    steps = CountingSteps()
    for script in ([ConnectionError("gone")], []):
        # The second time the step is replayed: nobody is asked, and the same is told.
        far = Link(name="far", model=ScriptedModel(steps=script), timeout=20, local=False, external=True)
        loop = Loop(
            ModelChain([far]),
            toolbox=LibraryTools(),
            pack=pack(masked=True),
            purse=FakePurse(),
            gate=ALLOWING,
        )
        with pytest.raises(WriterFailed) as failed:
            await loop.write(brief(question=ASKED), steps=steps, status=no_status)
        assert [(read.model, read.masked, read.answered) for read in failed.value.reads] == [
            ("far", True, False)
        ]
