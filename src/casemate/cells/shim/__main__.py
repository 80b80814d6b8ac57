"""Entry point of the shim, run as a file: the package becomes importable behind the standard library, not before it."""

import sys

if __name__ == "__main__":
    sys.path.append(__file__.rsplit("/", 4)[0])
    if sys.argv[1:] == ["--pool"]:
        from casemate.cells.shim.pool import serve

        serve(0)
    elif sys.argv[1:2] == ["--probe"]:
        from casemate.cells.shim.probe import main

        main(sys.argv[2:])
    elif sys.argv[1:2] == ["--seat"] and len(sys.argv) == 3:
        from casemate.cells.shim.seat import seat

        seat(sys.argv[2])
    elif len(sys.argv) == 2:
        from casemate.cells.shim.run import attempt

        attempt(sys.argv[1])
    else:
        sys.exit(64)
