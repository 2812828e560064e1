"""Writes the reference pages that code decides: `python -m tests.repository.pages`.

The tests compare each page with what this module would write.
"""

import ast
from pathlib import Path

from nguon.agent import sentences as agent
from nguon.simulator import sentences as simulator
from nguon.web import sentences as web

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
NOTE = "Written by `python -m tests.repository.pages`; edit {source} instead.\n"

# Each program carries its own sentences: the device knows no server.
SENTENCES = web.SENTENCES | agent.SENTENCES | simulator.SENTENCES


def settings_page() -> str:
    """Return the page of settings, from `.env.example`."""
    lines = ["# Settings", "", NOTE.format(source="`.env.example`")]
    lines += ["| name | default | meaning |", "| --- | --- | --- |"]
    comment: list[str] = []
    for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            comment.append(line.lstrip("# ").strip())
        elif "=" in line:
            name, _, default = line.partition("=")
            meaning = " ".join(comment)
            lines.append(
                f"| `{name}` | {f'`{default}`' if default else ''} | {meaning} |"
            )
            comment = []
        else:
            comment = []
    return "\n".join(lines) + "\n"


def errors_page() -> str:
    """Return the page of error codes, from `web/sentences.py`."""
    lines = ["# Error codes", "", NOTE.format(source="`src/nguon/web/sentences.py`")]
    lines += ["| code | what a person reads |", "| --- | --- |"]
    for code, sentence in sorted(SENTENCES.items()):
        text = sentence.replace("|", "\\|")
        lines.append(f"| `{code}` | {text} |")
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Return the page of commands, from the script and the rooms' commands."""
    script = ast.parse((ROOT / "nguon").read_text(encoding="utf-8"))
    usage = next(
        ast.literal_eval(node.value)
        for node in script.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "USAGE"
    )
    lines = ["# Commands", "", NOTE.format(source="the docstrings of the commands")]
    lines += ["```", usage.rstrip(), "```", "", "## `./nguon manage COMMAND`", ""]
    lines += ["| command | room | what it does |", "| --- | --- | --- |"]
    rooms = ROOT / "src" / "nguon"
    for path in sorted(
        rooms.glob("*/management/commands/[a-z]*.py"), key=lambda path: path.stem
    ):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        first = text.split("\n\n")[0].replace("\n", " ")
        lines.append(f"| `{path.stem}` | {path.parts[-4]} | {first} |")
    return "\n".join(lines) + "\n"


PAGES = {
    "settings.md": settings_page,
    "errors.md": errors_page,
    "commands.md": commands_page,
}


def main() -> None:
    """Write every page."""
    for name, write in PAGES.items():
        (REFERENCE / name).write_text(write(), encoding="utf-8")


if __name__ == "__main__":
    main()
