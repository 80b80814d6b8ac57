"""Speaks as a llama-server does, as far as the supervisor knows it, and tells what its fence lets it do."""

# ruff: noqa: PTH123 - it starts in every test, quickly

import json
import os
import socket
import sys

HELP = """
-m,    --model FNAME                    model path
-a,    --alias STRING                   set alias
--host HOST                             ip address to listen, or a UNIX socket if it ends with .sock
-cram, --cache-ram N                    set the maximum cache size in MiB
--cache-idle-slots, --no-cache-idle-slots
--no-webui                              no web page
"""


def tried(deed):
    try:
        deed()
    except OSError as error:
        return type(error).__name__
    return "done"


def probes(elsewhere, written):
    client = socket.socket(socket.AF_UNIX)
    return {
        "arguments": sys.argv[1:],
        "environment": sorted(os.environ),
        "inet": tried(lambda: socket.socket(socket.AF_INET)),
        "datagram": tried(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)),
        "connect": tried(lambda: client.connect(elsewhere)),
        "fork": tried(os.fork),
        "passwd": tried(lambda: open("/etc/passwd").close()),
        "write": tried(lambda: open(written, "w").close()),
        "pid": os.getpid(),
    }


def answer(connection):
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(65536) or sys.exit(3)
    head, _, body = request.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    if head.startswith(b"GET /health "):
        status = b"200 OK"
        data = b"{}"
    else:
        asked = json.loads(body)
        word = asked["messages"][-1]["content"]
        if word == "die":
            os._exit(1)
        text = json.dumps(probes(*word.split("|"))) if "|" in word else word
        message = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        data = json.dumps({"model": asked["model"], "choices": [message]}).encode()
        status = b"200 OK"
        if asked["stream"]:
            chunk = {"model": asked["model"], "choices": [{"delta": {"content": text}, "finish_reason": "stop"}]}
            data = b"data: " + json.dumps(chunk).encode() + b"\n\ndata: [DONE]\n\n"
    media = b"text/event-stream" if data.startswith(b"data:") else b"application/json"
    lines = (b"HTTP/1.1 " + status, b"Connection: close", b"Content-Type: " + media, b"Content-Length: %d" % len(data))
    connection.sendall(b"\r\n".join([*lines, b"", data]))
    connection.close()


def main():
    if sys.argv[1:] == ["--help"]:
        with open(sys.argv[0] + ".help") as file:
            sys.stdout.write(file.read())
        return
    with open(sys.argv[sys.argv.index("--model") + 1]) as file:
        if file.read() == "broken":
            sys.exit(1)
    server = socket.socket(socket.AF_UNIX)
    server.bind(sys.argv[sys.argv.index("--host") + 1])
    server.listen()
    while True:
        answer(server.accept()[0])


if __name__ == "__main__":
    main()
