"""What is counted and measured, in Prometheus's words; one registry an application."""

from collections.abc import Iterable
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from agent.domain import Answered, Escalated, TurnRecord, outcome_name
from agent.link import Link
from api.system_metrics import SystemFigures
from tools.breaker import State
from tools.http_client import OPEN

BUCKETS = (0.025, 0.05, 0.1, 0.15, 0.25, 0.4, 0.7, 1.0, 2.0, 5.0, 10.0, 30.0)


class Metrics:
    """Counters of one application; no label holds anything a customer wrote."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.messages = Counter(
            "mayak_messages", "Customer messages accepted.", ["channel"], registry=self.registry
        )
        self.turns = Counter(
            "mayak_turns", "Turns by outcome and language.", ["outcome", "language"], registry=self.registry
        )
        self.restarts = Counter(
            "mayak_turn_restarts",
            "Turns that began again with a message that came before anything was sent.",
            registry=self.registry,
        )
        self.escalations = Counter(
            "mayak_escalations", "Calls for a person by reason.", ["reason"], registry=self.registry
        )
        self.tools = Counter(
            "mayak_tool_calls", "Finished tool calls.", ["tool", "ok"], registry=self.registry
        )
        self.turn_seconds = Histogram(
            "mayak_turn_seconds",
            "Seconds from the close of the quiet window to the outcome.",
            registry=self.registry,
            buckets=BUCKETS,
        )
        self.first_sentence_seconds = Histogram(
            "mayak_first_sentence_seconds",
            "Seconds from the begin of a turn to its first verified sentence.",
            registry=self.registry,
            buckets=BUCKETS,
        )
        self.requests = Counter(
            "mayak_http_requests",
            "HTTP requests by route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.streams = Gauge("mayak_event_streams", "Open event streams.", registry=self.registry)
        self.busy = Gauge("mayak_busy_conversations", "Conversations in a turn.", registry=self.registry)
        self.aged_out = Counter(
            "mayak_aged_out", "Rows and files deleted by their age.", ["what"], registry=self.registry
        )
        self.registry.register(SystemFigures(lambda: tuple(OPEN)))
        self._add_models()

    def _add_models(self) -> None:
        self.model_calls = Counter(
            "mayak_model_turns",
            "Drafted turns by the model that spoke last.",
            ["model"],
            registry=self.registry,
        )
        self.model_tokens = Counter(
            "mayak_model_tokens", "Tokens of model calls.", ["kind"], registry=self.registry
        )
        self.model_usd = Counter("mayak_model_usd", "US dollars of model calls.", registry=self.registry)
        self.paths = Counter(
            "mayak_answers",
            "Answered turns by where the words come from: approved (no model was asked) or model.",
            ["path"],
            registry=self.registry,
        )
        self.withheld = Counter(
            "mayak_models_withheld",
            "Turns in which a better model was not asked, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self.resting = Gauge(
            "mayak_model_state",
            "State of a model's circuit breaker: 1 for the one it is in.",
            ["model", "state"],
            registry=self.registry,
        )

    def turn(self, record: TurnRecord, *, seconds: float) -> None:
        """Count one finished turn."""
        self.turns.labels(outcome_name(record.outcome), record.language).inc()
        self.turn_seconds.observe(seconds)
        if isinstance(record.outcome, Escalated):
            self.escalations.labels(record.outcome.reason).inc()
        for use in record.tools:
            self.tools.labels(use.name, str(use.ok).lower()).inc()
        if record.path and isinstance(record.outcome, Answered):
            self.paths.labels(record.path).inc()
        if record.model:
            self.model_calls.labels(record.model).inc()
        self.model_tokens.labels("prompt").inc(record.cost.prompt_tokens)
        self.model_tokens.labels("completion").inc(record.cost.completion_tokens)
        self.model_usd.inc(record.cost.usd)
        for reason in record.reasons:
            if reason == "model:external" or reason.startswith("budget_"):
                self.withheld.labels(reason).inc()
        if (first := record.ms.get("first_sentence")) is not None:
            self.first_sentence_seconds.observe(first / 1000)

    def models(self, links: Iterable[Link]) -> None:
        """Take down which models rest."""
        for link in links:
            if not link.local:
                for state in get_args(State):
                    self.resting.labels(link.name, state).set(link.breaker.state == state)

    def page(self) -> bytes:
        """Return the text exposition."""
        return generate_latest(self.registry)
