"""Speaks like the program `tesseract` and tells what its fence lets it do. Run by tests alone, in the sandbox."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

LANGUAGES = "List of available languages in /usr/share/tesseract-ocr/5/tessdata/ (3):\neng\nfra\nosd\n"


def tries() -> list[str]:
    """What it could do that it must not."""
    done = []
    for name, deed in {
        "socket": lambda: socket.socket(socket.AF_UNIX),
        "internet": lambda: socket.create_connection(("127.0.0.1", 9)),
        "process": os.fork,
        "file": lambda: Path(os.environ["TMPDIR"], "left").write_text("x"),
        "passwords": lambda: Path("/etc/passwd").read_text(),
        "home": lambda: os.listdir(os.environ["HOME"]),  # noqa: PTH208
    }.items():
        try:
            deed()
        except OSError:
            continue
        done.append(name)
    return done


def main() -> None:
    if sys.argv[1:] == ["--list-langs"]:
        print(LANGUAGES, end="")
        return
    picture = sys.stdin.buffer.read()
    order = picture[16:].decode() if picture.startswith(b"\x89PNG") else ""
    match order:
        case "fails":
            print("words")
            sys.exit(1)
        case "waits":
            sys.stdin.close()
            while True:
                pass
        case "floods":
            for _ in range(50):
                sys.stdout.write("x" * (1 << 20))
        case "tries":
            print(",".join(tries()) or "nothing")
        case "asked":
            print(" ".join(sys.argv[1:]))
        case _:
            print(f"SECRET//NOFORN\n\n(S) A picture of {len(picture)} bytes.\n\f", end="")


if __name__ == "__main__":
    main()
