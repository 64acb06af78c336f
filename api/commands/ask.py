"""`mayak ask`: one turn through the same code as every channel."""

import asyncio
import json
from typing import Annotated, Any

import typer


def ask(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="What the customer says.")],
    customer: Annotated[str | None, typer.Option(help="Speak as this signed-in customer.")] = None,
    conversation: Annotated[str | None, typer.Option(help="Go on in this conversation.")] = None,
    lang: Annotated[str | None, typer.Option(help="Language of a new conversation: ru or en.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer object.")] = False,
) -> None:
    """Ask a question as a customer would and print the answer."""
    if not text.strip():
        typer.secho("Error: There is nothing to ask.", fg="red", err=True)
        typer.echo('What to do: Give the question in quotes: mayak ask "Where is my order?"', err=True)
        raise typer.Exit(1)
    answer = asyncio.run(_ask(ctx.obj, text, customer=customer, conversation=conversation, language=lang))
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2) if as_json else in_words(answer))


async def _ask(context: Any, text: str, **how: Any) -> dict[str, Any]:
    async with context.house() as house:
        return dict(await house.ask(text, **how))


def in_words(answer: dict[str, Any]) -> str:
    """Return the answer for a terminal: text, buttons, citations, outcome."""
    lines = [answer["text"]]
    lines += [f"  [{button['label']}]" for button in answer["buttons"]]
    sources = {citation["passage"]: citation["title"] for citation in answer["citations"]}
    lines += [f"  {n}. {title} — {passage}" for n, (passage, title) in enumerate(sources.items(), start=1)]
    confidence = "" if answer["confidence"] is None else f", confidence {answer['confidence']:.2f}"
    lines.append(f"({answer['outcome']}{confidence}; conversation {answer['conversation']})")
    return "\n".join(lines)
