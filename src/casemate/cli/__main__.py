"""`python -m casemate.cli`, where the script is not on the path."""

from __future__ import annotations

from casemate.cli import main

main()
