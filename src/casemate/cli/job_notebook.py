"""`casemate job notebook`: the environment's own Jupyter in a job's sandbox, and the browser of whoever asked for it.

    browser ──> 127.0.0.1:PORT (this process) ──> a request to the region for each connection ──> the job's own network

What listens here hands on only what its one visitor asks: a token that counts once becomes a cookie, each request
shows that cookie on a connection of its own, and comes from our own address and page. Jupyter itself asks for no token:
in its network there is nobody else, and there is none that could be seen in a flag, an environment or a log.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

import click

from casemate.cli.client import Client
from casemate.cli.command import option, verb
from casemate.cli.duplex import Duplex
from casemate.cli.failure import Failed
from casemate.cli.job_follow import at, exit_of, how, settled, why
from casemate.cli.job_spec import WORKED, asked_to_work
from casemate.cli.notebook_door import Door
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["NONE", "PROGRAM", "notebook"]

NONE = 69
"""How it ends where the environment has no Jupyter: EX_UNAVAILABLE of sysexits.h."""
AGAIN = 0.5
PROGRAM = f"""
import importlib.util, json, os, sys, tempfile
found = [name for name in ("jupyterlab", "notebook", "jupyter_server") if importlib.util.find_spec(name)]
if not found:
    sys.stderr.write("This environment has no jupyterlab, notebook or jupyter_server.\\n")
    sys.exit({NONE})
folder = tempfile.mkdtemp()
told = {{"ip": "127.0.0.1", "port": int(os.environ["PORT"]), "port_retries": 0, "open_browser": False,
        "root_dir": os.environ["CASEMATE_OUT"]}}
with open(os.path.join(folder, "jupyter_server_config.json"), "w") as file:
    json.dump({{"ServerApp": told, "IdentityProvider": {{"token": ""}}, "KernelManager": {{"transport": "ipc"}}}}, file)
os.environ["JUPYTER_CONFIG_DIR"] = folder
os.execv(sys.executable, [sys.executable, "-m", found[0]])
"""
PYTHON = ("python3", "-c", PROGRAM)


@verb(
    "job.notebook",
    click.argument("words", nargs=-1, metavar="[-- COMMAND...]"),
    *WORKED,
    option("--port", type=click.IntRange(0, 65535), default=0, metavar="N"),
    option("--attach", "attached", default="", metavar="ID"),
)
def notebook(talk: Talk, words: tuple[str, ...], port: int, attached: str, label: str, **told: Any) -> None:
    client = talk.client()
    if attached:
        job = client.get(at(attached), acting=label).data
        acting = str(job["label"])
    else:
        made = client.post("/api/jobs", asked_to_work(words or PYTHON, told, "notebook"), acting=label)
        job, acting = made.data, made.label
        talk.say("job.submitted", id=job["id"])
    talk.marked(job["marking"])
    id = str(job["id"])
    try:
        if _answers(client, id, acting):
            _served(talk, client, id, acting, port)
    except KeyboardInterrupt:
        talk.say("job.goes_on", id=id)
        raise
    done = settled(client, id, acting)
    talk.data(done, acting, done["marking"])
    if done["exit"] == NONE and not words:
        told_in = told["environment"] or t("job.notebook_machine")
        raise BadInput(what=t("job.notebook_none", environment=told_in))
    if done["state"] != "SUCCEEDED":
        talk.say("job.ended", id=id, how=how(done), reason=why(done["reason"]))
    raise SystemExit(exit_of(done))


def _served(talk: Talk, client: Client, id: str, acting: str, port: int) -> None:
    """Handed on, until the job has ended."""
    token = secrets.token_urlsafe(24)
    with Door(lambda: Duplex(client, f"{at(id)}/notebook", acting), port, token) as door:
        talk.say("job.notebook_ready", url=f"http://127.0.0.1:{door.port}/?token={token}")
        version = ""
        while True:
            job = client.get(at(id), acting=acting, wait="10", **({"version": version} if version else {})).data
            if not job["open"]:
                return
            version = str(job["version"])


def _answers(client: Client, id: str, acting: str) -> bool:
    """Whether what it serves answers by now; False where the job has ended before."""
    while True:
        try:
            line = Duplex(client, f"{at(id)}/notebook", acting)
        except Failed as error:
            if error.problem.slug != "conflict":
                raise
        else:
            line.say(b"GET /api HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            said = line.hear()
            line.close()
            if said:
                return True
        if not client.get(at(id), acting=acting).data["open"]:
            return False
        time.sleep(AGAIN)
