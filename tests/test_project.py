"""Promises of the project as a whole: layers, public names, start-up time, versions."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import facesmith

ROOT = Path(__file__).parents[1]


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_public_names_are_these() -> None:
    assert facesmith.__all__ == [
        "Dataset",
        "FacesmithError",
        "HealthMonitor",
        "Model",
        "Recipe",
        "Run",
        "find_recipe",
        "load",
        "prepare",
        "train",
    ]
    assert all(getattr(facesmith, name) is not None for name in facesmith.__all__)


def test_help_imports_neither_torch_nor_numpy() -> None:
    code = (
        "import sys; from facesmith.cli import run; run(['--help']); "
        "print({'torch', 'numpy', 'rich', 'tyro'} & set(sys.modules))"
    )
    assert python(code).endswith("set()")


def test_the_package_and_the_data_layer_import_without_torch() -> None:
    for module in ("facesmith", "facesmith.data.prepare", "facesmith.base.images"):
        assert python(f"import sys, {module}; print('torch' in sys.modules)") == "False"


def test_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == facesmith.__version__
    assert f"## {facesmith.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_readme_tree_names_every_file_of_the_package() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    package = ROOT / "src/facesmith"
    named = {path.name for path in package.rglob("*.py")} - {"__init__.py"}
    missing = sorted(name for name in named if name not in readme)
    assert missing == []
    listed = set(re.findall(r"\b([a-z_]+\.py)\b", readme.split("```text")[1].split("```")[0]))
    assert sorted(listed - named - {"__init__.py"}) == []


def test_no_file_of_the_package_is_longer_than_400_lines() -> None:
    lengths = {
        p.name: len(p.read_text(encoding="utf-8").splitlines())
        for p in (ROOT / "src").rglob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}
    assert lengths["loop.py"] <= 250
