"""Writes the frozen vectors of oblivious transfer from the definitions alone, as `make.py` does for the rest.

Python integers, HMAC, AES on single blocks, the group of Ed25519 by the formulas of RFC 8032, section 5.1.4; nothing
of the two packages, and not libsodium. `ot_triple` is a whole run of two parties, set-up and all.

    python tests/vectors/make_ot.py
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from make import SEEDS, Q, derive, stream, xor

Numbers = Iterator[int]
Rows = Sequence[Sequence[int]]
Table = list[list[int]]


def permuted(key: bytes, block: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def octets(source: Numbers, words: int) -> bytes:
    return b"".join(word.to_bytes(8, "little") for word in islice(source, words))


def words_of(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]


def xor_bytes(*values: bytes) -> bytes:
    return xor([int.from_bytes(value, "big") for value in values]).to_bytes(32, "big")


# The group: -x² + y² = 1 + d x² y² mod p, points as (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


def add(one: Point, two: Point) -> Point:
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % P, (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar: int, point: Point) -> Point:
    total = NEUTRAL
    while scalar:
        total = add(total, point) if scalar & 1 else total
        point, scalar = add(point, point), scalar >> 1
    return total


def negated(point: Point) -> Point:
    return -point[0] % P, point[1], point[2], -point[3] % P


def encoded(point: Point) -> bytes:
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def lifted(y: int, sign: int = 0) -> Point | None:
    """The point with this y and this parity of x, if there is one."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P:
        return None
    x = x if x & 1 == sign else -x % P
    return x, y, 1, x * y % P


BASE = lifted(4 * pow(5, -1, P) % P) or NEUTRAL


# Base transfers


def scalar_of(source: Numbers) -> int:
    return int.from_bytes(octets(source, 8), "little") % ORDER


def key_of(shared: Point, context: bytes, number: int, point: bytes, response: bytes) -> bytes:
    return derive(encoded(shared), "base ot", context + number.to_bytes(4, "big") + point + response)


def respond(context: bytes, offered: Point, choices: Sequence[int], source: Numbers) -> tuple[list[Point], list[bytes]]:
    responses, keys = [], []
    for number, choice in enumerate(choices):
        scalar = scalar_of(source)
        blind = times(scalar, BASE)
        responses.append(add(blind, offered) if choice else blind)
        bound = context, number, encoded(offered), encoded(responses[-1])
        keys.append(key_of(times(scalar, offered), *bound))
    return responses, keys


def key_pairs(context: bytes, scalar: int, responses: Sequence[Point]) -> list[tuple[bytes, bytes]]:
    offered = times(scalar, BASE)
    away = negated(times(scalar, offered))
    pairs = []
    for number, response in enumerate(responses):
        bound, shared = (context, number, encoded(offered), encoded(response)), times(scalar, response)
        pairs.append((key_of(shared, *bound), key_of(add(shared, away), *bound)))
    return pairs


def ot_base() -> object:
    good = []
    contexts, chosen = [b"", b"run" + bytes(8), bytes(40)], [[0, 1], [1, 1, 0, 0], [1]]
    for seed, context, choices in zip(SEEDS, contexts, chosen, strict=True):
        sender, receiver = derive(seed, "sender"), derive(seed, "receiver")
        scalar = scalar_of(stream(sender))
        offered = times(scalar, BASE)
        responses, keys = respond(context, offered, choices, stream(receiver))
        pairs = key_pairs(context, scalar, responses)
        vector = {"context": context, "sender": sender, "receiver": receiver, "point": encoded(offered)}
        good.append(
            {name: value.hex() for name, value in vector.items()}
            | {"choices": choices, "responses": [encoded(response).hex() for response in responses]}
            | {"pairs": [[key.hex() for key in both] for both in pairs], "keys": [key.hex() for key in keys]}
        )
    return {"good": good, "reject": [{"why": why, "point": data.hex()} for why, data in no_points()]}


def no_points() -> Iterator[tuple[str, bytes]]:
    fine = encoded(times(7, BASE))
    for size in (0, 1, 31, 33, 64):
        yield "of another length", (fine + bytes(32))[:size]
    for y in [y for y in range(2, 40) if lifted(y) is None][:4]:
        yield "not on the curve", y.to_bytes(32, "little")
    yield "neutral", encoded(NEUTRAL)
    cofactor = next(t for t in (times(ORDER, lifted(y) or NEUTRAL) for y in range(2, 99)) if order_of(t) == 8)
    for i in range(1, 8):
        torsion = times(i, cofactor)
        yield f"of order {order_of(torsion)}", encoded(torsion)
        yield f"with a part of order {order_of(torsion)}", encoded(add(times(7, BASE), torsion))
    for y in filter(lifted, range(19)):  # none but 1 is of the group: no other point of it has a second encoding
        for sign in (0, 1):
            yield f"{y} + p", (y + P | sign << 255).to_bytes(32, "little")
    yield "neutral with a sign", (1 | 1 << 255).to_bytes(32, "little")
    yield "of order 2 with a sign", (P - 1 | 1 << 255).to_bytes(32, "little")


def order_of(point: Point) -> int:
    return next(i for i in range(1, 9) if encoded(times(i, point)) == encoded(NEUTRAL))


# Trees


def grown(root: bytes) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:
    nodes, sums = [root], []
    for _ in range(4):
        nodes = [derive(node, side) for node in nodes for side in ("left", "right")]
        sums.append((xor_bytes(*nodes[::2]), xor_bytes(*nodes[1::2])))
    return nodes, sums


def sides_without(missing: int) -> list[int]:
    """At each level the side that the path to `missing` does not take."""
    return [1 - int(bit) for bit in f"{missing:04b}"]


def ot_tree() -> object:
    trees = []
    for root in SEEDS:
        leaves, sums = grown(root)
        both = [[side.hex() for side in level] for level in sums]
        trees.append({"root": root.hex(), "leaves": [leaf.hex() for leaf in leaves], "sums": both})
    return {"trees": trees, "sides": [sides_without(missing) for missing in range(16)]}


# The hash


def tmmo(key: bytes, block: bytes, number: int, words: int) -> list[int]:
    inner, out = int.from_bytes(permuted(key, block), "little"), []
    for index in range((words + 1) // 2):
        tweaked = (inner ^ number ^ index << 64).to_bytes(16, "little")
        out += words_of((int.from_bytes(permuted(key, tweaked), "little") ^ inner).to_bytes(16, "little"))
    return out[:words]


def ot_hash() -> object:
    vectors = []
    for seed, first, words in zip(SEEDS * 2, [0, 1, 1 << 40, 63, Q - 3, 7], [1, 2, 3, 4, 5, 1], strict=True):
        key, source = seed[:16], stream(seed)
        blocks = [bytes(16), b"\xff" * 16, octets(source, 2)]
        pads = [tmmo(key, block, first + i, words) for i, block in enumerate(blocks)]
        numbers = [words_of(block) for block in blocks]
        vectors.append({"key": key.hex(), "first": first, "words": words, "blocks": numbers, "pads": pads})
    return vectors


# The extension: transfer (k, c) is bit k of the c-th word


def corrections_of(leaves: Sequence[Sequence[bytes]], choices: Sequence[int]) -> tuple[Table, Table]:
    """For each nibble the words u ⊕ b; the blocks t as integers, by k and c."""
    n = len(choices)
    rows = [[list(islice(stream(leaf), n)) for leaf in tree] for tree in leaves]
    sent = [[xor([row[c] for row in tree]) ^ choices[c] for c in range(n)] for tree in rows]
    with_bit = [[[row for x, row in enumerate(tree) if x >> b & 1] for b in range(4)] for tree in rows]
    v = [[[xor([row[c] for row in some]) for c in range(n)] for some in tree] for tree in with_bit]
    return sent, blocks_of(v, n)


def answer(leaves: Sequence[Sequence[bytes | None]], nibbles: Sequence[int], sent: Rows) -> Table:
    """The blocks q: of each nibble δ, Σ (x ⊕ δ)·r_x ⊕ δ·c."""
    n, w = len(sent[0]), []
    for tree, delta, c in zip(leaves, nibbles, sent, strict=True):
        rows = [list(islice(stream(leaf), n)) if leaf else None for leaf in tree]
        planes = []
        for b in range(4):
            with_b = [row for x, row in enumerate(rows) if row and (x ^ delta) >> b & 1]
            planes.append([xor([row[j] for row in with_b]) ^ (c[j] if delta >> b & 1 else 0) for j in range(n)])
        w.append(planes)
    return blocks_of(w, n)


def blocks_of(planes: Sequence[Rows], n: int) -> Table:
    """Bit 4·nibble + b of block (k, c) is bit k of word c of plane b."""
    flat = [plane for nibble in planes for plane in nibble]
    places = list(enumerate(flat))
    return [[sum((plane[c] >> k & 1) << place for place, plane in places) for c in range(n)] for k in range(64)]


def punctured(trees: Sequence[Sequence[bytes]], missing: Sequence[int]) -> list[list[bytes | None]]:
    return [[None if x == m else leaf for x, leaf in enumerate(tree)] for m, tree in zip(missing, trees, strict=True)]


def delta_of(nibbles: Sequence[int]) -> int:
    return sum(nibble << 4 * place for place, nibble in enumerate(nibbles))


def ot_extension() -> object:
    vectors = []
    for seed, choices in zip(SEEDS, [[0], [Q - 1, 1 << 63 | 5], [0x9E3779B97F4A7C15]], strict=True):
        leaves = [[derive(seed, "leaf", bytes([nibble, x])) for x in range(16)] for nibble in range(32)]
        nibbles = [word % 16 for word in islice(stream(seed), 32)]
        sent, t = corrections_of(leaves, choices)
        q = answer(punctured(leaves, nibbles), nibbles, sent)
        (((delta,),), *pairs) = [
            [[[block % Q, block // Q] for block in row] for row in blocks] for blocks in ([[delta_of(nibbles)]], t, q)
        ]
        given = {"seed": seed.hex(), "choices": choices, "nibbles": nibbles, "delta": delta}
        vectors.append(given | {"corrections": sent, "t": pairs[0], "q": pairs[1]})
    return vectors


# Products: 64 rows of pads for each element of x


def differences(x: Sequence[int], p: Rows, q: Rows) -> Table:
    return [[(xe + pe - qe) % Q for xe, pe, qe in zip(x, *rows, strict=True)] for rows in zip(p, q, strict=True)]


def packed(d: Rows) -> list[int]:
    """Of dᵢ the lowest 64 - i bits."""
    words = list(d[0])
    for i in range(1, 32):
        words += [low % (1 << 64 - i) | high % (1 << i) << 64 - i for low, high in zip(d[i], d[64 - i], strict=True)]
    middle = [value % (1 << 32) for value in d[32]] + [0] * (len(d[32]) % 2)
    return words + [low | high << 32 for low, high in zip(middle[::2], middle[1::2], strict=True)]


def sender_share(p: Rows) -> list[int]:
    return [-sum(pad << i for i, pad in enumerate(column)) % Q for column in zip(*p, strict=True)]


def receiver_share(y: Sequence[int], h: Rows, d: Rows) -> list[int]:
    return [
        sum((pad + (ye >> i & 1) * diff) << i for i, (pad, diff) in enumerate(zip(pads, diffs, strict=True))) % Q
        for ye, pads, diffs in zip(y, zip(*h, strict=True), zip(*d, strict=True), strict=True)
    ]


def chosen_pads(y: Sequence[int], p: Rows, q: Rows) -> Table:
    rows = enumerate(zip(p, q, strict=True))
    return [[both[ye >> i & 1] for ye, *both in zip(y, *pads, strict=True)] for i, pads in rows]


EDGES = [0, 1, Q - 1, 1 << 63, (1 << 63) - 1, 0x9E3779B97F4A7C15]


def ot_product() -> object:
    """E elements of y and E×m of x; pads are the first and the second 64·E·m words of a stream."""
    vectors = []
    for seed, e, m in [(SEEDS[0], 1, 1), (SEEDS[1], 3, 1), (SEEDS[2], 2, 3)]:
        source, n = stream(seed), e * m
        p, q = ([list(islice(source, n)) for _ in range(64)] for _ in range(2))
        x, y = (list(islice(EDGES[start:] + EDGES[:start], n)) for start in (2, 1))
        each = [y[at // m] for at in range(n)]
        d = differences(x, p, q)
        shares = sender_share(p), receiver_share(each, chosen_pads(each, p, q), d)
        given = {"seed": seed.hex(), "shape": [e, m], "x": x, "y": y[:e]}
        vectors.append(given | {"payload": packed(d), "shares": shares})
    return vectors


# A triple of two parties, from the first byte on


class Site:
    """One of two parties: what it draws, in the order in which it draws."""

    def __init__(self, seed: bytes, rank: int) -> None:
        self.rank, self.own = rank, stream(derive(seed, "dealer", bytes([rank])))
        self.scalar = scalar_of(self.own)
        self.point = times(self.scalar, BASE)
        self.missing = [word % 16 for word in islice(self.own, 32)]
        self.sides = [side for missing in self.missing for side in sides_without(missing)]
        self.sent: list[tuple[str, tuple[int, ...], list[int]]] = []

    def say(self, step: str, shape: tuple[int, ...], words: list[int]) -> None:
        self.sent.append((step, shape, words))


def bound(planter: int) -> bytes:
    return b"local" + planter.to_bytes(4, "big") + (1 - planter).to_bytes(4, "big")


def connect(me: Site, peer: Site) -> None:
    me.say("ot setup", (4,), words_of(encoded(me.point)))
    me.responses, me.keys = respond(bound(peer.rank), peer.point, me.sides, me.own)
    me.say("ot setup", (128, 4), words_of(b"".join(map(encoded, me.responses))))
    me.trees = [grown(octets(me.own, 4)) for _ in range(32)]


def seal(me: Site, peer: Site) -> None:
    keys = key_pairs(bound(me.rank), me.scalar, peer.responses)
    sums = [level for _, levels in me.trees for level in levels]
    sealed = [xor_bytes(*pair) for sums, pair in zip(sums, keys, strict=True) for pair in zip(sums, pair, strict=True)]
    me.say("ot setup", (128, 2, 4), words_of(b"".join(sealed)))
    assert peer.keys == [both[side] for both, side in zip(keys, peer.sides, strict=True)]


def multiply(sender: Site, receiver: Site, x: int, y: int) -> tuple[int, int]:
    """One product: what the receiver's trees and choices make of it."""
    trees = [leaves for leaves, _ in receiver.trees]
    sent, t = corrections_of(trees, [y])
    receiver.say("ot choices", (32, 1), [word for row in sent for word in row])
    q, delta = answer(punctured(trees, sender.missing), sender.missing, sent), delta_of(sender.missing)
    key = derive(bytes(32), "ot hash", bound(receiver.rank))[:16]

    def pads(blocks: Table, shift: int = 0) -> Table:
        return [tmmo(key, (row[0] ^ shift).to_bytes(16, "little"), k, 1) for k, row in enumerate(blocks)]

    p, q_pads, h = pads(q), pads(q, delta), pads(t)
    assert h == chosen_pads([y], p, q_pads)
    d = differences([x], p, q_pads)
    sender.say("ot payloads", (33,), packed(d))
    return sender_share(p)[0], receiver_share([y], h, d)[0]


def ot_triple() -> object:
    seed = SEEDS[1]
    sites = Site(seed, 0), Site(seed, 1)
    for me in sites:
        connect(me, sites[1 - me.rank])
    for me in sites:
        seal(me, sites[1 - me.rank])
    a, b = zip(*(list(islice(me.own, 2)) for me in sites), strict=True)
    first, second = multiply(sites[0], sites[1], a[0], b[1]), multiply(sites[1], sites[0], a[1], b[0])
    mask = next(stream(derive(seed, "offline", bytes([0, 1]))))
    c = [(a[0] * b[0] + first[0] + second[1] + mask) % Q, (a[1] * b[1] + first[1] + second[0] - mask) % Q]
    assert sum(c) % Q == sum(a) * sum(b) % Q
    order = {"ot setup": 0, "ot choices": 1, "ot payloads": 2}
    hashed = hashlib.sha256()
    for me in sites:
        for step, shape, words in sorted(me.sent, key=lambda message: order[message[0]]):
            hashed.update(repr((me.rank, 1 - me.rank, step, [shape])).encode())
            hashed.update(b"".join(word.to_bytes(8, "little") for word in words))
    return {"seed": seed.hex(), "parts": [list(part) for part in zip(a, b, c, strict=True)], "sent": hashed.hexdigest()}


if __name__ == "__main__":
    for make in (ot_base, ot_tree, ot_hash, ot_extension, ot_product, ot_triple):
        path = Path(__file__).parent / f"{make.__name__}.json"
        path.write_text(json.dumps(make(), separators=(",", ":")) + "\n")
