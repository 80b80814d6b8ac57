"""Every kind whose values name blobs, for the scrub: a kind that is not here would have its blobs swept."""

from __future__ import annotations

from typing import Any

from casemate.access import HELD
from casemate.buckets.kinds import OBJECT, PART
from casemate.datasets.dataset import DATASET
from casemate.jobs import JOB
from casemate.jobs.environment import ENVIRONMENT
from casemate.jobs.packages import PACKAGE
from casemate.knowledge.documents.document import DOCUMENT, SEGMENT
from casemate.missions.host import MISSION
from casemate.models.batch import SLICE
from casemate.models.files import FILE
from casemate.objects import Kind

__all__ = ["NAMING"]

_OF_JOBS: tuple[Kind[Any], ...] = (JOB, ENVIRONMENT, PACKAGE, MISSION)
NAMING: tuple[Kind[Any], ...] = (PART, HELD, SLICE, FILE, DOCUMENT, SEGMENT, DATASET, OBJECT, *_OF_JOBS)
"""A part's blobs become an object's in one commit, so that parts are read before objects."""
