"""What is counted and measured, in Prometheus's words; one registry an application."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from agent.domain import Escalated, TurnRecord, outcome_name

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

    def turn(self, record: TurnRecord, *, seconds: float) -> None:
        """Count one finished turn."""
        self.turns.labels(outcome_name(record.outcome), record.language).inc()
        self.turn_seconds.observe(seconds)
        if isinstance(record.outcome, Escalated):
            self.escalations.labels(record.outcome.reason).inc()
        for use in record.tools:
            self.tools.labels(use.name, str(use.ok).lower()).inc()
        if (first := record.ms.get("first_sentence")) is not None:
            self.first_sentence_seconds.observe(first / 1000)

    def page(self) -> bytes:
        """Return the text exposition."""
        return generate_latest(self.registry)
