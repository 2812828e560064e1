"""The outlines of the 135 communes of the new Gia Lai: areas and map paths.

Reads the TopoJSON in `data/`. Lists of areas are wrong for at least 13 communes, so
areas are computed here. A map is drawn on the server as SVG paths: no foreign tiles,
and it works without JavaScript.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parent / "data" / "gialai-communes-from-2025-07-01.topojson"
PROVINCE_CODE = "52"
EARTH_RADIUS_KM = 6371.0088
WIDTH = 1000.0

Point = tuple[float, float]
Ring = list[Point]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Outline:
    """One commune on the map: its SVG path and where its label stands."""

    code: str
    name: str
    path: str
    x: float
    y: float


@dataclass(frozen=True)
class Map:
    """All outlines in one box of `width` × `height` units."""

    width: float
    height: float
    outlines: tuple[Outline, ...]


@cache
def _rings() -> dict[str, tuple[str, list[Ring]]]:
    """Return code → (name, rings in degrees)."""
    topology = json.loads(SOURCE.read_text(encoding="utf-8"))
    arcs = _decode_arcs(topology)
    return {
        shape["properties"]["code"]: (
            shape["properties"]["name"],
            [_stitch(ring, arcs) for ring in _ring_indexes(shape)],
        )
        for shape in topology["objects"]["communes"]["geometries"]
    }


def _decode_arcs(topology: dict[str, Any]) -> list[Ring]:
    """Return arcs in degrees. Source: TopoJSON specification, 2.1.4 (quantized)."""
    transform = topology.get("transform")
    if not transform:
        return [[(x, y) for x, y in arc] for arc in topology["arcs"]]
    (sx, sy), (dx, dy) = transform["scale"], transform["translate"]
    return [
        [
            (x * sx + dx, y * sy + dy)
            for x, y in accumulate(arc, lambda a, b: [a[0] + b[0], a[1] + b[1]])
        ]
        for arc in topology["arcs"]
    ]


def _ring_indexes(shape: dict[str, Any]) -> Iterator[list[int]]:
    polygons = [shape["arcs"]] if shape["type"] == "Polygon" else shape["arcs"]
    for polygon in polygons:
        yield from polygon


def _stitch(indexes: list[int], arcs: list[Ring]) -> Ring:
    ring: Ring = []
    for index in indexes:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        ring.extend(arc[1:] if ring else arc)
    return ring


def areas_km2() -> dict[str, float]:
    """Return the area of each commune in km², from its outline.

    Formula: Chamberlain and Duquette, "Some Algorithms for Polygons on a Sphere"
    (JPL 07-03), equation for a polygon of longitudes and sines of latitudes.
    """
    return {
        code: round(abs(sum(_signed_area(ring) for ring in rings)), 2)
        for code, (_name, rings) in _rings().items()
    }


def _signed_area(ring: Ring) -> float:
    total = sum(
        math.radians(x2 - x1)
        * (2 + math.sin(math.radians(y1)) + math.sin(math.radians(y2)))
        for (x1, y1), (x2, y2) in pairwise(ring)
    )
    return total * EARTH_RADIUS_KM**2 / 2


@cache
def draw() -> Map:
    """Return the map of the communes, north up, degrees made square in the middle."""
    frame = _frame()
    outlines = []
    for code, (name, rings) in sorted(_rings().items()):
        placed = [[frame.place(point) for point in ring] for ring in rings]
        largest = max(placed, key=len)
        outlines.append(
            Outline(
                code=code,
                name=name,
                path="".join(_svg(ring) for ring in placed),
                x=round(sum(x for x, _ in largest) / len(largest), 1),
                y=round(sum(y for _, y in largest) / len(largest), 1),
            )
        )
    return Map(WIDTH, round(frame.height, 1), tuple(outlines))


@dataclass(frozen=True)
class _Frame:
    """Where degrees stand on the drawing."""

    west: float
    north: float
    squeeze: float
    scale: float
    height: float

    def place(self, point: Point) -> Point:
        """Return (x, y) of (longitude, latitude)."""
        x, y = point
        return (x - self.west) * self.squeeze * self.scale, (
            self.north - y
        ) * self.scale


@cache
def _frame() -> _Frame:
    points = [p for _name, rings in _rings().values() for ring in rings for p in ring]
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    squeeze = math.cos(math.radians((south + north) / 2))
    scale = WIDTH / ((east - west) * squeeze)
    return _Frame(west, north, squeeze, scale, (north - south) * scale)


def place(*, lat: float, lon: float) -> Point:
    """Return where a place stands on the drawing."""
    return _frame().place((lon, lat))


@cache
def box(code: str) -> Box | None:
    """Return left, top, right, bottom of a commune on the drawing, or None."""
    if code not in _rings():
        return None
    _name, rings = _rings()[code]
    placed = [_frame().place(point) for ring in rings for point in ring]
    xs, ys = [x for x, _y in placed], [y for _x, y in placed]
    return min(xs), min(ys), max(xs), max(ys)


def _svg(ring: Ring) -> str:
    """Return one closed ring as relative whole steps: short, and exact enough."""
    steps = [(round(x), round(y)) for x, y in ring]
    moves = [
        f"{x2 - x1} {y2 - y1}"
        for (x1, y1), (x2, y2) in pairwise(steps)
        if (x1, y1) != (x2, y2)
    ]
    return f"M{steps[0][0]} {steps[0][1]}l{' '.join(moves)}z" if moves else ""
