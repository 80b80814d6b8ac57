"""Which of the mission's inputs a rule is for, by the rule's log source.

A source is one word: "windows" (routed further by channel and event id), "linux/auditd", "zeek/dns", "dns" and so on.
A rule for a product that no input of this mission is written by is not applied, and says so.
"""

from __future__ import annotations

from casemate_cyber.rules.condition import Unsupported

# An event of one source is also one of these: rules without a product ask for the category.
ALSO: dict[str, tuple[str, ...]] = {
    "linux/auditd": ("linux",),
    "linux/process_creation": ("linux",),
    "linux/network_connection": ("linux",),
    "linux/file_event": ("linux",),
    "zeek/dns": ("dns",),
    "zeek/http": ("proxy", "webserver"),
    "zeek/conn": ("firewall",),
    "suricata/dns": ("dns",),
    "suricata/http": ("proxy", "webserver"),
    "suricata/flow": ("firewall",),
}
CATEGORIES = ("dns", "proxy", "webserver", "firewall")
LINUX = ("process_creation", "network_connection", "file_event")


def source_of(product: str | None, category: str | None, service: str | None) -> str:
    """The source whose events a rule is for.

    Raises:
        Unsupported: no input of this mission carries it.
    """
    match product:
        case "windows":
            return "windows"
        case "linux" if service == "auditd":
            return "linux/auditd"
        case "linux" if category in LINUX:
            return f"linux/{category}"
        case "linux" if service is None and category is None:
            return "linux"
        case "zeek" | "suricata" if service:
            return f"{product}/{service}"
        case None if category in CATEGORIES and not service:
            return str(category)
    words = "/".join(part for part in (product, category, service) if part) or "nothing"
    raise Unsupported(f"its log source is {words}, which no input of this mission carries")
