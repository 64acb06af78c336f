"""`mayak webhooks list|retry|test`: how the pack's webhooks stand, sending again what was given up, and a trial.

Each is a short transaction beside a running server, which finds what there is to send by itself.
"""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent.records.hooks import Hook, SqlHooks
    from api.settings import Settings
    from api.webhooks.choose import Subscription

app = typer.Typer(help="Systems of the company that are told what happens.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="WEBHOOK", help="`name` under [[webhooks]] in company.toml.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """Show every webhook of the pack: what it is told, what waits for it, what was given up and why."""
    from api.webhooks.choose import subscriptions

    settings = ctx.obj.settings()
    known = subscriptions(settings, _pack(settings))

    async def work(hooks: "SqlHooks") -> list[dict[str, Any]]:
        return [await _row(hooks, one) for one in known]

    rows = _run(settings, work)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        typer.echo(f"{row['name']:<16} {row['url']}")
        typer.echo(
            f"    told of: {', '.join(row['events'])}; includes: {', '.join(row['include']) or 'ids only'}"
        )
        typer.echo(f"    waiting: {row['waiting']}, given up: {row['dead']}, oldest: {row['oldest'] or '–'}")
        for one in row["troubled"]:
            typer.echo(
                f"    {one['state']:<8} {one['event']} {one['type']} (attempt {one['attempts']}): {one['fault']}"
            )
    if not rows:
        typer.echo("None. [[webhooks]] in company.toml names one: docs/webhooks.md.")


@app.command()
def retry(
    ctx: typer.Context,
    webhook: Name,
    event: Annotated[str, typer.Option(help="One event's id; without it all that were given up.")] = "",
    as_json: Json = False,
) -> None:
    """Send again what was given up. The server does it within a second; without one it waits for the next start."""
    from api.settings import BadSetting

    settings = ctx.obj.settings()
    _known(settings, webhook)

    async def work(hooks: "SqlHooks") -> int:
        return await hooks.revive(webhook, event=event)

    count = _run(settings, work)
    if event and not count:
        raise BadSetting(
            f"No event {event} of {webhook} was given up.", remedy=f"See `mayak webhooks list`: {webhook}."
        )
    if as_json:
        typer.echo(json.dumps({"webhook": webhook, "again": count}))
    else:
        typer.echo(f"{count} events of {webhook} are sent again.")


@app.command("test")
def try_(ctx: typer.Context, webhook: Name, as_json: Json = False) -> None:
    """Post one signed event of type mayak.webhook.test now, and say what came of it; exit code 1 when not taken."""
    settings = ctx.obj.settings()
    problem = asyncio.run(_tried(settings, _known(settings, webhook)))
    if as_json:
        typer.echo(
            json.dumps({"webhook": webhook, "taken": not problem, "problem": problem}, ensure_ascii=False)
        )
    elif problem:
        typer.echo(f"{webhook} did not take it: {problem}")
    else:
        typer.echo(f"{webhook} took it.")
    if problem:
        raise typer.Exit(1)


async def _tried(settings: "Settings", subscription: "Subscription") -> str:
    """Return what is wrong, "" when the receiver took the event."""
    import secrets

    from agent.records.hooks import Hook
    from api.container import SystemClock
    from api.webhooks.envelope import posted, signed
    from api.webhooks.port import Undelivered
    from api.webhooks.posting import HttpPost
    from tools.context import ConversationId

    now, event = SystemClock().now(), f"evt_{secrets.token_urlsafe(16)}"
    hook = Hook(
        id=0,
        webhook=subscription.webhook.name,
        conversation=ConversationId("test"),
        n=0,
        event=event,
        type="webhook.test",
        data={"test": True},
        state="sending",
        attempts=1,
        fault="",
        at=now,
        since=now,
    )
    body = posted(hook, source=settings.base_url)
    post = HttpPost(subscription.webhook.url, hosts=settings.webhook_hosts)
    try:
        await post.send(body, signed(body, event=event, at=now, secrets=subscription.secrets))
    except Undelivered as fault:
        return str(fault)
    finally:
        await post.close()
    return ""


async def _row(hooks: "SqlHooks", subscription: "Subscription") -> dict[str, Any]:
    webhook = subscription.webhook
    backlog = await hooks.backlog(webhook.name)
    return {
        "name": webhook.name,
        "url": webhook.url,
        "events": list(webhook.events),
        "include": list(webhook.include),
        "waiting": backlog.waiting,
        "dead": backlog.dead,
        "oldest": backlog.oldest.isoformat() if backlog.oldest else None,
        "troubled": [_troubled(hook) for hook in await hooks.listed(webhook.name)],
    }


def _troubled(hook: "Hook") -> dict[str, Any]:
    return {
        "event": hook.event,
        "type": f"mayak.{hook.type}",
        "conversation": hook.conversation,
        "sequence": hook.n,
        "state": "given up" if hook.state == "dead" else "waiting",
        "attempts": hook.attempts,
        "fault": hook.fault,
        "at": hook.at.isoformat(),
    }


def _pack(settings: "Settings") -> Any:
    from agent.pack import load_pack

    return load_pack(settings.company)


def _known(settings: "Settings", name: str) -> "Subscription":
    from api.settings import BadSetting
    from api.webhooks.choose import subscriptions

    known = {one.webhook.name: one for one in subscriptions(settings, _pack(settings))}
    if name not in known:
        raise BadSetting(
            f"There is no webhook “{name}”.",
            remedy=f"[[webhooks]] in company.toml has: {', '.join(known) or 'none'}.",
        )
    return known[name]


def _run(settings: "Settings", work: "Callable[[SqlHooks], Awaitable[Any]]") -> Any:
    """Run on the migrated database."""
    from agent.records.engine import connect
    from agent.records.hooks import SqlHooks
    from api.container import SystemClock
    from api.migrate import migrate_or_say

    settings.data.mkdir(parents=True, exist_ok=True)
    migrate_or_say(settings.database_url)

    async def opened() -> Any:
        engine = connect(settings.database_url)
        try:
            return await work(SqlHooks(engine, clock=SystemClock()))
        finally:
            await engine.dispose()

    return asyncio.run(opened())
