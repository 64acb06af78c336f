"""What the operator sees of a provider that rests: in the metrics, and in `mayak doctor` beside the running server."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from agent.domain import Answered, Cost, TurnRecord
from agent.link import Link
from agent.models import ModelChain
from api.health import examine_models
from api.lock import owned
from api.metrics import Metrics
from api.settings import Settings
from tests.scripted import ScriptedModel
from tools.context import ConversationId, TurnId


def resting() -> Metrics:
    link = Link(name="openai:m", model=ScriptedModel(), timeout=1.0, local=False)
    chain = ModelChain([link, Link(name="extractive", model=ScriptedModel(), timeout=1.0, local=True)])
    link.breaker.failed(wait=60)
    metrics = Metrics()
    metrics.models(chain.links)
    return metrics


def test_the_metrics_tell_which_model_rests_and_nothing_of_the_local_one() -> None:
    page = resting().page().decode()
    assert 'mayak_model_state{model="openai:m",state="open"} 1.0' in page
    assert 'mayak_model_state{model="openai:m",state="closed"} 0.0' in page
    assert "extractive" not in page


def test_tokens_money_and_what_was_withheld_are_counted() -> None:
    metrics = Metrics()
    record = TurnRecord(
        turn=TurnId("t"),
        conversation=ConversationId("c"),
        outcome=Answered(),
        language="ru",
        model="openai:m",
        reasons=("low_match", "budget_day_usd"),
        cost=Cost(prompt_tokens=100, completion_tokens=10, usd=0.5),
    )
    metrics.turn(record, seconds=0.1)
    page = metrics.page().decode()
    assert 'mayak_model_tokens_total{kind="prompt"} 100.0' in page
    assert "mayak_model_usd_total 0.5" in page
    assert 'mayak_models_withheld_total{reason="budget_day_usd"} 1.0' in page
    assert "low_match" not in page


async def test_doctor_tells_what_the_running_server_lets_rest(tmp_path: Path) -> None:
    page = resting().page()

    class Server(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    settings = Settings(data=tmp_path, model="openai:m", model_url="http://127.0.0.1:9/v1", model_timeout=1.0)
    try:
        with owned(tmp_path, address=f"http://127.0.0.1:{server.server_port}"):
            broken, extractive = await examine_models(settings)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert not broken.ok
    assert "the server lets it rest" in broken.detail
    assert extractive.ok
    assert "rest" not in (await examine_models(settings))[0].detail, "no server, no state"
