"""Writes the frozen vectors of one-hot digits that another party's digits move, from the definitions alone.

Python integers, nothing of the two packages: a digit's sixteen bits at a time.

    python tests/vectors/make_onehot.py
"""

import json
from collections.abc import Sequence
from itertools import islice, product
from pathlib import Path

from make import SEEDS, stream

EDGES = [0x9E3779B97F4A7C15, (1 << 63) - 1, (1 << 64) - 1]


def moved(v: int, i: int) -> int:
    return sum((v >> j & 1) << (j ^ 1 << i) for j in range(16))


def places(i: int) -> list[int]:
    """For bits 0 and 2 those j of which this bit and the next are equal; for 1 and 3 the others."""
    return [j for j in range(16) if ((j >> (i & 2) & 1) == (j >> (i & 2) + 1 & 1)) == (i % 2 == 0)]


def at_places(v: int, i: int) -> int:
    return sum(v & 1 << j for j in places(i))


def copied(v: int, i: int) -> int:
    return at_places(v, i) | moved(at_places(v, i), i)


def one_digit(v: int, digit: int, p: Sequence[int], q: Sequence[int]) -> tuple[list[int], int, int]:
    """What the sender of v sends for the four bits, its share, and the share of the digit's owner."""
    sent, sender, receiver = [], v, 0
    for i in range(4):
        difference = at_places(sender ^ moved(sender, i) ^ p[i] ^ q[i], i)
        sent.append(difference)
        sender ^= copied(p[i], i)
        chosen = digit >> i & 1
        receiver = (moved(receiver, i) if chosen else receiver) ^ copied([p, q][chosen][i] ^ chosen * difference, i)
    return sent, sender, receiver


def ot_onehot() -> object:
    """E words y and E tables of four words; pads are the lowest bits of the first and the second 64·E words."""
    vectors = []
    for seed, e in [(SEEDS[0], 1), (SEEDS[1], 3)]:
        source = stream(seed)
        p, q = ([[word % (1 << 16) for word in islice(source, e)] for _ in range(64)] for _ in range(2))
        tables, y = [[next(source) for _ in range(4)] for _ in range(e)], EDGES[:e]
        payload = [[[0] * e for _ in range(16)] for _ in range(2)]
        shares = [[[0] * 4 for _ in range(e)] for _ in range(2)]
        for element, digit in product(range(e), range(16)):
            rows = range(4 * digit, 4 * digit + 4)
            sent, *both = one_digit(
                tables[element][digit // 4] >> 16 * (digit % 4) & 0xFFFF, y[element] >> 4 * digit & 15,
                [p[row][element] for row in rows], [q[row][element] for row in rows],
            )  # fmt: skip
            for half in range(2):
                payload[half][digit][element] = sent[2 * half] | sent[2 * half + 1]
                shares[half][element][digit // 4] |= both[half] << 16 * (digit % 4)
        lanes = [lane for half in payload for row in half for lane in row]
        words = [
            sum(lane << 16 * at for at, lane in enumerate(lanes[start : start + 4])) for start in range(0, 32 * e, 4)
        ]
        vectors.append({"seed": seed.hex(), "tables": tables, "y": y, "payload": words, "shares": shares})
    return vectors


if __name__ == "__main__":
    path = Path(__file__).parent / "ot_onehot.json"
    path.write_text(json.dumps(ot_onehot(), separators=(",", ":")) + "\n")
