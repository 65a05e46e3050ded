"""The tables of docs/numpy.md: which of NumPy's functions secret arrays have, how exact they are, what they cost.

    python -m tests.numpy_table            print them
    python -m tests.numpy_table --write    put them into docs/numpy.md

They stand there between two marks. test_numpy holds them and the library together.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import smpc
from tests.smpc.numpy_cases import ARRANGED, CASES, CHOICES, SUMS, UFUNCS, data, share

DOCUMENT = Path(__file__).parent.parent / "docs" / "numpy.md"
MARK = "<!-- functions -->"
HEAD = ("function", "error", "rounds")

ERRORS = {
    np.multiply: "u; F with public reals",
    np.matmul: "u; F, of the sum of \\|x\\|, and k/2 u with public reals",
    np.vecdot: "k u",
    np.true_divide: "1.8 u, and 2^-52 of the largest that bounds allow; F by public numbers",
    np.power: "2 u, in wide ranges u of each product, times what is multiplied by it; of reals 1.6 u, and 2^-25 of it",
    np.mean: "F, of the sum",
    np.reciprocal: "1.8 u, and 2^-52 of the largest that bounds allow",
    np.sqrt: "1.4 u, and 2^-27 of the result",
    np.hypot: "as np.sqrt, of squares within 2 u",
    np.exp: "1.6 u, and 2^-28 of the result",
    np.log: "1.6 u",
    np.log2: "1.9 u",
    np.tanh: "1.8 u",
    np.std: "as np.sqrt, of a sum of squares within u each, and F",
    np.corrcoef: "2^-12 for standard deviations of at least 2^(6 - f/2)",
    np.linalg.norm: "as np.sqrt, of a sum of squares within u each",
    np.average: "F, summed",
    np.var: "u of each square, and F",
    np.linalg.solve: "2^-16 of a column's largest entry, and u",
    np.median: "F",
    np.prod: "u of each product, times what is multiplied by it",
}
SAME_ERROR = {
    **dict.fromkeys((np.log10, np.log1p), np.log), np.expm1: np.exp,
    np.square: np.multiply, np.outer: np.multiply, np.kron: np.multiply, np.linalg.outer: np.multiply,
    np.dot: np.matmul, np.vdot: np.matmul, np.inner: np.matmul, np.tensordot: np.matmul, np.linalg.matmul: np.matmul,
    np.linalg.tensordot: np.matmul, np.linalg.vecdot: np.vecdot, np.float_power: np.power, np.cov: np.var,
    np.linalg.inv: np.linalg.solve, np.quantile: np.median, np.percentile: np.median,
}  # fmt: skip
GROUPS = {
    "Elementwise": UFUNCS,
    "Sums, products, linear algebra": SUMS,
    "Choices, extremes, order, counts": CHOICES,
    "Shape": ARRANGED,
}
OF_FILES = {"np.savez", "np.savez_compressed", "np.save", "np.savetxt"}


def public() -> dict[Any, list[str]]:
    """NumPy's functions of arrays that can be another's: each with its names."""
    found: dict[Any, list[str]] = {}
    for prefix, module in (("np", np), ("np.linalg", np.linalg)):
        for name in sorted(module.__all__):
            one = getattr(module, name)
            if isinstance(one, np.ufunc) or type(one).__name__ == "_ArrayFunctionDispatcher":
                found.setdefault(one, []).append(f"{prefix}.{name}")
    return {one: names for one, names in found.items() if not OF_FILES & set(names)}


def unsupported() -> dict[Any, list[str]]:
    """Those that secret arrays have not."""
    return {one: names for one, names in public().items() if one not in CASES}


def rounds() -> dict[Any, int]:
    """What the first case of each takes."""
    values = data(1)

    def program(party: smpc.Party) -> list[int]:
        counted = []
        for cases in CASES.values():
            shared = share(party, values)  # anew: what was opened under a mask is not opened again
            before = party.protocol.rounds  # type: ignore[attr-defined]
            cases[0][0](shared)
            counted.append(party.protocol.rounds - before)  # type: ignore[attr-defined]
        return counted

    return dict(zip(CASES, smpc.simulate(program, 2)[0], strict=True))


def error(one: Callable[..., Any]) -> str:
    return ERRORS[SAME_ERROR.get(one, one)] if any(units for _, units in CASES[one]) else "none"


def tables() -> str:
    """All of it in Markdown, without the marks."""
    counted, names = rounds(), public()
    parts = []
    for title, cases in GROUPS.items():
        rows = [HEAD, tuple("---" for _ in HEAD)]
        rows += [(", ".join(f"`{name}`" for name in names[one]), error(one), str(counted[one])) for one in cases]
        parts += [f"### {title}", "\n".join("| " + " | ".join(row) + " |" for row in rows)]
    listed = ", ".join(f"`{every[0]}`" for every in unsupported().values())
    return "\n\n".join([*parts, "### Not supported", f"Each is a TypeError that leads here: {listed}."])


def between_marks(text: str) -> str:
    """What stands between the two marks of the document."""
    _, inside, _ = text.split(MARK)
    return inside.strip("\n")


def with_tables(text: str) -> str:
    """The document with the tables as they are now."""
    before, _, after = text.split(MARK)
    return f"{before}{MARK}\n{tables()}\n{MARK}{after}"


def main() -> None:
    """Print the tables, or write them."""
    if "--write" in sys.argv:
        DOCUMENT.write_text(with_tables(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(tables())  # noqa: T201


if __name__ == "__main__":
    main()
