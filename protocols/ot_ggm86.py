"""Seeds for all of 16 leaves but one: a tree of pseudorandom functions, and four base transfers.

[GGM86] O. Goldreich, S. Goldwasser, S. Micali, "How to Construct Random Functions", JACM 33(4), 1986. That the tree
can be given away without one leaf is the puncturing of, among others, [BGI14] E. Boyle, S. Goldwasser, I. Ivan,
"Functional Signatures and Pseudorandom Functions", PKC 2014; with transfers, one a level, it is used as in
[Roy22], section 6.

The planter grows a binary tree from a root, each node the seed of its two children, and offers at each level the
exclusive or of all left and of all right children. The picker, who is to miss leaf δ, chooses at each level the side
on which δ does not lie; with all other nodes of that side at hand, the one beside the path follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from protocols.prg import derive

DEPTH = 4
LEAVES = 1 << DEPTH


def grow(root: bytes) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:
    """All leaves, and for each level the exclusive or of its left and of its right nodes; 32 bytes each."""
    nodes, sums = [root], []
    for _ in range(DEPTH):
        nodes = [child for node in nodes for child in _children(node)]
        sums.append((_xor(nodes[::2]), _xor(nodes[1::2])))
    return nodes, sums


def sides(missing: int) -> list[int]:
    """What the picker of all leaves but `missing` chooses at each level: 0 for the left sum, 1 for the right."""
    return [1 - (missing >> DEPTH - 1 - level & 1) for level in range(DEPTH)]


def pick(missing: int, sums: Sequence[bytes]) -> list[bytes | None]:
    """All leaves but `missing`, which is None, from the sum that was chosen at each level."""
    nodes: list[bytes | None] = [None]
    for level, total in enumerate(sums):
        nodes = [child for node in nodes for child in (_children(node) if node else (None, None))]
        beside = (missing >> DEPTH - 1 - level) ^ 1
        nodes[beside] = _xor([total, *(node for node in nodes[beside & 1 :: 2] if node)])
    return nodes


def _children(node: bytes) -> tuple[bytes, bytes]:
    return derive(node, "left"), derive(node, "right")


def _xor(seeds: Sequence[bytes]) -> bytes:
    return reduce(lambda one, two: bytes(a ^ b for a, b in zip(one, two, strict=True)), seeds)
