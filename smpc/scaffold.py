"""`smpc init`: a study folder to start from, which runs as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smpc import identity as keys
from smpc import sample
from smpc.errors import SmpcError

if TYPE_CHECKING:
    from pathlib import Path

OWNERS = ("north", "south", "east")
_PORT = 7001

_MANIFEST = """\
# The study that all parties agree on: the same bytes at every party, nothing private in it.

[study]
name = "progression"
model = "linear"                 # or ridge (with penalty = 1.0), logistic, poisson, gamma: regressions;
                                 # or summary, crosstab, compare, survival, logrank: statistics
split = "rows"                   # rows: each party has some of the people; columns: each has some of the variables
target = "progression"
features = ["age", "bmi", "bp"]
# confidence_level = 0.95

# Every column has a declared range, in its own unit, or is a category: type = "category", levels = ["a", "b"]. A value
# outside is an error at its owner, before anything leaves. Choose what can occur, not what did occur: it is public.

{columns}
[security]
adversary = "semi-honest"        # parties follow the program, and may pool what they see
preprocessing = "ot"             # no third party. "dealer" is faster and needs one that colludes with nobody:
                                 # one more [[party]] with role = "dealer"

[release]
to = ["north", "south", "east"]  # who learns the result; every party learns the total number of rows
minimum_rows = 50                # a party with fewer rows refuses to take part
# outputs = ["coefficients", "standard_errors", "fit"]

# One block a party. On real sites each makes its own key with `smpc keygen NAME` and sends you the public key;
# compare fingerprints by phone. A party that only dials out needs no address.

{parties}"""

_PARTY = """\
[[party]]                        # fingerprint {fingerprint}
name = "{name}"
address = "127.0.0.1:{port}"
public_key = "{key}"
"""


def new_folder(folder: Path) -> Path:
    """Make `folder`, or take it if it is empty. Raises SmpcError if it holds something."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SmpcError(f"{folder.name} is there already and not empty: name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def create(folder: Path) -> list[Path]:
    """Write study.toml, a key and a data file for each party; return their paths.

    Raises SmpcError if the folder is there and not empty.
    """
    new_folder(folder)
    written, blocks = [], []
    for number, name in enumerate(OWNERS):
        identity = keys.generate(name)
        written.append(keys.write(identity, folder))
        blocks.append(
            _PARTY.format(
                name=name,
                port=_PORT + number,
                key=identity.public.hex(),
                fingerprint=keys.fingerprint(identity.public),
            )
        )
    chosen = ("age", "bmi", "bp", sample.TARGET)
    study = folder / "study.toml"
    text = _MANIFEST.format(columns=sample.columns_toml(chosen), parties="\n".join(blocks))
    study.write_text(text, encoding="utf-8")
    return [study, *written, *_write_data(folder, chosen)]


def _write_data(folder: Path, chosen: tuple[str, ...]) -> list[Path]:
    table = sample.diabetes()[:, [list(sample.RANGES).index(name) for name in chosen]]
    paths = []
    for name, rows in zip(OWNERS, sample.split_rows(table, len(OWNERS)), strict=True):
        paths.append(folder / f"{name}.csv")
        sample.write_csv(paths[-1], chosen, rows)
    return paths
