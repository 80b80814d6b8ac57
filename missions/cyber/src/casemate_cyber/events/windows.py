"""Windows events: as `evtx` writes them, and as shippers write them, under the names that Sigma rules use."""

from __future__ import annotations

from typing import Any

Flat = dict[str, Any]

_SYSTEM = {
    "Provider": (("Name", "Provider_Name"), ("Guid", "Provider_Guid")),
    "TimeCreated": (("SystemTime", "SystemTime"),),
    "Execution": (("ProcessID", "ExecutionProcessID"), ("ThreadID", "ExecutionThreadID")),
    "Security": (("UserID", "SecurityUserID"),),
    "Correlation": (("ActivityID", "ActivityID"), ("RelatedActivityID", "RelatedActivityID")),
}


def flat(event: dict[str, Any]) -> Flat | None:
    """One event as field -> value; None where this is no Windows event."""
    held = event.get("Event")
    if isinstance(held, dict) and isinstance(held.get("System"), dict):
        return _evtx(held)
    winlog = event.get("winlog")
    if isinstance(winlog, dict):
        return _winlog(event, winlog)
    if "EventID" in event and ("Channel" in event or "SourceName" in event or "ProviderName" in event):
        return _shipped(event)
    return None


def _evtx(held: dict[str, Any]) -> Flat:
    out: Flat = {}
    for name, value in held["System"].items():
        if type(value) is not dict:
            if value is not None:
                out[name] = value
        elif name == "EventID":
            out[name] = value.get("#text")
        elif (attributes := value.get("#attributes")) is not None:
            for inner, given in _SYSTEM.get(name, ()):
                if attributes.get(inner) is not None:
                    out[given] = attributes[inner]
    data = held.get("EventData")
    if type(data) is dict:
        for name, value in data.items():
            held_in = _text(value) if type(value) is dict or type(value) is list else value
            if held_in is not None and name != "#attributes":
                out[name.replace(" ", "") if " " in name else name] = held_in
    data = held.get("UserData")
    if type(data) is dict:
        _deep(data, out)
    return out


def _text(value: Any) -> Any:
    """A value of several parts is its parts, one a line."""
    if isinstance(value, dict):
        value = value.get("#text")
    if isinstance(value, list):
        return "\n".join(str(item) for item in value if item is not None)
    return value


def _deep(data: dict[str, Any], out: Flat) -> None:
    """Leaves of UserData by their own names: its outer names differ by provider, and rules do not write them."""
    waiting = [data]
    while waiting:
        for name, value in waiting.pop().items():
            if name == "#attributes":
                continue
            if isinstance(value, dict) and "#text" not in value:
                waiting.append(value)
            elif (text := _text(value)) is not None:
                out.setdefault(name, text)


def _winlog(event: dict[str, Any], winlog: dict[str, Any]) -> Flat:
    out: Flat = {
        "Channel": winlog.get("channel"),
        "EventID": winlog.get("event_id"),
        "Provider_Name": winlog.get("provider_name"),
        "Computer": winlog.get("computer_name"),
        "EventRecordID": winlog.get("record_id"),
        "SystemTime": event.get("@timestamp"),
    }
    for part in ("event_data", "user_data"):
        if isinstance(data := winlog.get(part), dict):
            out.update((name, _text(value)) for name, value in data.items())
    return {name: value for name, value in out.items() if value is not None}


_SHIPPED = {
    "Hostname": "Computer",
    "SourceName": "Provider_Name",
    "ProviderName": "Provider_Name",
    "@timestamp": "SystemTime",
    "TimeCreated": "SystemTime",
    "EventTime": "SystemTime",
    "RecordNumber": "EventRecordID",
}


def _shipped(event: dict[str, Any]) -> Flat:
    out: Flat = {}
    for name, value in event.items():
        if isinstance(value, dict):
            _deep(value, out)
        elif (text := _text(value)) is not None:
            out.setdefault(_SHIPPED.get(name, name), text)
            out.setdefault(name, text)
    return out
