"""An invented second company for the provider-free model: a bicycle workshop, its tools and its documents."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, Field, WithJsonSchema, create_model

from agent.extractive import Extractive
from agent.ports import Similarity
from tools.context import Language

JOB = r"^R-?\d{1,6}$"
JOB_SLOTS = {"ru": [r"\b(?P<value>[RР]-?\d{1,6})\b"], "en": [r"\b(?P<value>R-?\d{1,6})\b"]}
NEW_DAY = {
    "ru": [r"\b(?:на|в)\s+(?P<value>понедельник|вторник|среду|четверг|пятницу|субботу)"],
    "en": [r"\b(?:to|on|for)\s+(?P<value>monday|tuesday|wednesday|thursday|friday|saturday)"],
}

REPAIRS: Mapping[str, str] = {
    "R-17": "готов, можно забирать до пятницы",
    "R-24": "ждёт запчасть, срок — 3 дня",
}

CUES: Mapping[str, Mapping[Language, Sequence[str]]] = {
    "repair_status": {
        "ru": [
            "что с моим ремонтом",
            "готов ли мой велосипед",
            "статус ремонта",
            "когда починят",
            "велосипед готов",
        ],
        "en": ["is my bike ready", "repair status", "how is my repair", "when will it be fixed"],
    },
    "list_repairs": {
        "ru": ["мои ремонты", "список ремонтов", "какие у меня ремонты"],
        "en": ["my repairs", "list my repairs", "which repairs do i have"],
    },
    "cancel_repair": {
        "ru": ["отменить ремонт", "отмените ремонт", "не чините велосипед"],
        "en": ["cancel the repair", "cancel my repair", "do not fix it"],
    },
    "move_visit": {
        "ru": ["перенести запись", "перенесите запись", "перенесите визит", "поменять день записи"],
        "en": ["move my appointment", "reschedule my visit", "change the day of my visit"],
    },
    "find_part": {
        "ru": ["есть ли у вас", "есть в продаже", "ищу запчасть"],
        "en": ["do you have", "do you sell", "looking for a part"],
    },
}

DOCUMENTS: Mapping[Language, Sequence[tuple[str, str, str]]] = {
    "ru": [
        (
            "repair-rules#1",
            "Правила ремонта › Отмена ремонта",
            "Отменить ремонт можно бесплатно, пока мастер не начал работу. Если работа начата, оплачивается "
            "диагностика — 600 ₽. Велосипед вернём в тот же день.",
        ),
        (
            "repair-rules#2",
            "Правила ремонта › Сроки",
            "Обычный ремонт занимает 3 рабочих дня. Кроме того, в мае очередь длиннее — до 7 дней. "
            "Срочный ремонт делаем за сутки.",
        ),
        (
            "prices#1",
            "Цены › Работы",
            "| Работа | Цена |\n|---|---|\n| Замена камеры | 450 ₽ |\n| Настройка тормозов | 700 ₽ |",
        ),
        (
            "storage#1",
            "Зимнее хранение",
            "Велосипед можно сдать на хранение с ноября по апрель. Не принимаем: электровелосипеды;\n"
            "детские коляски. Хранение стоит 500 ₽ в месяц.",
        ),
        (
            "contacts#1",
            "Адрес и часы",
            "Мастерская находится на ул. Речной, 4. Мы открыты с 10:00 до 19:00, кроме воскресенья.",
        ),
    ],
    "en": [
        (
            "repair-rules.en#1",
            "Repair rules › Cancelling",
            "You can cancel a repair free of charge until work has begun. After that the inspection costs RUB 600. "
            "You get the bike back the same day.",
        ),
        (
            "repair-rules.en#2",
            "Repair rules › How long it takes",
            "An ordinary repair takes 3 working days. However, in May the queue is longer, up to 7 days. "
            "Urgent repairs are done within 24 hours.",
        ),
        (
            "storage.en#1",
            "Winter storage",
            "We store bicycles from November to April. Storage costs RUB 500 a month.",
        ),
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one run of the model came to: its calls in order and its last words."""

    calls: tuple[tuple[str, dict[str, Any]], ...]
    text: str

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    @property
    def arguments(self) -> dict[str, Any]:
        return self.calls[-1][1]


def workshop(
    *,
    granted: Sequence[str] = ("repairs:read", "repairs:write"),
    signed_in: bool = True,
    repairs: Mapping[str, str] = REPAIRS,
    declares: bool = True,
) -> list[BaseTool]:
    """The tools of one caller: real ones for granted purposes, controls for the rest.

    `declares`: whether the listing tool says which argument it fills, and gives choices.
    """
    tools: list[BaseTool] = [
        _tool("find_part", None, "read", find_part, {"query": (str, Field(description="What · что"))})
    ]
    number = {"type": "string", "pattern": JOB, "description": "Repair number · номер ремонта"}
    job = {"job_id": (Annotated[str, WithJsonSchema(number)], ...)}
    day = {
        "new_day": (
            str,
            Field(description="Day of the week: monday to saturday · день недели: с понедельника по субботу"),
        )
    }
    made = {
        "repair_status": ("repairs:read", "read", lambda job_id: _status(repairs, job_id), job),
        "list_repairs": ("repairs:read", "read", lambda: _list(repairs, declares=declares), {}),
        "cancel_repair": (
            "repairs:write",
            "write",
            lambda job_id: _proposal(f"Отменить ремонт {job_id}?"),
            job,
        ),
        "move_visit": (
            "repairs:write",
            "write",
            lambda job_id, new_day: _proposal(f"{job_id} → {new_day}"),
            {**job, **day},
        ),
    }
    closed: dict[str, dict[Language, list[str]]] = {}
    for name, (scope, effect, body, fields) in made.items():
        if signed_in and scope in granted:
            tool = _tool(name, scope, effect, body, fields)
            if name == "list_repairs" and declares:
                tool.extras = {**(tool.extras or {}), "fills": ("job_id",)}
            tools.append(tool)
        else:
            for language, cues in CUES[name].items():
                closed.setdefault(scope, {"ru": [], "en": []})[language] += cues
    return [*tools, *_controls(closed, signed_in=signed_in)]


def find_part(query: str) -> str:
    stock = {
        "камер": "Камера 28 дюймов есть в наличии, 390 ₽.",
        "tube": "An inner tube 28 is in stock, RUB 390.",
    }
    found = [sentence for key, sentence in stock.items() if key in query.lower()]
    said = found or ["Такой запчасти нет."]
    return json.dumps({"ok": True, "kind": "parts", "sentences": said, "facts": {"parts": found}})


def ask(
    question: str,
    *,
    tools: Sequence[BaseTool],
    language: Language = "ru",
    history: Sequence[str] = (),
    documents: Sequence[tuple[str, str, str]] | None = None,
    similarity: Similarity | None = None,
) -> Outcome:
    """Run the model in langchain's agent loop. `history` alternates customer and company, customer first."""
    agent = create_agent(Extractive(similarity=similarity), list(tools))
    passages = DOCUMENTS[language] if documents is None else documents
    evidence = [{"ref": ref, "title": title, "text": text, "score": 1.0} for ref, title, text in passages]
    data = json.dumps({"evidence": evidence, "question": question, "language": language}, ensure_ascii=False)
    before: list[AnyMessage] = [
        AIMessage(said) if n % 2 else HumanMessage(said) for n, said in enumerate(history)
    ]
    state = agent.invoke({"messages": [*before, HumanMessage(f"Data:\n\n```json\n{data}\n```\n\nAnswer.")]})
    made = state["messages"][len(before) + 1 :]
    calls = [(call["name"], call["args"]) for m in made if isinstance(m, AIMessage) for call in m.tool_calls]
    last = made[-1]
    return Outcome(calls=tuple(calls), text=last.text if isinstance(last, AIMessage) else "")


def _status(repairs: Mapping[str, str], job_id: str) -> str:
    number = job_id.upper().replace("Р", "R")
    if number not in repairs:
        return json.dumps({"ok": False, "kind": "fault", "sentences": ["Такого ремонта нет."], "facts": {}})
    said = [
        f"Ремонт {number}: {repairs[number]}.",
        f"Мастер ремонта {number} — Пётр.",
        f"Сумма ремонта {number} — 1 200 ₽.",
    ]
    return json.dumps({"ok": True, "kind": "repair", "sentences": said, "facts": {"repair": number}})


def _list(repairs: Mapping[str, str], *, declares: bool) -> str:
    said = [f"В работе: {', '.join(repairs)}.", *(f"Ремонт {n}: {state}." for n, state in repairs.items())]
    if not repairs:
        said = ["Ремонтов пока нет."]
    body: dict[str, Any] = {
        "ok": True,
        "kind": "repairs",
        "sentences": said,
        "facts": {"repairs": list(repairs)},
    }
    if declares:
        body["choices"] = {
            "job_id": [{"value": n, "label": f"{n} ({state})"} for n, state in repairs.items()]
        }
    return json.dumps(body)


def _proposal(text: str) -> str:
    return json.dumps(
        {"ok": True, "kind": "proposal", "sentences": [text], "facts": {"x": 1}, "proposal": {"id": "p"}}
    )


def _tool(
    name: str, scope: str | None, effect: Literal["read", "write"], body: Any, fields: Mapping[str, Any]
) -> BaseTool:
    schema = create_model(f"Arguments_{name}", **fields)  # type: ignore[call-overload]
    slots = {"job_id": JOB_SLOTS, "new_day": NEW_DAY}
    extras = {
        "scope": scope,
        "effect": effect,
        "cues": CUES[name],
        "slots": {a: slots.get(a, {}) for a in fields},
    }
    return StructuredTool.from_function(
        func=body, name=name, description=name, args_schema=schema, extras=extras
    )


class _AskBack(BaseModel):
    question: str = ""
    options: list[str] = []


class _Reason(BaseModel):
    reason: str = ""


class _Consent(BaseModel):
    purpose: str


def _controls(closed: Mapping[str, Mapping[Language, Sequence[str]]], *, signed_in: bool) -> list[BaseTool]:
    tools = [_control("ask_back", _AskBack), _control("decline", _Reason), _control("hand_over", _Reason)]
    if closed and signed_in:
        tools.append(_control("ask_consent", _Consent, purposes=closed))
    elif closed:
        merged = {lang: [cue for cues in closed.values() for cue in cues[lang]] for lang in ("ru", "en")}
        tools.append(_control("ask_sign_in", BaseModel, cues=merged))
    return tools


def _control(name: str, schema: type[BaseModel], **extras: Any) -> BaseTool:
    return StructuredTool.from_function(
        func=lambda **_: "{}",
        name=name,
        description=name,
        args_schema=schema,
        return_direct=True,
        extras={"control": True, **extras},
    )
