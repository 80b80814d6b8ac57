"""The text that Prometheus reads: exposition format 0.0.4, or OpenMetrics 1.0 for whoever asks for it.

Every series bears `label`, the canonical text of its domain, and there is no series without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from casemate.telemetry.instrument import INSTRUMENTS, Instrument
from casemate.telemetry.kept import Counted, Kept, Measured

__all__ = ["MEDIA", "OPEN_MEDIA", "exposition"]

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
OPEN_MEDIA = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def exposition(domains: Iterable[Kept], openmetrics: bool = False) -> str:
    """The metrics of these domains, family by family, in the order of the instruments and of the domains."""
    kept = list(domains)
    lines: list[str] = []
    for instrument in INSTRUMENTS:
        family = list(_family(instrument, kept))
        if not family:
            continue
        name = _family_name(instrument, openmetrics)
        lines += [f"# HELP {name} {instrument.help}", f"# TYPE {name} {instrument.kind}", *family]
    return "".join(f"{line}\n" for line in (*lines, *(("# EOF",) if openmetrics else ())))


def _family_name(instrument: Instrument, openmetrics: bool) -> str:
    """A counter's family is named without `_total` in OpenMetrics, with it in the older format."""
    return f"{instrument.name}_total" if instrument.kind == "counter" and not openmetrics else instrument.name


def _family(instrument: Instrument, domains: Sequence[Kept]) -> Iterator[str]:
    for kept in domains:
        if instrument.kind == "histogram":
            for measured in kept.histograms:
                if measured.name == instrument.name and len(measured.counts) == len(instrument.bounds) + 1:
                    yield from _histogram(instrument, kept.label, measured)
            continue
        name = f"{instrument.name}_total" if instrument.kind == "counter" else instrument.name
        for counted in kept.gauges if instrument.kind == "gauge" else kept.counters:
            if counted.name == instrument.name:
                yield f"{name}{_labels(instrument, kept.label, counted)} {counted.count}"


def _histogram(instrument: Instrument, label: str, measured: Measured) -> Iterator[str]:
    labels = _labels(instrument, label, measured)[:-1]
    seen = 0
    for bound, count in zip(instrument.bounds, measured.counts, strict=False):
        seen += count
        yield f'{instrument.name}_bucket{labels},le="{_number(bound, instrument.scale)}"}} {seen}'
    seen += measured.counts[-1]
    yield f'{instrument.name}_bucket{labels},le="+Inf"}} {seen}'
    yield f"{instrument.name}_sum{labels}}} {_number(measured.total, instrument.scale)}"
    yield f"{instrument.name}_count{labels}}} {seen}"


def _labels(instrument: Instrument, label: str, series: Counted | Measured) -> str:
    """`{label="...",...}`; a value that is empty is left out, which means the same."""
    pairs = [("label", label), *zip(instrument.labels, series.key, strict=False)]
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPED)}"' for name, value in pairs if value) + "}"


def _number(value: int, scale: int) -> str:
    """A whole number of units as a decimal, exactly."""
    if scale == 1:
        return str(float(value)) if value < 1 << 53 else str(value)
    whole, rest = divmod(value, scale)
    return f"{whole}.{rest:06d}".rstrip("0") + ("0" if not rest else "")
