"""How fast parties compute together: processes on this machine, TCP, encrypted links. Beside it NumPy, on plain data.

    python benchmarks/speed.py [--quick] [--parties 2,3,5] [--preprocessing dealer,ot]
                               [--peer crypten|mpyc|spu --python PATH] [--json FILE] [--plot FILE.svg]

Every figure is the median of some runs, each work warmed up, in processes of its own, several times over and in turn
with NumPy and the peer, so that what else the machine does hits all alike. A run lasts until the slowest party has its
share of the result, which is then opened and compared with NumPy's. Correlated randomness is made during the run, by
the parties or by a dealer in a process of its own, and is in all figures. Operands that are `masked` were opened
under a mask before, as data of a training are. Everybody, NumPy too, computes with one thread of a BLAS.

`rounds` are those of the computation, and after a plus those of making randomness; `sent` and `received` are megabytes
of the party that has most of them; `MiB` is the peak memory of the largest party, interpreter and data included. With
`--peer`, the interpreter PATH of an environment in which that package is installed does the same works where it can
(`peer_NAME.py` says how); its links are not encrypted. `-`: cannot, or takes more than a minute for one process.
`--plot` draws seconds against size. Last comes what rows cost a study (`rows.py`).
"""

from __future__ import annotations

import argparse
import json
import math
import operator
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rows as rows_split
from drawing import drawing
from works import BATCH, FEATURES, ROWS, STEP, Work, bound, command, error, median, operands, peak, peer, timed

from protocols.beaver import open_once
from protocols.shares import Share
from protocols.sines import NARROW, RESULT_BITS, Logistic
from protocols.truncation import truncate
from smpc.array import SecretArray
from smpc.launch import run_locally
from smpc.local_manifest import for_program
from smpc.models.classifier import beyond
from smpc.models.sgd import DATA_BITS, Descent, longer
from smpc.ranges import Range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from smpc import Party
    from smpc.session import Session

    Figures = dict[str, Any]
    Computation = tuple[Callable[..., Any], Callable[[], Sequence[Any]]]

PEERS = ("crypten", "mpyc", "spu")
RUNS, LAUNCHES, QUICK_LAUNCHES = 3, 2, 1
LIMIT = 60.0  # seconds for one process of a peer, and less if quick
QUICK_LIMIT = 20.0
MANY, FEW = ({"sgd": [steps], "logistic": [steps]} for steps in (100, 10))
FULL = {"product": [10**6], "matrix": [512, 1024], "sign": [10**5, 10**6], "sort": [10**5]} | MANY
LESS = {"product": [10**5], "matrix": [64, 128], "sign": [10**5, 10**6], "sort": [10**3]} | MANY  # without a dealer
LEAST = {"product": [10**4], "matrix": [64], "sign": [10**4], "sort": [10**3]} | FEW  # and more parties than two
QUICK = {"product": [10**4], "matrix": [64], "sign": [10**3], "sort": [100]} | FEW
CURVES = {
    "product": [10**3, 10**4, 10**5],
    "matrix": [16, 32, 64, 128],
    "sign": [10**3, 10**4],
    "sort": [100, 1000, 10**4],
}
ECHOES = 500
PROGRAM = """import sys
sys.path.append({folder!r})
import speed
def program(party):
    return speed.program(party, speed.{work!r}, {runs})
"""
TRIVIAL = """def program(party):
    return party.share(3.0 if party.rank == 0 else None, 0).reveal()
"""

# As a party


def program(party: Party, work: Work, runs: int) -> Figures:
    """What this party measures: seconds of each run, and the rounds and bytes of one."""
    session: Session = party.protocol  # type: ignore[assignment]
    compute, ready = computation(party, session, work)
    last: Any = None
    before, after = counters(session), counters(session)

    def together() -> Sequence[Any]:
        nonlocal before
        given = ready()
        everyone(session)
        before = counters(session)
        return given

    def run(*given: Any) -> None:
        nonlocal last, after
        last = compute(*given)
        after = counters(session)

    seconds = timed(run, runs, together)
    found: Figures = {"seconds": seconds, "peak": peak()} | {name: after[name] - before[name] for name in after}
    if isinstance(last, SecretArray):
        found["error"] = error(work, last.reveal())
        if found["error"] > bound(work, party.fraction_bits):
            raise ArithmeticError(f"{work} is wrong by {found['error']}")
    return found


def computation(party: Party, session: Session, work: Work) -> Computation:
    """What is timed, and what makes its arguments."""
    if work.kind == "echo":
        return lambda: everyone(session, work.size), tuple
    owners = [(values, owner % party.count) for owner, values in enumerate(operands(work))]
    secrets = [party.share(values if party.rank == owner else None, owner) for values, owner in owners]
    if work.kind in ("sgd", "logistic"):
        return (descent if work.kind == "sgd" else classifier)(party, work, *secrets)
    if work.kind in ("sign", "sort"):
        return (lambda x: x < 0) if work.kind == "sign" else np.sort, lambda: secrets
    if work.masked:
        open_once(session, *(secret.share for secret in secrets))
    product = operator.matmul if work.kind == "matrix" else operator.mul
    return product, lambda: secrets if work.masked else [anew(secret) for secret in secrets]


def descent(party: Party, work: Work, x: SecretArray, y: SecretArray) -> Computation:
    """As `smpc.models.sgd.SGDRegressor`, from where the data are shared and masked."""
    rows = truncate(party.protocol, x.share, x.bits - DATA_BITS)
    bits = int(math.log2(BATCH / STEP)) + 2 * DATA_BITS

    def train(one: Descent) -> SecretArray:
        path = one.run(Share(party.rank, np.zeros(FEATURES, np.uint64)), work.size)
        longer(party.protocol, path.before, 1 << 24)
        return SecretArray(party, path.last, (FEATURES,), party.fraction_bits, Range(-(1 << 38), 1 << 38))

    return train, lambda: [Descent(party.protocol, rows, y.share * (1 << DATA_BITS), BATCH, bits)]


def classifier(party: Party, work: Work, x: SecretArray, y: SecretArray) -> Computation:
    """As `smpc.models.classifier.SGDClassifier`, from where the data are shared and masked."""
    rows = truncate(party.protocol, x.share, x.bits - DATA_BITS)
    bits = int(math.log2(BATCH / STEP)) + DATA_BITS + RESULT_BITS - party.fraction_bits
    sigma = Logistic(NARROW, DATA_BITS + party.fraction_bits)

    def train(one: Descent) -> SecretArray:
        path = one.run(Share(party.rank, np.zeros(FEATURES, np.uint64)), work.size, sigma)
        beyond(party.protocol, path.predictors, NARROW.reach << sigma.bits)
        return SecretArray(party, path.last, (FEATURES,), party.fraction_bits, Range(-(1 << 38), 1 << 38))

    classes = y.share * (1 << RESULT_BITS - y.bits)
    return train, lambda: [Descent(party.protocol, rows, classes, BATCH, bits)]


def anew(secret: SecretArray) -> SecretArray:
    """The same secret, in a share that has no mask."""
    share = Share(secret.share.rank, secret.share.values.copy())
    return secret.new(share, secret.shape, secret.bits, secret.range)


def everyone(session: Session, rounds: int = 1) -> None:
    """Rounds of an element to each peer, and one from each."""
    peers = [peer for peer in range(session.count) if peer != session.rank]
    send, receive = {peer: [np.zeros(1, np.uint64)] for peer in peers}, {peer: [(1,)] for peer in peers}
    for _ in range(rounds):
        session.exchange("echo", send, receive)


def counters(session: Session) -> dict[str, int]:
    """What the session has counted so far."""
    names = {"rounds": "rounds", "offline": "offline_rounds", "sent": "bytes_sent", "received": "bytes_received"}
    return {name: getattr(session, attribute) for name, attribute in names.items()}


# Who is measured


def ours(work: Work, runs: int, parties: int, preprocessing: str) -> Figures:
    """This library: of each run the slowest party, of everything else the party that has most."""
    with tempfile.TemporaryDirectory(prefix="smpc-speed-") as temporary:
        folder = Path(temporary)
        if work.kind == "start":
            return started(folder, runs, parties, preprocessing)
        code = PROGRAM.format(folder=str(Path(__file__).parent), work=work, runs=runs)
        (folder / "bench.py").write_text(code, encoding="utf-8")
        study = folder / "study.toml"
        study.write_text(for_program("bench.py", "program", parties, preprocessing), encoding="utf-8")
        manifest, exits = run_locally(study, {}, folder / "out")
    found = [exits[party.name].answer["returned"] for party in manifest.owners]
    scale = work.size if work.kind == "echo" else 1
    most = {name: max(one[name] for one in found) for name in found[0] if name != "seconds"}
    most |= {name: most[name] / scale for name in ("rounds", "sent", "received")}
    seconds = [max(each) / scale for each in zip(*(one["seconds"] for one in found), strict=True)]
    return most | {"seconds": seconds}


def started(folder: Path, runs: int, parties: int, preprocessing: str) -> Figures:
    """From the start of `smpc local` to its end."""
    (folder / "trivial.py").write_text(TRIVIAL, encoding="utf-8")
    local = [sys.executable, "-P", "-m", "smpc", "local", str(folder / "trivial.py"), "--json"]
    local += ["--parties", str(parties), "--preprocessing", preprocessing]
    return {"seconds": timed(lambda: subprocess.run(local, check=True, capture_output=True), runs)}  # noqa: S603


def numpy(work: Work, runs: int) -> Figures:
    """The same on plain data, in one process."""
    script = Path(__file__).with_name("works.py")
    told = [sys.executable, str(script), work.kind, str(work.size), str(runs)]
    done = subprocess.run(told, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this interpreter
    return {"seconds": json.loads(done.stdout)}


# All of it


def works(parties: int, preprocessing: str, *, quick: bool) -> list[Work]:
    """What is measured, in the order of the table."""
    many = LEAST if parties > 2 else LESS
    sizes = QUICK if quick else FULL if preprocessing == "dealer" else many
    found = [
        Work(kind, size, masked) for kind in ("product", "matrix") for size in sizes[kind] for masked in (False, True)
    ]
    found += [Work(kind, size) for kind in ("sign", "sort", "sgd", "logistic") for size in sizes[kind]]
    return [*found, Work("start", 1), Work("echo", ECHOES)]


def compare(work: Work, parties: int, preprocessing: str, options: argparse.Namespace) -> Figures:
    """Everyone in turn, some times over; the seconds of all runs together."""
    runs, launches = RUNS, QUICK_LAUNCHES if options.quick else LAUNCHES
    contest: dict[str, Callable[[], Figures]] = {
        "smpc": lambda: ours(work, runs, parties, preprocessing),
        "numpy": lambda: numpy(work, runs),
    }
    if options.peer:
        told = command(options.peer, options.python, work, runs, parties, preprocessing)
        limit = QUICK_LIMIT if options.quick else LIMIT
        contest[options.peer] = lambda: peer(told, limit, whole=work.kind == "start")
    found: dict[str, Figures] = {}
    for _ in range(launches):
        for name, measure in contest.items():
            if "cannot" not in found.get(name, {}):
                one = measure()
                before = found.get(name, {})
                together = {"seconds": before.get("seconds", []) + one.get("seconds", [])}
                found[name] = one | together if "seconds" in one else before or one
    return {"work": work.name, "kind": work.kind, "size": work.size, "operations": work.operations} | found


def shown(seconds: float | None) -> str:
    """With a unit."""
    if seconds is None:
        return "-"
    unit, factor = ("s", 1.0) if seconds >= 1 else ("ms", 1e3) if seconds >= 1e-3 else ("µs", 1e6)
    return f"{figure(seconds * factor)} {unit}"


def ratio(one: float | None, other: float | None) -> str:
    """How many times as long."""
    return figure(one / other) if one and other else "-"


def figure(value: float) -> str:
    """Three digits, and no exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def head(peer_name: str | None) -> str:
    """The names of the columns."""
    names = f"{'':29}{'size':>10}{'time':>9}{'rounds':>12}{'sent':>9}{'received':>9}{'MiB':>6}{'NumPy':>9}{'ratio':>8}"
    return names + (f"{peer_name:>10}{'ratio':>8}" if peer_name else "")


def line(row: Figures, peer_name: str | None) -> str:
    """A row of the table."""
    found, mine, plain_time = row["smpc"], median(row, "smpc"), median(row, "numpy")
    size = f"{row['size']:,}" if row["kind"] in FULL else ""
    rounds = sent = received = mib = "-"
    if "rounds" in found:
        rounds = f"{found['rounds']:,.0f}" + (f"+{found['offline']:,}" if found["offline"] else "")
        sent, received = (f"{found[name] / 1e6:,.2f}" for name in ("sent", "received"))
        mib = f"{found['peak']:,.0f}"
    columns = [f"{row['work']:29}{size:>10}{shown(mine):>9}{rounds:>12}{sent:>9}{received:>9}{mib:>6}"]
    columns += [f"{shown(plain_time):>9}{ratio(mine, plain_time):>8}"]
    if peer_name:
        columns += [f"{shown(median(row, peer_name)):>10}{ratio(median(row, peer_name), mine):>8}"]
    return "".join(columns)


def notes(rows: Sequence[Figures], preprocessing: str, options: argparse.Namespace) -> Iterator[str]:
    """What to know when reading the table."""
    for row in (row for row in rows if row["kind"] in ("sgd", "logistic")):
        rate = row["size"] / (median(row, "smpc") or math.inf)
        name = row["work"].removesuffix(", iterations")
        yield f"{name}: {rate:,.0f} iterations/s of {BATCH} of {ROWS:,} rows with {FEATURES} features"
    yield "ratio to NumPy: of matrix products, to one thread of a BLAS; of a start, to Python importing NumPy;"
    yield "of a round, to a bare TCP connection between two processes"
    if preprocessing == "ot" and not options.quick:
        yield "products are smaller than with a dealer: as large, they would take minutes"
    if options.peer:
        yield f"ratio to {options.peer}: how many times as long it takes as this library"
        yield from about(rows, options.peer)


def about(rows: Sequence[Figures], peer_name: str) -> Iterator[str]:
    """What a peer cannot do, and why; what it gets wrong."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        one, far = row[peer_name], 0.0 if row["kind"] in ("sign", "sort") else 2.0**-6
        if one.get("error", 0.0) > far:
            one["wrong"] = f"wrong by {one['error']:.3g}"
        if reason := one.get("cannot", one.get("wrong")):
            reasons.setdefault(reason, []).append(f"{row['work']} {row['size']:,}")
    for reason, names in reasons.items():
        yield f"{peer_name}: {reason}: {'; '.join(names)}"


def table(parties: int, preprocessing: str, options: argparse.Namespace) -> list[Figures]:
    """Measure and print, row by row."""
    maker = "with a dealer" if preprocessing == "dealer" else "without a dealer"
    print(f"\n{parties} parties {maker}\n{head(options.peer)}")
    rows = []
    for work in works(parties, preprocessing, quick=options.quick):
        rows.append(compare(work, parties, preprocessing, options))
        print(line(rows[-1], options.peer), flush=True)
    print("\n".join(notes(rows, preprocessing, options)), flush=True)
    return rows


def curves(rows: Sequence[Figures], parties: int, preprocessing: str, options: argparse.Namespace) -> list[Figures]:
    """What was measured, and smaller sizes of the same."""
    there = [(row["kind"], row["size"]) for row in rows]
    small = [Work(kind, size) for kind, sizes in CURVES.items() for size in sizes if (kind, size) not in there]
    return [*rows, *(compare(work, parties, preprocessing, options) for work in small)]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, once")
    parser.add_argument("--parties", type=lambda words: [int(word) for word in words.split(",")], default=[2])
    parser.add_argument("--preprocessing", type=lambda words: words.split(","), default=["dealer", "ot"])
    parser.add_argument("--peer", choices=PEERS)
    parser.add_argument("--python", type=Path, help="interpreter of an environment that has the peer")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    if (options.peer is None) != (options.python is None):
        parser.error("--peer and --python go together")
    if not {"dealer", "ot"}.issuperset(options.preprocessing):
        parser.error("--preprocessing: dealer, ot, or both")
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "YACL_NUM_THREADS"), "1"))
    results = []
    for parties in options.parties:
        for preprocessing in options.preprocessing:
            rows = table(parties, preprocessing, options)
            results.append({"parties": parties, "preprocessing": preprocessing, "rows": rows})
    print("\na study whose rows are split, two parties without a dealer; seconds (rows.py says of what)")
    studies = rows_split.table(rows_split.SIZES[: 2 if options.quick else None])
    if options.json:
        options.json.write_text(
            json.dumps({"works": results, "rows_split": studies}, indent=1) + "\n", encoding="utf-8"
        )
    if options.plot:
        parties, preprocessing = results[0]["parties"], results[0]["preprocessing"]
        rows = curves(results[0]["rows"], parties, preprocessing, options)
        title = f"{parties} parties, preprocessing: {preprocessing}"
        options.plot.write_text(drawing(rows, title, options.peer), encoding="utf-8")


if __name__ == "__main__":
    main()
