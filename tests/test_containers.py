"""The containers' own files, and the whole of docker/run-demo where it is asked for:

SMPC_CONTAINERS=1 BASE=... pytest tests/test_containers.py

Building the image takes a minute and a package index, so the everyday suite leaves it out.
"""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from smpc.config import Manifest, parse_manifest

DOCKER = Path(__file__).parent.parent / "docker"
NAMES = ["north", "south", "east", "helper"]


@pytest.mark.skipif("SMPC_CONTAINERS" not in os.environ, reason="builds an image: set SMPC_CONTAINERS=1")
@pytest.mark.timeout(900)
def test_the_demo_in_containers() -> None:
    done = subprocess.run([DOCKER / "run-demo"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def manifest() -> Manifest:
    """What the parties make of the template, with made-up public keys."""
    text = (DOCKER / "demo/study.toml").read_text(encoding="utf-8")
    for number, name in enumerate(NAMES, start=1):
        assert text.count(f"@{name}@") == 1
        text = text.replace(f"@{name}@", f"{number:064x}")
    assert "@" not in text
    return parse_manifest(text.encode(), "study.toml")


def rows(part: str) -> list[dict[str, str]]:
    command = [sys.executable, DOCKER / "demo/rows.py", part]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return list(csv.DictReader(done.stdout.splitlines()))


def test_the_study_is_for_the_services_of_the_compose_file() -> None:
    study = manifest()
    assert [party.name for party in study.parties] == NAMES
    assert [party.name for party in study.owners] == NAMES[:3]
    services = (DOCKER / "compose.yaml").read_text(encoding="utf-8").split("\nservices:\n")[1].split("\nnetworks:\n")[0]
    named = [line.strip(" :") for line in services.splitlines() if line.startswith("  ") and line[2] not in " #"]
    assert named == NAMES
    # a key is in its owner's volume alone
    assert [services.count(f"- {name}-key:/key") for name in NAMES] == [1, 1, 1, 1]
    assert services.count(":/key") == len(NAMES)


def test_the_three_parts_are_the_diabetes_data_within_the_declared_ranges() -> None:
    study = manifest()
    parts = [rows(f"{part}/3") for part in (1, 2, 3)]
    assert [len(part) for part in parts] == [147, 147, 148]
    everybody = [row for part in parts for row in part]
    whole = load_diabetes(scaled=False)
    table = {name: np.array([float(row[name]) for row in everybody]) for name in everybody[0]}
    for index, name in enumerate(whole.feature_names):
        np.testing.assert_array_equal(table[name], whole.data[:, index])
    np.testing.assert_array_equal(table["progression"], whole.target)
    for name, values in table.items():
        low, high = study.columns[name].range or (np.nan, np.nan)
        assert low <= values.min() <= values.max() <= high


@pytest.mark.parametrize("script", ["demo/party", "run-demo"])
def test_the_scripts_parse_and_are_executable(script: str) -> None:
    path = DOCKER / script
    assert os.access(path, os.X_OK)
    shell = path.read_text(encoding="utf-8").splitlines()[0].rsplit("/")[-1].split()[-1]
    subprocess.run([shell, "-n", path], check=True)
