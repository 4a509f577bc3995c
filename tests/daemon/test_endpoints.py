"""The daemon's own HTTP."""

from pathlib import Path

import pytest
import requests
from configured import settings_with
from conftest import Clock
from waiting import wait_for

from aggregator.config.schema import Settings
from aggregator.daemon import endpoints
from aggregator.daemon.health import Health


def settings_of(folder: Path) -> Settings:
    """Settings with the feeds in a folder, and a store that does not exist."""
    feeds = {"url": "https://finews.example.org/feeds/", "directory": str(folder)}
    return settings_with(feeds=feeds, store=str(folder / "none.db"))


def test_a_server_that_breaks_down_is_started_again(
    health: Health, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing real makes uvicorn end: its first run raises here."""
    make_server = endpoints.server.make_server
    broken: list[object] = []

    def breaking(application: object) -> object:
        server = make_server(application)
        if not broken:
            broken.append(server)
            server.run = lambda **_: (_ for _ in ()).throw(SystemExit(3))  # type: ignore[method-assign]
        return server

    monkeypatch.setattr(endpoints.server, "make_server", breaking)
    port = endpoints.start("127.0.0.1:0", health, settings_of(tmp_path))
    assert broken

    def answer() -> int:
        try:
            return requests.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code
        except requests.ConnectionError:
            return 0

    wait_for(answer)
    assert answer() == 503
    assert any("the server broke down" in failure for failure in health.open_failures())


def test_health_and_metrics_beside_the_feeds(health: Health, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "all.atom").write_text("<feed/>")
    port = endpoints.start("127.0.0.1:0", health, settings_of(tmp_path))

    def get(path: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{port}{path}", timeout=5)

    clock.now += 10_000
    ill = get("/health")
    assert (ill.status_code, ill.headers["Cache-Control"]) == (503, "no-store")
    assert ill.json()["failures"] == health.reasons_unhealthy() != []
    health.run_stage("posts", list)
    assert (get("/health").status_code, get("/health").json()) == (
        200, {"healthy": True, "failures": []}
    )  # fmt: skip
    assert "aggregator_healthy 1.0" in get("/metrics").text
    assert get("/all.atom").text == "<feed/>"
    assert get("/state").status_code == 404
    assert get("/opensearch.xml").status_code == 200
    assert get("/search.atom?q=a").status_code == 503
