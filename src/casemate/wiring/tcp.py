"""Listening on TCP, apart from what serves there: the supervisor opens the socket, a child inherits it."""

from __future__ import annotations

import errno
import socket

from casemate.errors import Misconfigured, Occupied

__all__ = ["listen_tcp"]

BACKLOG = 256


def listen_tcp(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises Occupied where another holds the port, Misconfigured where it is no address of this machine.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise Occupied(what=f"Port {port} on {host}") from None
        why = f"{host} port {port} cannot be listened on ({error.strerror})"
        raise Misconfigured(setting="listen", why=why) from None
    listening.setblocking(False)
    return listening
