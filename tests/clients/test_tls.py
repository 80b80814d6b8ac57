"""HTTPS at the wires: the official boto3 in bearer mode, which refuses plain HTTP, and clients with certificates."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casemate.clock import SECOND, SystemClock
from tests.cli.running import Place, Up, running, until
from tests.crypto.authority import Made, make, revoked

CLIENT = """
import boto3, json
from botocore.config import Config
config = Config(retries={"max_attempts": 0}, proxies={})
asked = [{"role": "user", "content": [{"text": "When does the orchard open?"}]}]
told = boto3.client("bedrock-runtime", config=config).converse(modelId="casemate.extractive-reader", messages=asked)
print(json.dumps([told["ResponseMetadata"]["HTTPStatusCode"], told["output"]["message"]["content"][0]["text"]]))
"""


@pytest.fixture(scope="module")
def now() -> float:
    return SystemClock().now() / SECOND


@pytest.fixture(scope="module")
def authority(now: float) -> Made:
    return make("clients", now=now, ca=True)


@pytest.fixture(scope="module", params=["all", "split"])
def up(request: Any, tmp_path_factory: pytest.TempPathFactory, now: float, authority: Made) -> Iterator[Up]:
    """A region that serves HTTPS and believes a clients' authority, as its owner runs it."""
    path = tmp_path_factory.mktemp("tls")
    (path / "home").mkdir()
    place = Place(path, path / "home").init(processes=request.param)
    assert place.run("tls", "init", "--host", "node.example").code == 0
    place.set("tls = true", 'tls = true\nclient_ca = "clients.pem"\nclient_crl = "clients.crl"')
    (place.region / "clients.pem").write_bytes(authority.pem)
    (place.region / "clients.crl").write_bytes(revoked(authority, now=now))
    with running(place) as started:
        yield started


def context(up: Up, tmp_path: Path | None = None, client: Made | None = None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(up.place.region / "keys" / "tls" / "ca.pem"))
    if client is not None and tmp_path is not None:
        file = tmp_path / "client.pem"
        file.write_bytes(client.pem + client.key_pem)
        made.load_cert_chain(file)
    return made


def asked(
    up: Up, trusted: ssl.SSLContext, method: str = "GET", path: str = "/v1/models", **headers: str
) -> tuple[int, dict[str, Any]]:
    host, _, port = up.wires.removeprefix("https://").partition(":")
    connection = http.client.HTTPSConnection(host, int(port), context=trusted, timeout=60)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def key(up: Up) -> str:
    made = up.run("key", "issue", "--json").data
    assert made["environment"]["AWS_CA_BUNDLE"].endswith("keys/tls/ca.pem")
    return str(made["secret"])


def test_boto3_with_a_bearer_token(up: Up) -> None:
    assert up.wires.startswith("https://127.0.0.1:")
    told = up.run("tls", "show", "--json").data
    settings = {
        "AWS_BEARER_TOKEN_BEDROCK": key(up),
        "AWS_CA_BUNDLE": told["environment"]["AWS_CA_BUNDLE"],
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": up.wires,
        "AWS_DEFAULT_REGION": "casemate",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        env = {**kept, **settings, "HOME": str(up.place.home), **more}
        return subprocess.run(
            [sys.executable, "-c", CLIENT], env=env, capture_output=True, text=True, timeout=120, check=False
        )

    done = run()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0] == 200
    assert "SSL" in run(AWS_CA_BUNDLE="/etc/ssl/certs/ca-certificates.crt").stderr, "nobody else vouches for it"
    stranger = run(AWS_BEARER_TOKEN_BEDROCK="cm_a_b")
    assert stranger.returncode
    assert "ClientError" in stranger.stderr or "Exception" in stranger.stderr


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_nothing_below_tls_1_2_and_no_plain_http(up: Up) -> None:
    host, _, port = up.wires.removeprefix("https://").partition(":")
    old = context(up)
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        asked(up, old)
    plain = http.client.HTTPConnection(host, int(port), timeout=60)
    plain.request("GET", "/v1/models")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        plain.getresponse()
    plain.close()


def test_a_key_in_either_header_but_not_two(up: Up) -> None:
    trusted, one, other = context(up), key(up), key(up)
    assert asked(up, trusted, Authorization=f"Bearer {one}")[0] == 200
    assert asked(up, trusted, x_api_key=one)[0] == 200
    assert asked(up, trusted, x_api_key=one, Authorization=f"Bearer {one}")[0] == 200
    assert asked(up, trusted, x_api_key=one, Authorization=f"Bearer {other}")[0] == 401
    assert asked(up, trusted, x_api_key=one, Authorization="Basic eDp4")[0] == 401
    assert asked(up, trusted)[0] == 401


def test_a_clients_certificate(up: Up, tmp_path: Path, now: float, authority: Made) -> None:
    ann, eve = make("ann", authority, now=now), make("eve", authority, now=now)
    old = make("old", authority, now=now, begins=-20, days=-10)
    forged = make("ann", make("clients", now=now, ca=True), now=now)
    assert up.run("principal", "add", "ann", "--clearance", "PUBLIC").code in (0, 9)
    for each in (ann, old):
        (tmp_path / "bound.pem").write_bytes(each.pem)
        assert up.run("principal", "bind", "ann", "--certificate", tmp_path / "bound.pem").code == 0
    shown = context(up, tmp_path, ann)
    until(lambda: asked(up, shown)[0] == 200)
    faces = [asked(up, context(up, tmp_path, each)) for each in (eve, old)]
    assert [status for status, _ in faces] == [401, 401]
    with pytest.raises((ssl.SSLError, ConnectionError)):
        asked(up, context(up, tmp_path, forged))
    assert asked(up, shown, x_api_key="cm_a_b")[0] == 401, "a key that is shown counts, and nothing in its place"
    assert asked(up, shown, "POST", "/v1/chat/completions", Origin="https://evil.example")[0] == 401
    lists = up.place.region / "clients.crl"
    lists.write_bytes(revoked(authority, ann, now=now))
    until(lambda: asked(up, shown)[0] == 401)
    lists.unlink()
    assert asked(up, shown)[0] == 401, "without the list that was promised nobody is believed"
    lists.write_bytes(revoked(authority, now=now))
    until(lambda: asked(up, shown)[0] == 200)
    for made in up.run("principal", "bindings", "--json").data:
        assert up.run("principal", "unbind", made["id"]).code == 0
    until(lambda: asked(up, shown)[0] == 401)
