"""What is counted of webhooks, in Prometheus's words; labels are the names of the pack and nothing else."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from agent.records.hooks import Backlog

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Counts:
    """Counters of one application's webhooks."""

    def __init__(self) -> None:
        self.results = Counter(
            "mayak_webhook_attempts",
            "Attempts by result: delivered, later (not taken, tried again), dead (given up), repeated (begun before).",
            ["webhook", "result"],
            registry=None,
        )
        self.seconds = Histogram(
            "mayak_webhook_seconds",
            "Seconds of attempts that were taken.",
            ["webhook"],
            registry=None,
            buckets=BUCKETS,
        )
        self.waiting = Gauge("mayak_webhook_backlog", "Events under way.", ["webhook"], registry=None)
        self.dead = Gauge("mayak_webhook_dead", "Events given up and kept.", ["webhook"], registry=None)
        self.oldest = Gauge(
            "mayak_webhook_oldest_seconds",
            "How long the oldest event under way has been so; 0 for none.",
            ["webhook"],
            registry=None,
        )

    def count(self, webhook: str, result: str) -> None:
        """Count one."""
        self.results.labels(webhook, result).inc()

    def took(self, webhook: str, *, seconds: float) -> None:
        """Take down how long a receiver took."""
        self.seconds.labels(webhook).observe(seconds)

    def standing(self, backlog: Backlog, *, now: datetime) -> None:
        """Take down what waits."""
        age = (now - backlog.oldest).total_seconds() if backlog.oldest else 0.0
        self.waiting.labels(backlog.webhook).set(backlog.waiting)
        self.dead.labels(backlog.webhook).set(backlog.dead)
        self.oldest.labels(backlog.webhook).set(age)

    def shown_in(self, registry: CollectorRegistry) -> None:
        """Show them among the application's metrics."""
        for each in (self.results, self.seconds, self.waiting, self.dead, self.oldest):
            registry.register(each)

    def hidden_from(self, registry: CollectorRegistry) -> None:
        """Take them out again."""
        for each in (self.results, self.seconds, self.waiting, self.dead, self.oldest):
            registry.unregister(each)
