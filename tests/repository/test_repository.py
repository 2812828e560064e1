"""The repository keeps its own promises: pages, settings, codes, folders, locks."""

import ast
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.apps import apps

from tests.repository import pages

ROOT = Path(__file__).resolve().parents[2]
ROOMS = sorted((ROOT / "src" / "nguon").glob("*/__init__.py"))
SOURCES = sorted((ROOT / "src").rglob("*.py"))
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
CODE = re.compile(r"^[a-z]+\.[a-z_]+$")


@pytest.mark.parametrize("name", pages.PAGES)
def test_reference_page_says_what_the_code_says(name: str) -> None:
    page = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")

    assert page == pages.PAGES[name](), "run: python -m tests.repository.pages"


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.parent.name)
def test_room_has_a_docstring_and_no_code(room: Path) -> None:
    module = ast.parse(room.read_text(encoding="utf-8"))

    assert 2 <= len((ast.get_docstring(module) or "").splitlines()) <= 10
    assert len(module.body) == 1


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: path.parent.name)
def test_room_is_in_the_glossary(room: Path) -> None:
    assert f"| `{room.parent.name}` |" in GLOSSARY


def test_models_are_in_the_glossary() -> None:
    ours = [model for model in apps.get_models() if "nguon" in model.__module__]
    missing = [m.__name__ for m in ours if f"| `{m.__name__}` |" not in GLOSSARY]

    assert not missing


def test_settings_and_example_name_the_same() -> None:
    text = (ROOT / "src/nguon/web/settings.py").read_text(encoding="utf-8")
    example = (ROOT / ".env.example").read_text(encoding="utf-8")

    read = set(re.findall(r'env\.\w+\(\s*"(NGUON_\w+)"', text))

    assert read == set(re.findall(r"^(NGUON_\w+)=", example, re.MULTILINE))


def raised_codes() -> set[str]:
    """Return the codes of all errors that our sources raise by a literal."""
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if name.endswith("Error") and isinstance(first, ast.Constant):
                found.add(first.value)
    return {code for code in found if isinstance(code, str) and CODE.match(code)}


def test_every_error_code_has_a_sentence() -> None:
    assert raised_codes() - set(pages.SENTENCES) == set()


def test_decisions_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md"))

    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    for name in names:
        title = (ROOT / "docs/decisions" / name).read_text(encoding="utf-8")
        assert title.startswith(f"# {name[:4]}. ")


@pytest.mark.parametrize("name", ["server", "agent", "pole", "dev"])
def test_lock_file_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")

    assert "://" not in text
    for block in re.split(r"^(?=\S)", text, flags=re.MULTILINE):
        if block.strip() and not block.startswith("#"):
            assert "--hash=sha256:" in block, block.splitlines()[0]


def test_lock_files_agree_on_versions() -> None:
    def read(name: str) -> dict[str, set[str]]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        pins: dict[str, set[str]] = {}
        for package, version in re.findall(
            r"^([\w.-]+)(?:\[\w+\])?==(\S+)", text, re.M
        ):
            pins.setdefault(package, set()).add(version)
        return pins

    everything = read("dev")

    for name in ("server", "agent", "pole"):
        for package, versions in read(name).items():
            assert versions <= everything[package]


def test_version_is_the_newest_of_the_changelog() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    log = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    newest = re.search(r"^## (\d+\.\d+\.\d+)", log, re.MULTILINE)

    assert newest
    assert newest[1] == project["project"]["version"]


def test_every_dependency_says_why() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    dependencies = text.partition("[build-system]")[0]
    tools = {"pytest", "pytest-django", "ruff", "mypy", "django-stubs", "codespell"}

    for line in re.findall(r'^ +"[\w-]+.*$', dependencies, re.MULTILINE):
        name = re.match(r' +"([\w-]+)', line)
        assert name, line
        assert "#" in line or name[1] in tools, line


def test_every_room_is_placed_in_a_layer() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(one for one in contracts if one["type"] == "layers")

    placed = set(re.findall(r"\w+", " ".join(layers["layers"])))

    assert layers["exhaustive"] is True
    assert {room.parent.name for room in ROOMS} <= placed


def test_continuous_integration_runs_the_readme_command_only() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if line and not line.startswith("#!")] == [
        'exec "$(dirname "$0")/../nguon" test'
    ]


def test_script_tells_the_tour_without_django() -> None:
    result = subprocess.run(
        [sys.executable, "-S", str(ROOT / "nguon"), "map"],
        capture_output=True,
        text=True,
        check=True,
    )

    for room in ROOMS:
        assert f"src/nguon/{room.parent.name}/" in result.stdout


def test_script_begins_again_where_set_up_was_cut_short(tmp_path: Path) -> None:
    """Ctrl-C in the first seconds leaves a Python without pip."""
    is_whole = runpy.run_path(str(ROOT / "nguon"))["is_whole"]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    assert not is_whole(tmp_path)

    (tmp_path / "bin" / "pip").touch()

    assert is_whole(tmp_path)


def test_docs_link_to_files_that_exist() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_core_imports_the_standard_library_and_one_signature_library() -> None:
    allowed = {"signing.py": {"joserfc"}}
    for path in sorted((ROOT / "src/nguon/core").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {str(node.module).partition(".")[0]}
            else:
                continue
            foreign = names - set(sys.stdlib_module_names) - {"nguon"}
            assert foreign <= allowed.get(path.name, set()), path.name
