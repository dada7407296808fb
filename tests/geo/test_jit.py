"""What kernels are compiled into, and when it is compiled anew."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import geo
from geo import _vertices

CALL = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from geo import _vertices
out = np.empty((1, 2))
_vertices.to_plane(np.array([[90.0, 0.0]]), out)
print(round(float(out[0, 0])), sum(_vertices.to_plane.stats.cache_hits.values()), _vertices.to_plane.stats.cache_path)
"""


def call(folder, **environment):
    run = subprocess.run(
        [sys.executable, "-P", "-c", CALL, str(folder)],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={**os.environ, **environment},
    )
    east_m, hits, path = run.stdout.split(maxsplit=2)
    return int(east_m), int(hits), path.strip()


@pytest.fixture
def copied(tmp_path):
    """The package, alone, where it may be changed."""
    keep = shutil.ignore_patterns("__pycache__", "export")
    shutil.copytree(geo.__path__[0], tmp_path / "geo", ignore=keep)
    return tmp_path


@pytest.mark.slow
def test_a_constant_of_another_module_is_compiled_anew(copied):
    cache = {"NUMBA_CACHE_DIR": ""}
    east_m, hits, path = call(copied, **cache)
    assert (east_m, hits) == (8683765, 0)
    assert Path(path).is_relative_to(copied / "geo" / "__pycache__")
    assert call(copied, **cache) == (east_m, 1, path)
    geodesy = copied / "geo" / "geodesy.py"
    text = geodesy.read_text(encoding="utf-8")
    assert "6_378_137.0" in text
    geodesy.write_text(text.replace("6_378_137.0", "6_999_999.0"), encoding="utf-8")
    changed_m, hits, other = call(copied, **cache)
    assert hits == 0
    assert other != path
    assert changed_m > 1.08 * east_m


def test_the_users_folder_is_taken_and_kept_apart(copied, tmp_path):
    *_, path = call(copied, NUMBA_CACHE_DIR=str(tmp_path / "own"))
    assert Path(path).is_relative_to(tmp_path / "own")
    assert Path(path).relative_to(tmp_path / "own").parts[0].startswith("kernels-")


def test_other_peoples_kernels_are_cached_where_they_were():
    numba = pytest.importorskip("numba")
    assert "kernels-" in _vertices.to_plane.stats.cache_path
    assert "kernels-" not in numba.config.CACHE_DIR


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_package_that_cannot_be_written_is_cached_at_home(copied, tmp_path):
    (copied / "geo").chmod(0o555)
    try:
        *_, path = call(copied, NUMBA_CACHE_DIR="", XDG_CACHE_HOME=str(tmp_path / "home"))
    finally:
        (copied / "geo").chmod(0o755)
    assert Path(path).is_relative_to(tmp_path / "home" / "gridstead")
