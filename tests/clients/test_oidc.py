"""Access tokens of a real sign-in provider (oidc-provider, from npm) at the wires, over a real socket.

CASEMATE_TEST_OIDC names a folder where `npm install oidc-provider` has been run; without it the test runs that itself.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from casemate.identity import jwks, token
from tests.access.outside import believe
from tests.cli.running import Place, running, until
from tests.clients.conftest import Served

AUDIENCE = "https://region.test"
PACKAGE = "oidc-provider@8.8.1"  # the last that runs on Debian 12's Node 18
DIRECT = build_opener(ProxyHandler({}))


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the provider's package; the test is skipped where there is no way to one."""
    if shutil.which("node") is None:
        pytest.skip("there is no Node.js here")
    if named := os.environ.get("CASEMATE_TEST_OIDC"):
        return Path(named)
    if shutil.which("npm") is None:
        pytest.skip("there is no npm here, and CASEMATE_TEST_OIDC names no folder with oidc-provider")
    folder = tmp_path_factory.mktemp("oidc")
    (folder / "package.json").write_text('{"private": true}')
    cache = ["--cache", str(folder / "cache")]  # nothing is left in the home of whoever runs the tests
    words = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *cache, PACKAGE]
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, timeout=180, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm's registry does not answer")
    if done.returncode:
        pytest.skip("npm cannot install oidc-provider: no registry is in reach")
    return folder


@pytest.fixture(scope="module")
def issuer(packages: Path) -> Iterator[str]:
    """The provider, running; its issuer."""
    program = packages / "casemate-provider.mjs"
    shutil.copy(Path(__file__).with_name("provider.mjs"), program)
    words = ["node", str(program), AUDIENCE]
    with subprocess.Popen(words, cwd=packages, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line.startswith("http://127.0.0.1:"), "the provider has not started"
        yield line
        process.kill()


def asked(url: str, data: dict[str, str] | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    body = urlencode(data).encode() if data is not None else None
    request = Request(url, body, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with DIRECT.open(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def signed_in(issuer: str, client: str = "agent") -> str:
    """An access token by client_credentials (RFC 6749 section 4.4)."""
    secret = base64.b64encode(f"{client}:a-secret-for-a-test-alone".encode()).decode()
    asking = {"grant_type": "client_credentials", "scope": "api", "resource": AUDIENCE}
    status, _, body = asked(f"{issuer}/token", asking, Authorization=f"Basic {secret}")
    assert status == 200, body
    return str(json.loads(body)["access_token"])


def test_the_providers_token_is_whom_the_region_says(served: Served, issuer: str) -> None:
    """The provider claims TOP SECRET and officer; the binding alone says what counts."""
    region = served.region
    keys = jwks.parse(asked(f"{issuer}/jwks")[2])
    found = believe(region.gate)
    found.known[issuer] = token.Provider(issuer, AUDIENCE, keys, frozenset({"RS256", "ES256"}))
    text = signed_in(issuer)
    url = f"{served.url}/v1/models"
    status, headers, body = asked(url, Authorization=f"Bearer {text}")
    assert status == 401
    nobody = json.loads(body)

    import asyncio

    from casemate.accounts.bindings import BindingRequest, bind
    from casemate.policy import Action

    region.key()  # makes the principal "user"

    async def binding() -> None:
        flow = await region.gate.open(region.owner(), Action("grant", "principal"), region.region.ceiling)
        user = region.gate.directory.named("user")
        assert user is not None
        request = BindingRequest(scheme="oidc", issuer=issuer, subject="agent", ceiling="us:CONFIDENTIAL")
        assert await bind(flow, user.id, request) is not None

    asyncio.run(binding())
    status, headers, body = asked(url, Authorization=f"Bearer {text}")
    assert status == 200, body
    assert headers["casemate-label"] == region.clearance("us:CONFIDENTIAL").text
    stranger = signed_in(issuer, "stranger")
    head, payload, seal = text.split(".")
    for wrong in (stranger, f"{head}.{payload}.{seal[:-4]}AAAA", f"{head}.{payload}.", text + "A"):
        status, _, body = asked(url, Authorization=f"Bearer {wrong}")
        assert (status, _plain(json.loads(body))) == (401, _plain(nobody))


def _plain(problem: dict[str, object]) -> str:
    """A problem without the number of its entry."""
    import re

    return re.sub(r"ent_\w+", "ent", json.dumps(problem))


def test_a_region_reads_the_providers_keys_by_itself(tmp_path: Path, issuer: str) -> None:
    """Real processes: control reads the key set, the data process admits, and goes on without the provider's URL."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    place = Place(work, home).init(processes="split")
    settings = place.region / "casemate.toml"
    more = f'\n[oidc.test]\nissuer = "{issuer}"\naudience = "{AUDIENCE}"\njwks = "{issuer}/jwks"\n'
    settings.write_text(settings.read_text() + more)
    with running(place) as up:
        url = f"{up.wires}/v1/models"
        assert up.run("principal", "add", "agent", "--clearance", "PUBLIC").code == 0
        assert up.run("principal", "bind", "agent", "--oidc", issuer, "agent").code == 0
        kept = place.region / "data" / "oidc" / "test.json"
        text = signed_in(issuer)
        until(lambda: kept.exists() and asked(url, Authorization=f"Bearer {text}")[0] == 200)
        assert kept.stat().st_mode & 0o077 == 0
        [made] = up.run("principal", "bindings", "--json").data
        assert (made["name"], made["issuer"], made["subject"]) == ("agent", issuer, "agent")
        assert asked(url, Authorization=f"Bearer {signed_in(issuer, 'stranger')}")[0] == 401
        assert up.run("principal", "unbind", made["id"]).code == 0
        until(lambda: asked(url, Authorization=f"Bearer {text}")[0] == 401)
