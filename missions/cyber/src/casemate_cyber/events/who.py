"""When, where and who: what every alert says of its event, whatever the event's source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TIMES = ("_time", "SystemTime", "UtcTime")
_HOSTS = ("Computer", "node", "hostname", "id.orig_h", "src_ip")
_USERS = ("User", "TargetUserName", "SubjectUserName", "AccountName", "auid", "uid", "username")


def told(source: str, raw: Mapping[str, Any]) -> tuple[str, str, str]:
    """(time as the event writes it, host, user); an empty text where the event does not say."""
    get = raw.get
    user = next((get(name) for name in _USERS if get(name) not in (None, "", "-")), "")
    if source.startswith("zeek/"):
        user = get("username", "")
    time = next((get(name) for name in _TIMES if name in raw), "")
    host = next((get(name) for name in _HOSTS if name in raw), "")
    return str(time), str(host), str(user)
