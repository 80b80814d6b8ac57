"""`python -m casemate.cells.generate FOLDER`, which only the sandbox runs."""

import sys

from casemate.cells.generate.loop import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
