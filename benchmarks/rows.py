"""What rows cost where rows are split: a study of ten features, from a thousand rows to ten million.

    python benchmarks/rows.py [--most ROWS] [--kind csv|parquet] [--json FILE]

Two parties without a dealer, each a process on this machine; the second always has a thousand rows. Ten million rows
are a file of 1 GB. Printed are the seconds of the whole run (`all`), of the first party's reading, checking and adding
up, measured in a process of its own with as many threads (`reading`), the difference (`rest`), the seconds of the
joint computation as the result has them (`joint`), and how many seconds processors worked for the difference, which
does not depend on what else the machine does (`work`). `parser` is the floor: Arrow reads the file into memory, and
does nothing with it. Last come the peak memory of the larger party (`run`), and of reading alone (`read`).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from smpc.config import parse_manifest
from smpc.launch import run_locally

SIZES = [10**3, 10**4, 10**5, 10**6, 10**7]
NAMES = [*(f"x{number}" for number in range(10)), "y"]
CHUNK = 100_000
UNIT = 2**20 if sys.platform == "darwin" else 2**10  # of ru_maxrss in a MiB

RANGES = "".join(f"[columns.{name}]\nrange = [-40, 40]\n" for name in NAMES)
MANIFEST = f"""
[study]
name = "rows"
model = "linear"
split = "rows"
target = "y"
features = {json.dumps(NAMES[:-1])}
[security]
preprocessing = "ot"
[release]
to = ["large"]
[[party]]
name = "large"
[[party]]
name = "small"
{RANGES}"""


def make(path: Path, rows: int, seed: int) -> None:
    """A file of `rows` rows with six decimals, some rows at a time."""
    rng = np.random.default_rng(seed)
    schema = pa.schema([(name, pa.float64()) for name in NAMES])
    writer = pa.csv.CSVWriter if path.suffix == ".csv" else pa.parquet.ParquetWriter
    with writer(str(path), schema) as file:
        for start in range(0, rows, CHUNK):
            x = rng.normal(size=(min(CHUNK, rows - start), 10))
            y = x.sum(axis=1) + rng.normal(size=len(x))
            columns = np.round(np.column_stack([x, y]), 6).T
            file.write_table(pa.table(dict(zip(NAMES, map(np.ascontiguousarray, columns), strict=True))))


def step_parser(folder: Path, kind: str) -> dict[str, float]:
    """Arrow alone, the whole file at once."""
    read = pa.csv.read_csv if kind == "csv" else pa.parquet.read_table
    read(folder / f"small.{kind}")  # what it loads at first use is no reading
    started = perf_counter()
    read(folder / f"large.{kind}")
    return {"parser": perf_counter() - started}


def step_reading(folder: Path, kind: str) -> dict[str, float]:
    """What a party does with its file before it connects."""
    from smpc import study
    from smpc.data import stream_table

    manifest = parse_manifest(MANIFEST.encode(), "study.toml", allow_incomplete=True)

    def read(name: str) -> None:
        study.prepare(manifest, stream_table(folder / f"{name}.{kind}", manifest.columns, NAMES, require="all"))

    read("small")
    started, work = perf_counter(), process_time()
    read("large")
    seconds, work = perf_counter() - started, process_time() - work
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT
    return {"reading": seconds, "reading_work": work, "read_mib": peak}


def step_run(folder: Path, kind: str) -> dict[str, float]:
    """All of it: two processes of their own."""
    started = perf_counter()
    data = {name: folder / f"{name}.{kind}" for name in ("large", "small")}
    _, exits = run_locally(folder / "study.toml", data, folder / "out")
    seconds, joint = perf_counter() - started, exits["large"].answer["cost"]["seconds"]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"all": seconds, "joint": joint, "run_work": used.ru_utime + used.ru_stime, "run_mib": used.ru_maxrss / UNIT}


STEPS = {"parser": step_parser, "reading": step_reading, "run": step_run}


def measure(rows: int, kind: str) -> dict[str, float]:
    """All steps for a file of `rows` rows, each in a process of its own: a peak of memory is one for good."""
    threads = str(max(1, (os.cpu_count() or 1) // 2))  # as the parties of a run have: two share the machine
    environment = os.environ | {"OMP_NUM_THREADS": threads}
    with tempfile.TemporaryDirectory(prefix="smpc-rows-") as temporary:
        folder = Path(temporary)
        (folder / "study.toml").write_text(MANIFEST, encoding="utf-8")
        make(folder / f"large.{kind}", rows, 1)
        make(folder / f"small.{kind}", 1000, 2)
        found: dict[str, float] = {"rows": rows, "megabytes": (folder / f"large.{kind}").stat().st_size / 1e6}
        for step in STEPS:
            command = [sys.executable, __file__, "--step", step, "--kind", kind, "--folder", temporary]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603 - itself
            found |= json.loads(done.stdout)
    rest, work = found["all"] - found["reading"], found["run_work"] - found["reading_work"]
    return found | {"rest": rest, "work": work}


def table(sizes: list[int], kind: str = "csv") -> list[dict[str, float]]:
    """Measure for each number of rows, print a table, and return it."""
    figures = ["all", "reading", "rest", "joint", "work", "parser", "run_mib", "read_mib"]
    print(f"{'rows':>10} {'MB':>7} " + " ".join(f"{name.replace('_', ' '):>8}" for name in figures))
    results = []
    for rows in sizes:
        found = measure(rows, kind)
        results.append(found)
        values = " ".join(f"{found[name]:8.{0 if 'mib' in name else 2}f}" for name in figures)
        print(f"{rows:10,} {found['megabytes']:7.1f} {values}", flush=True)
    return results


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=lambda text: int(float(text)), default=SIZES[-1])
    parser.add_argument("--kind", choices=["csv", "parquet"], default="csv")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--step", choices=list(STEPS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        print(json.dumps(STEPS[arguments.step](arguments.folder, arguments.kind)))
        return
    results = table([size for size in SIZES if size <= arguments.most], arguments.kind)
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"kind": arguments.kind, "sizes": results}, indent=1) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
