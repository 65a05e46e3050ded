"""Trees of seeds: known answers, and what is known of the leaf that is missing."""

import operator
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ot_ggm86 import DEPTH, LEAVES, grow, pick, sides
from protocols.prg import derive

ROOT = bytes(range(32))


def chosen(sums, missing):
    return [level[side] for level, side in zip(sums, sides(missing), strict=True)]


def test_the_picker_has_all_leaves_but_one():
    leaves, sums = grow(ROOT)
    assert pick(5, chosen(sums, 5)) == [leaf if x != 5 else None for x, leaf in enumerate(leaves)]


def test_frozen_vectors(vectors):
    frozen = vectors("ot_tree")
    assert [sides(missing) for missing in range(LEAVES)] == frozen["sides"]
    for v in frozen["trees"]:
        leaves, sums = grow(bytes.fromhex(v["root"]))
        assert [leaf.hex() for leaf in leaves] == v["leaves"]
        assert [[side.hex() for side in level] for level in sums] == v["sums"]
        for missing in range(LEAVES):
            total = [bytes.fromhex(v["sums"][level][side]) for level, side in enumerate(frozen["sides"][missing])]
            expected = [None if x == missing else leaf for x, leaf in enumerate(v["leaves"])]
            assert [leaf and leaf.hex() for leaf in pick(missing, total)] == expected


@given(st.binary(min_size=32, max_size=32), st.integers(0, LEAVES - 1))
def test_every_tree_can_be_picked_without_any_leaf(root, missing):
    leaves, sums = grow(root)
    assert pick(missing, chosen(sums, missing)) == [*leaves[:missing], None, *leaves[missing + 1 :]]


def from_beside(missing, seeds):
    """Nodes of the last level, and the chosen sums, from the seeds of the nodes beside the path, one a level."""
    nodes, sums = [None], []
    for level, seed in enumerate(seeds):
        nodes = [derive(node, side) if node else None for node in nodes for side in ("left", "right")]
        beside = (missing >> DEPTH - 1 - level) ^ 1
        nodes[beside] = seed
        whole = [int.from_bytes(node, "big") for node in nodes[beside & 1 :: 2]]
        sums.append(reduce(operator.xor, whole).to_bytes(32, "big"))
    return nodes, sums


@pytest.mark.parametrize("missing", range(LEAVES))
def test_what_the_picker_sees_follows_from_four_seeds_beside_the_path(missing):
    """So it can be simulated without root, path or missing leaf."""
    leaves, sums = grow(ROOT)
    path, beside = ROOT, []
    for level in range(DEPTH):
        both = derive(path, "left"), derive(path, "right")
        turn = missing >> DEPTH - 1 - level & 1
        path = both[turn]
        beside.append(both[1 - turn])
    assert from_beside(missing, beside) == ([*leaves[:missing], None, *leaves[missing + 1 :]], chosen(sums, missing))
    assert path == leaves[missing]


def test_any_four_seeds_make_a_tree_without_a_leaf():
    seeds = [bytes([level]) * 32 for level in range(DEPTH)]
    for missing in range(LEAVES):
        nodes, sums = from_beside(missing, seeds)
        assert pick(missing, sums) == nodes


def test_seeds_of_a_tree_are_all_different():
    leaves, sums = grow(ROOT)
    assert len({ROOT, *leaves, *(side for level in sums for side in level)}) == 1 + LEAVES + 2 * DEPTH


@pytest.mark.parametrize("level", range(DEPTH))
def test_one_wrong_bit_of_a_sum_makes_wrong_leaves_beside_the_path(level):
    """All of the subtree that follows from it, and none else; that they are wrong is not to be seen."""
    missing = 6
    leaves, sums = grow(ROOT)
    total = chosen(sums, missing)
    total[level] = bytes([total[level][0] ^ 1, *total[level][1:]])
    width = LEAVES >> level + 1
    beside = (missing >> DEPTH - 1 - level) ^ 1
    wrong = {x for x, leaf in enumerate(pick(missing, total)) if leaf not in (leaves[x], None)}
    assert {*range(beside * width, (beside + 1) * width)} <= wrong
    assert all(x >> DEPTH - level == missing >> DEPTH - level for x in wrong)
