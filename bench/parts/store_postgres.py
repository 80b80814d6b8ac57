"""The client's side of PostgreSQL: CPU microseconds for each audited, sealed, idempotent operation.

An operation is what the gate asks of a store: a value of 200 bytes sealed with AES-256-GCM, its digest, its ledger
entry (canonical text, leaf hash, sealed), and one batch under a key. Time is this process's own (every thread of it);
the server is another process, and its time is told beside. `postgres_figures` is called by `bench/store.py`.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec

from bench.parts.running import cpu_seconds
from casemate.crypto import encrypt
from casemate.engines.postgres import PostgresWriter
from casemate.ledger import leaf_hash
from casemate.store import Batch, EntryRow, RowPut, put_digest

__all__ = ["postgres_figures"]

CLIENTS = (16, 64)
OPERATIONS = 6000
_KEY = bytes(range(32))
_VALUE = {"name": "a document of the bench", "text": "x" * 160}
_encode = msgspec.json.Encoder(order="sorted").encode


def postgres_figures() -> dict[str, float]:
    """`cpu_us_per_op_postgres` is the worse of 16 and 64 clients. Empty where there is no PostgreSQL."""
    from tests.engines.postgres_server import Server, gone, made, missing

    if missing():
        return {}
    server: Server = made(("shared_buffers=128MB",))
    try:
        told: dict[str, float] = {}
        for clients in CLIENTS:
            used, wall, beside = asyncio.run(_measured(server, clients))
            told[f"cpu_us_per_op_postgres_{clients}"] = used / OPERATIONS * 1e6
            told[f"postgres_server_cpu_us_per_op_{clients}"] = beside / OPERATIONS * 1e6
            told[f"postgres_ops_per_s_{clients}"] = OPERATIONS / wall
        told["cpu_us_per_op_postgres"] = max(told[f"cpu_us_per_op_postgres_{clients}"] for clients in CLIENTS)
        return told
    finally:
        gone(server)


async def _measured(server: Any, clients: int) -> tuple[float, float, float]:
    """CPU seconds here, seconds on the clock, and CPU seconds of the server's processes."""
    writer = PostgresWriter(server.database())
    try:
        await _all(writer, clients, clients * 20, "warm")
        begun, cpu, beside = time.perf_counter(), time.process_time(), cpu_seconds(server.children())
        await _all(writer, clients, OPERATIONS, "run")
        return (
            time.process_time() - cpu,
            time.perf_counter() - begun,
            cpu_seconds(server.children()) - beside,
        )
    finally:
        writer.close()


async def _all(writer: PostgresWriter, clients: int, operations: int, turn: str) -> None:
    async def client(number: int) -> None:
        for at in range(number, operations, clients):
            await writer.commit(_operation(f"{turn}_{at}"))

    await asyncio.gather(*(client(number) for number in range(clients)))


def _operation(name: str) -> Batch:
    value = encrypt(_KEY, _encode(_VALUE), name.encode())
    row = RowPut("class_a", "document", name, value, put_digest("class_a", "document", name, value), [("name", _KEY)])
    text = _encode({"at": 0, "id": name, "action": "put", "principal": "bench", "outcome": "permitted", "object": name})
    entry = EntryRow("class_a", name, leaf_hash(text), encrypt(_KEY, text, name.encode()))
    return Batch(domain="class_a", key=name, puts=[row], entries=[entry])


if __name__ == "__main__":
    print(msgspec.json.format(msgspec.json.encode(postgres_figures())).decode())
