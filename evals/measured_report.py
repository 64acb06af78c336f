"""What a measured suite found: as JUnit XML for CI, as one HTML page with its curves, and in words."""

from xml.etree import ElementTree as Xml

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent.curves import FOLDER
from evals.measured import Figure, Measured, worst
from evals.report import TEMPLATES, short


def measured_junit(result: Measured) -> str:
    """Return JUnit XML: one test case for each bound."""
    suite = Xml.Element("testsuite", name=f"mayak.{result.suite}", tests=str(len(result.bounds)))
    suite.set("failures", str(len(result.short)))
    suite.set("time", f"{result.seconds:.3f}")
    figures = {one.name: one for one in result.findings.figures}
    for name, bound in result.bounds.items():
        case = Xml.SubElement(suite, "testcase", classname=result.suite, name=name)
        figure = figures.get(name)
        if figure is None:
            Xml.SubElement(case, "skipped", message=", ".join(result.findings.left_out) or "not measured")
        elif not result.holds(figure):
            Xml.SubElement(case, "failure", message=f"{worded(figure)}, wanted {bound}")
    return Xml.tostring(suite, encoding="unicode", xml_declaration=True)


def measured_html(result: Measured) -> str:
    """Return one page that needs nothing else: figures against bounds, curves, and what went wrong."""
    page = Environment(
        loader=FileSystemLoader([TEMPLATES, FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    ).get_template("measured.html")
    return page.render(result=result, worded=worded, misses=worst(result.findings.misses, most=200))


def tell_measured(result: Measured) -> None:
    """Print the figures as a table, the first misses, then the verdict."""
    console = Console(highlight=False, soft_wrap=True)
    table = Table("figure", "measured", "bound", "", title=result.suite)
    for one in result.findings.figures:
        bound = result.bounds.get(one.name)
        mark = "" if bound is None else "holds" if result.holds(one) else "FALLS SHORT"
        table.add_row(one.name, worded(one), str(bound or ""), mark)
    console.print(table)
    for miss in worst(result.findings.misses):
        line = f"{miss.id}: wanted {short(miss.wanted)}, got {short(miss.got)}. {short(miss.about)}"
        console.print(escape(line), style="red")
    hidden = len(result.findings.misses) - len(worst(result.findings.misses))
    if hidden > 0:
        console.print(f"… and {hidden} more; --json and --html show all.")
    for name in result.findings.left_out:
        console.print(escape(f"Left out: {name}"), style="yellow")
    for name in result.unmeasured:
        console.print(escape(f"Not measured: {name}"), style="yellow")
    console.print(f"Bounds {'kept' if result.ok else 'NOT kept'}; {result.seconds:.1f} s")


def worded(one: Figure) -> str:
    """Return a figure with its interval and how many rows it stands on."""
    interval = f" [{one.interval[0]:.3f}–{one.interval[1]:.3f}]" if one.interval else ""
    return f"{one.value:.3f}{interval}, n = {one.of}"
