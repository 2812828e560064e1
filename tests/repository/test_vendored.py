"""Vendored files are the versions that the documentation names."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_htmx_is_the_version_that_the_page_names() -> None:
    page = (ROOT / "docs/reference/vendored.md").read_text(encoding="utf-8")
    file = ROOT / "src/nguon/web/static/web/htmx.min.js"

    named = re.search(r"htmx (\d+\.\d+\.\d+)", page)
    found = re.search(r'version:"([\d.]+)"', file.read_text(encoding="utf-8"))

    assert named
    assert found
    assert named[1] == found[1]


def test_pages_run_nothing_that_stands_inside_them() -> None:
    inline = re.compile(
        r"\son\w+=|<script(?![^>]*\bsrc=)|\bstyle=|hx-on", re.IGNORECASE
    )
    templates = (ROOT / "src/nguon").rglob("templates/**/*.html")

    found = [
        f"{path.name}: {hit[0]}"
        for path in templates
        if "agent" not in path.parts
        for hit in [inline.search(path.read_text(encoding="utf-8"))]
        if hit
    ]

    assert found == []
