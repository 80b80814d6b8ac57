"""What runs first in a child that becomes the text recognition of this machine: fenced as `launch` does, then executed.

The picture comes through the pipe of requests, which is the program's standard input, and its text leaves through the
pipe of replies, its standard output. It can make no socket, no process and no file, and reads its libraries and its
own data. The fence stays over exec; nothing is executed before the parent has seen that it holds.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any


def _launch() -> Any:
    """`launch`, which lies in the folder above; nothing else there becomes importable."""
    spec = importlib.util.spec_from_file_location("launch", Path(__file__).parents[1] / "launch.py")
    if spec is None or spec.loader is None:
        raise ImportError("launch")
    module = importlib.util.module_from_spec(spec)
    sys.modules["launch"] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Fence, report, execute. Ends with 71 where the fence does not hold, with 72 where there is nothing to execute."""
    launch = _launch()
    fence = launch._fence()
    fence._descriptors()
    order = fence._order()
    os.dup2(fence.REQUESTS, 0)  # the filter knows no dup2
    os.dup2(fence.REPLIES, 1)
    try:
        fence._limits(order["limits"])
        fence._drop_capabilities()
        fence._prctl("no_new_privs", fence._PR_SET_NO_NEW_PRIVS, 1)
        fence._prctl("die with the parent", fence._PR_SET_PDEATHSIG, 9)
        if os.getppid() != order["parent"]:
            raise OSError("the parent went away")
        abi = launch._landlock(fence, order["calls"], order["reads"], order["home"])
        fence._seccomp(order["calls"]["seccomp"], fence.base64.b64decode(order["filter"]))
        launch._try(fence, order["home"])
    except Exception as error:  # noqa: BLE001 - whatever it is, this process must not go on
        fence._report({"why": f"{type(error).__name__}: {error}"})
        os._exit(71)
    fence._report({"abi": abi})
    fence._exactly(1)  # the parent looks at this process before it becomes another program
    os.set_inheritable(fence.REQUESTS, False)
    os.set_inheritable(fence.REPLIES, False)
    try:
        os.execve(order["program"], [order["program"], *order["arguments"]], os.environ)  # noqa: S606
    except OSError:
        os._exit(72)


if __name__ == "__main__":
    main()
