"""The published pairs of written and spoken text hold."""

from pathlib import Path

import pytest

from nguon.speech.text import normalise

FOLDER = Path(__file__).parents[1] / "vectors" / "speech"


def pairs(name: str) -> list[tuple[str, str]]:
    """Return the pairs of one file: written, tab, spoken; `# ` begins a comment."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("# ")]
    return [(row[0], row[1]) for row in rows]


KNOWN = "known.tsv"
PAIRS = [
    (path.stem, *pair)
    for path in sorted(FOLDER.glob("*.tsv"))
    if path.name != KNOWN
    for pair in pairs(path.name)
]


@pytest.mark.parametrize(("family", "written", "spoken"), PAIRS)
def test_a_pair_is_read_as_a_newsreader_reads_it(
    family: str, written: str, spoken: str
) -> None:
    assert normalise(written) == spoken, family


def test_the_set_is_large_and_nearly_all_of_it_passes() -> None:
    known = pairs(KNOWN)

    assert len(PAIRS) >= 450
    assert len(known) <= (len(PAIRS) + len(known)) * 0.01


def test_what_is_listed_as_known_is_not_yet_read_right() -> None:
    passing = [
        written for written, spoken in pairs(KNOWN) if normalise(written) == spoken
    ]

    assert passing == []
