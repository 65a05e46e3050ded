"""One party's share of the diabetes patients as CSV: `rows.py 1/3` is the first third of the rows."""

import csv
import sys

from sklearn.datasets import load_diabetes


def main() -> None:
    """Write the part that the command line names to the standard output."""
    part, parts = map(int, sys.argv[1].split("/"))
    patients = load_diabetes(scaled=False)
    start, end = ((part + i) * len(patients.target) // parts for i in (-1, 0))
    writer = csv.writer(sys.stdout)
    writer.writerow([*patients.feature_names, "progression"])
    for features, progression in zip(patients.data[start:end], patients.target[start:end], strict=True):
        writer.writerow([*features, progression])


main()
