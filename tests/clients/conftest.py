"""A region behind a real socket, for the official clients."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from casemate.clock import SystemClock
from tests.doors.wired import Answers, Wired, wired


class Served:
    """A region, its address, and its wires under uvicorn in a thread."""

    def __init__(self, region: Wired, url: str) -> None:
        self.region = region
        self.url = url


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with wired(tmp_path_factory.mktemp("region")) as region:
        region.clock.at = SystemClock().now()  # clients sign with the machine's clock
        config = uvicorn.Config(region.app, port=0, http="httptools", loop="asyncio", lifespan="off", log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Served(region, f"http://127.0.0.1:{port}")
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def served(opened: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The region, asked nothing yet, and an environment that sends nobody elsewhere."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    fresh = Answers()
    answers = opened.region.answers
    answers.script, answers.asked, answers.floors, answers.closed = fresh.script, fresh.asked, fresh.floors, 0
    opened.region.clock.at = SystemClock().now()
    return opened
