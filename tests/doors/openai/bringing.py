"""Files as a client brings them, and batches over them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from casemate.doors.openai import Lines
from casemate.models.batches import Batches
from tests.doors.openai.asking import call, chat
from tests.doors.wired import Got, Wired

BOUNDARY = "b0undary"


def form(*files: tuple[str, bytes], **fields: str) -> bytes:
    """A multipart form (RFC 7578)."""
    parts = []
    for name, value in fields.items():
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value.encode())
    for name, data in files:
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'
        parts.append(head.encode() + data)
    return b"".join(b"--%s\r\n%s\r\n" % (BOUNDARY.encode(), part) for part in parts) + f"--{BOUNDARY}--\r\n".encode()


def bring(
    region: Wired, data: bytes, key: str = "", name: str = "in.jsonl", purpose: str = "batch", **more: Any
) -> Got:
    headers = [("Content-Type", f"multipart/form-data; boundary={BOUNDARY}"), *more.pop("headers", ())]
    return call(region, "POST", "/v1/files", form((name, data), purpose=purpose), key, headers=headers)


def line(custom: str = "one", url: str = "/v1/chat/completions", **body: Any) -> bytes:
    row = {"custom_id": custom, "method": "POST", "url": url, "body": body or chat()}
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def batch(region: Wired, data: bytes, key: str, endpoint: str = "/v1/chat/completions", **more: Any) -> Got:
    file = bring(region, data, key)
    assert file.status == 200, file.body
    body = {"input_file_id": file.json["id"], "endpoint": endpoint, "completion_window": "24h"} | more
    return call(region, "POST", "/v1/batches", body, key)


def loop(region: Wired) -> Batches:
    return Batches(region.gate, Lines(region.gate, region.catalogue, region.answers), patience=None)


def run(region: Wired, batches: Batches | None = None) -> int:
    return asyncio.run((batches or loop(region)).step())


def look(region: Wired, id: str, key: str) -> Any:
    got = call(region, "GET", f"/v1/batches/{id}", key=key)
    assert got.status == 200
    return got.json


def rows(region: Wired, id: str | None, key: str) -> list[Any]:
    if id is None:
        return []
    return [json.loads(row) for row in call(region, "GET", f"/v1/files/{id}/content", key=key).body.splitlines()]
