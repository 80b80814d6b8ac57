"""Zeek and Suricata JSON: native names, and beside them the names of Sigma's dns, proxy, webserver and firewall."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

Flat = dict[str, Any]

_ZEEK: dict[str, dict[str, Any]] = {
    "dns": {"query": "query", "qtype_name": "record_type", "answers": "answer"},
    "http": {
        "uri": ("c-uri", "cs-uri", "cs-uri-query", "cs-uri-stem"),
        "host": ("cs-host", "r-dns"),
        "user_agent": ("c-useragent", "cs-user-agent"),
        "method": "cs-method",
        "referrer": ("cs-referrer", "cs-referer"),
        "status_code": "sc-status",
    },
    "conn": {"id.orig_h": "src_ip", "id.orig_p": "src_port", "id.resp_h": "dst_ip", "id.resp_p": "dst_port"},
}
_SURICATA: dict[str, dict[str, Any]] = {
    "dns": {"dns.rrname": "query", "dns.rrtype": "record_type"},
    "http": {
        "http.url": ("c-uri", "cs-uri", "cs-uri-query", "cs-uri-stem"),
        "http.hostname": ("cs-host", "r-dns"),
        "http.http_user_agent": ("c-useragent", "cs-user-agent"),
        "http.http_method": "cs-method",
        "http.http_refer": ("cs-referrer", "cs-referer"),
        "http.status": "sc-status",
    },
    "flow": {"dest_ip": "dst_ip", "dest_port": "dst_port"},
}


def zeek(event: dict[str, Any], path: str) -> tuple[str, Flat] | None:
    """(source, event) of one Zeek line; `path` is the log's name where the line has none."""
    if "ts" not in event or not ("uid" in event or "id.orig_h" in event or "_path" in event or "fuid" in event):
        return None
    name = str(event.get("_path") or path)
    out = _flat(event)
    stamp = event["ts"]
    out["_time"] = stamp if isinstance(stamp, str) else _moment(stamp)
    _named(out, _ZEEK.get(name, {}))
    return f"zeek/{name}", out


def _moment(stamp: Any) -> str:
    try:
        return datetime.fromtimestamp(float(stamp), UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def suricata(event: dict[str, Any]) -> tuple[str, Flat] | None:
    """(source, event) of one line of eve.json."""
    kind = event.get("event_type")
    if not isinstance(kind, str) or "timestamp" not in event:
        return None
    out = _flat(event)
    out["_time"] = str(event["timestamp"])
    _named(out, _SURICATA.get(kind, {}))
    return f"suricata/{kind}", out


def _flat(event: dict[str, Any]) -> Flat:
    """Names joined by a point, lists one item a line; two levels deep, which is what both write."""
    out: Flat = {}
    for name, value in event.items():
        if isinstance(value, dict):
            out.update((f"{name}.{inner}", _text(held)) for inner, held in value.items() if held is not None)
        elif value is not None:
            out[name] = _text(value)
    return out


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return "\n".join(str(item) for item in value)
    return str(value) if isinstance(value, dict) else value


def _named(out: Flat, names: dict[str, Any]) -> None:
    for native, given in names.items():
        if native in out:
            for name in (given,) if isinstance(given, str) else given:
                out.setdefault(name, out[native])
