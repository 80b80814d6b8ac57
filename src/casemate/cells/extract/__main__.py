"""The extraction cell as a program: `python -m casemate.cells.extract`, started by the sandbox."""

from casemate.cells.extract import Request, extract
from casemate.cells.serve import serve

serve(Request, extract)
