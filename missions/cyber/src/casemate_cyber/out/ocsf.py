"""Alerts as OCSF Detection Findings (schema 1.3.0, class 2004): native names inside, OCSF on the way out."""

from __future__ import annotations

from typing import Any

from casemate_cyber.out.attack import techniques
from casemate_cyber.scan.alerts import Alert
from casemate_cyber.scan.correlate import seconds

SEVERITY = {"informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
NAMES = {0: "Unknown", 1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"}


def finding(alert: Alert) -> dict[str, Any]:
    """One Detection Finding. Times are milliseconds since 1970; 0 where the event bears none that is read."""
    severity = SEVERITY.get(alert.level, 0)
    first, last = (int((seconds(time) or 0.0) * 1000) for time in (alert.first, alert.last))
    return {
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "type_uid": 200401,
        "severity_id": severity,
        "severity": NAMES[severity],
        "status_id": 1,
        "time": last,
        "count": alert.count,
        "start_time": first,
        "end_time": last,
        "metadata": {"version": "1.3.0", "product": {"name": "Casemate cyber", "vendor_name": "Casemate"}},
        "finding_info": {
            "uid": alert.key,
            "title": alert.title,
            "analytic": {
                "type_id": 1,
                "type": "Rule",
                "uid": alert.rule,
                "name": alert.title,
                "desc": f"author: {alert.author}",
            },
            "attacks": [
                {"version": "18", "technique": {"uid": technique.split(".")[0]}}
                | ({"sub_technique": {"uid": technique}} if "." in technique else {})
                for technique in techniques(alert.tags)
            ],
        },
        "device": {"hostname": alert.host, "type_id": 0, "type": "Unknown"},
        "evidences": [
            {"actor": {"user": {"name": alert.user}}, "data": {"field": field, "pattern": pattern, "value": value}}
            for field, pattern, value in alert.why
        ],
    }
