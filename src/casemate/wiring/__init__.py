"""Where rooms and engines meet: a region is opened here, by role, from one folder and its settings."""

from __future__ import annotations

from casemate.wiring.folder import Folder
from casemate.wiring.region import House, open_house

__all__ = ["Folder", "House", "open_house"]
