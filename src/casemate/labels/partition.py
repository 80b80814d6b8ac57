"""AccessClass: the one partition. Shards, caches, data keys, quotas, logs and queues are cut by it and nothing else."""

from __future__ import annotations

import base64
import hashlib
import threading
from dataclasses import dataclass
from weakref import WeakValueDictionary

from casemate.labels.label import Label

__all__ = ["AccessClass", "access_class"]


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class AccessClass:
    """(label, need-to-know expression, originator rule), interned: equal exactly if the same object."""

    id: str
    label: Label
    need: str = ""
    originator: str = ""


_classes: WeakValueDictionary[str, AccessClass] = WeakValueDictionary()
_plain: WeakValueDictionary[Label, AccessClass] = WeakValueDictionary()  # those of a label alone: nearly all
_lock = threading.Lock()


def access_class(label: Label, need: str = "", originator: str = "") -> AccessClass:
    """The one class of these three. Its id tells nothing of them to whoever does not know them already."""
    if not need and not originator:
        found = _plain.get(label)
        if found is not None:
            return found
    if "\0" in need or "\0" in originator:
        raise ValueError("a NUL would make two classes one")
    digest = hashlib.sha256("\0".join(("class", label.text, need, originator)).encode()).digest()
    name = base64.b32encode(digest).decode().lower()[:26]
    with _lock:
        found = _classes.get(name)
        if found is None:
            found = _classes[name] = AccessClass(name, label, need, originator)
        if not need and not originator:
            _plain[label] = found
        return found
