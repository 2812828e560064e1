"""Figures of a process as Prometheus reads them.

Source: Prometheus text exposition format, version 0.0.4.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

COUNTER, GAUGE = "counter", "gauge"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Metric:
    """One named figure, with one value for each set of labels."""

    name: str
    kind: str
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]


def figure(name: str, kind: str, text: str, value: float, **labels: str) -> Metric:
    """Return a figure with one value."""
    return Metric(name, kind, text, [(labels, value)])


def expose(metrics: Iterable[Metric]) -> str:
    """Return the figures as text."""
    lines = []
    for metric in metrics:
        lines.append(f"# HELP {metric.name} {_plain(metric.help)}")
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        for labels, value in metric.samples:
            told = ",".join(f'{k}="{_quoted(v)}"' for k, v in sorted(labels.items()))
            lines.append(
                f"{metric.name}{'{' + told + '}' if told else ''} {value:.15g}"
            )
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    return _plain(text).replace('"', r"\"")
