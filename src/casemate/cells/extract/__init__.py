"""From a file's bytes to its paragraphs: text, tables, records, mail, PDF, office files, TEI. Runs in a fenced child.

What is written stays as it is written: lines keep their breaks (a mark may stand alone on any of them), nothing is
de-hyphenated or left out because it looks like a banner. It knows no policy and decides nothing about labels.
"""

from __future__ import annotations

from casemate.cells.extract.draft import NoText
from casemate.cells.extract.nested import Nest
from casemate.cells.extract.shape import Awaiting, Extracted, Paragraph, Part, Request
from casemate.cells.serve import CannotRead

__all__ = ["Awaiting", "Extracted", "Paragraph", "Part", "Request", "extract"]


def extract(request: Request) -> Extracted:
    """The paragraphs of one file. Raises CannotRead with a reason that its sender may be told.

    Awaiting, where pictures in it have to be recognised first: then nothing else has been said of it.
    """
    nest = Nest(request.recognised)
    try:
        found = nest.read(request.name, request.data)
    except RecursionError:
        raise CannotRead("It is nested too deeply.") from None
    except NoText:
        if not nest.pictures:
            raise
    else:
        if not nest.pictures:
            return found
    return Awaiting("", (), pictures=tuple(nest.pictures))
