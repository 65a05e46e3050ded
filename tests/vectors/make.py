"""Writes the frozen vectors from the definitions alone: Python integers, HMAC, AES on single blocks.

Nothing of the two packages is imported, so that their code is compared with a second reading of the papers. The
files are frozen: parties whose vectors differ cannot work together, so a change belongs in the change log.

    python tests/vectors/make.py
"""

import hashlib
import hmac
import json
import operator
from collections.abc import Iterator
from functools import reduce
from itertools import islice
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

Q = 1 << 64
EDGES = [0, 1, Q - 1, (1 << 62) - 1, Q - (1 << 62) + 1, 1 << 63, Q - (1 << 63) + 1]
SEEDS = [bytes(32), bytes(range(32)), b"\xff" * 32]


def derive(seed: bytes, purpose: str, context: bytes = b"") -> bytes:
    """HKDF-SHA-256 without salt, one block of output."""
    info = b"smpc 1 " + len(purpose).to_bytes(2, "big") + purpose.encode() + context
    secret = hmac.digest(bytes(32), seed, hashlib.sha256)
    return hmac.digest(secret, info + b"\x01", hashlib.sha256)


def stream(seed: bytes) -> Iterator[int]:
    """AES-128-CTR from counter 0 as little-endian words."""
    block = Cipher(algorithms.AES(derive(seed, "stream")[:16]), modes.ECB()).encryptor()
    counter = 0
    while True:
        octets = block.update(counter.to_bytes(16, "big"))
        yield int.from_bytes(octets[:8], "little")
        yield int.from_bytes(octets[8:], "little")
        counter += 1


def prg() -> object:
    contexts = [("stream", ""), ("pair", "0001"), ("pair", "0002"), ("", ""), ("dealer", "ff" * 40), ("a b", "00")]
    return {
        "derive": [
            {"seed": s.hex(), "purpose": p, "context": c, "derived": derive(s, p, bytes.fromhex(c)).hex()}
            for s in SEEDS
            for p, c in contexts
        ],
        "stream": [{"seed": s.hex(), "elements": list(islice(stream(s), 9))} for s in SEEDS],
        "reject": [{"seed": "ab" * size} for size in (0, 1, 16, 31, 33, 64)],
    }


def shares() -> object:
    good = []
    for seed in SEEDS:
        for n in (2, 3, 5):
            source = stream(seed)
            masks = [list(islice(source, len(EDGES))) for _ in range(n - 1)]
            last = [(x - sum(column)) % Q for x, *column in zip(EDGES, *masks, strict=True)]
            good.append({"seed": seed.hex(), "parties": n, "x": EDGES, "shares": [*masks, last]})
    return {"split": good}


def dealer() -> object:
    """Two elements of each: what every party draws, and what the receiver is sent."""
    return {
        name: [correlation(n, drawn, derived) for n in (2, 3, 5)]
        for name, drawn, derived in [
            ("ElementTriple", "++", lambda a, b: [[x * y for x, y in zip(a, b, strict=True)]]),
            ("ElementSquare", "+", lambda a: [[x * x for x in a]]),
            ("TruncationMask", "+", lambda r: [[x >> 63 for x in r], [x % (1 << 63) >> 20 for x in r]]),
            ("WordTriple", "^^", lambda a, b: [[x & y for x, y in zip(a, b, strict=True)]]),
        ]
    }


def correlation(n: int, drawn: str, compute) -> object:
    kind = drawn[0]
    sources = [stream(derive(SEEDS[1], "vector", bytes([rank]))) for rank in range(n)]
    draws = [[list(islice(source, 2)) for _ in drawn] for source in sources]
    whole = [[join(kind, column) for column in zip(*columns, strict=True)] for columns in zip(*draws, strict=True)]
    targets = compute(*whole)
    pads = [[list(islice(source, 2)) for _ in targets] for source in sources[1:]]
    rows = zip(targets, zip(*pads, strict=True), strict=True)
    correction = [[rest(kind, t, column) for t, *column in zip(target, *pad, strict=True)] for target, pad in rows]
    return {"drawn": draws, "derived": [correction, *pads]}


def join(kind: str, values) -> int:
    return sum(values) % Q if kind == "+" else xor(values)


def rest(kind: str, target: int, pads) -> int:
    return (target - sum(pads)) % Q if kind == "+" else target ^ xor(pads)


def xor(values) -> int:
    return reduce(operator.xor, values)


def truncation() -> object:
    """x, the mask r and y: rounded up exactly if the discarded bits of x and r together overflow."""
    limit = (1 << 62) - 1
    good = []
    for bits in (1, 20, 31, 61):
        unit = 1 << bits
        for x in (0, 1, -1, 5 << 40, -(5 << 40) - 3, unit - 1, -unit, limit, -limit):
            for r in (0, 1, unit - 1, (1 << 63) - 1, 1 << 63, Q - 1, 0x9E3779B97F4A7C15):
                y = (x >> bits) + (x % unit + r % unit >= unit)
                good.append({"bits": bits, "x": x, "r": r, "opened": (x + (1 << 62) + r) % Q, "y": y})
    return {"good": good, "reject": [{"bits": bits} for bits in (-1, 0, 62, 63, 64, 1 << 40)]}


def fixedpoint() -> object:
    exact = [(1.5, 20, 3 << 19), (-1.5, 20, -(3 << 19)), (0.1, 30, 107374182), (-0.0, 20, 0), (5e-324, 30, 0)]
    ties = [(0.5, 0, 0), (1.5, 0, 2), (2.5, 0, 2), (-0.5, 0, 0), (-1.5, 0, -2), (3 * 2.0**-21, 20, 2)]
    edge = [(s * (2.0**42 - 2.0**-11), 20, s * ((1 << 62) - 512)) for s in (1, -1)]
    bad = [("nan", 20), ("inf", 20), ("-inf", 20), (2.0**42, 20), (-(2.0**42), 20), (2.0**32, 30), (2.0**62, 0)]
    bad += [(1e308, 20), (-1e308, 30), (1.7976931348623157e308, 1), (1e300, 0)]
    return {
        "good": [{"x": x.hex(), "fraction_bits": f, "v": v % Q} for x, f, v in exact + ties + edge],
        "reject": [{"x": float(x).hex(), "fraction_bits": f} for x, f in bad],
    }


if __name__ == "__main__":
    for make in (prg, shares, dealer, truncation, fixedpoint):
        path = Path(__file__).parent / f"{make.__name__}.json"
        path.write_text(json.dumps(make(), separators=(",", ":")) + "\n")
