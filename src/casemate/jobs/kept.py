"""Folders of attempts that stay: an output was left where it lies."""

from __future__ import annotations

import msgspec

from casemate.objects import Kind

__all__ = ["JOB_PLACE", "Placed"]


class Placed(msgspec.Struct, frozen=True):
    """The job whose output lies in the folder of this token."""

    job: str


JOB_PLACE = Kind("job_place", Placed)
