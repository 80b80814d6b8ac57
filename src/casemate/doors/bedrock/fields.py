"""Fields of a body that the house does not know: they go on as they are, and the entry names them."""

from __future__ import annotations

__all__ = ["noted"]

_NAMES, _LENGTH = 16, 40


def noted(names: list[str]) -> dict[str, str]:
    """The fact that names the fields, bounded; {} where there is none."""
    if not names:
        return {}
    told = [name[:_LENGTH] for name in names[:_NAMES]] + (["..."] if len(names) > _NAMES else [])
    return {"unknown": ", ".join(told)}
