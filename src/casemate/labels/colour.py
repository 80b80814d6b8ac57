"""Colours of a banner: a pair is accepted only if it can be read (WCAG 2.2, success criterion 1.4.3: 4.5 to 1)."""

from __future__ import annotations

import re

__all__ = ["contrast", "legible"]

_HEX = re.compile(r"#[0-9a-f]{6}")
_LEAST = 4.5


def legible(background: str, foreground: str) -> tuple[str, str]:
    """The pair, or ValueError if it is not two lower-case hex colours with enough contrast."""
    for colour in (background, foreground):
        if not _HEX.fullmatch(colour):
            raise ValueError(f"not a colour: {colour}")
    if contrast(background, foreground) < _LEAST:
        raise ValueError(f"{foreground} on {background} has a contrast below {_LEAST}")
    return background, foreground


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two hex colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
