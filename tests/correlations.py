"""Requests for triples with fresh masks, by the sizes of their operands alone; some for signs."""

from dataclasses import replace

from protocols.beaver import Masks, PrivateTriple, Products
from protocols.digits import DigitMasks
from protocols.flooring import FloorMasks
from protocols.masks import whole
from protocols.rescaling import RescaledProducts
from protocols.segments import SegmentMasks
from protocols.selection import SelectionMasks
from protocols.sines import SineMasks

SIGNS = [
    *[DigitMasks((9,), 1), DigitMasks((7,), 2), FloorMasks((5,), 20), SelectionMasks(130, 2, 1)],
    *[SegmentMasks((9,), 3), SegmentMasks((2, 3), 6)],
    SineMasks((2, 3), 4),
]


def element_triple(shape, number=0):
    return Products(whole(number, shape, fresh=True), whole(number + 1, shape, fresh=True))


def element_square(shape, number=0):
    return Products(whole(number, shape, fresh=True), whole(number, shape, fresh=False))


def matrix_triple(m, k, p, owners=None, number=0):
    if owners is not None:
        return PrivateTriple(m, k, p, owners)
    return Products(whole(number, (m, k), fresh=True), whole(number + 1, (k, p), fresh=True), matrices=True)


def rescaled(triple, bits=20):
    return RescaledProducts(triple.left, triple.right, triple.matrices, bits)


def renumbered(correlations):
    """The same with masks of their own each, as one party would ask for them."""

    def moved(factor, by):
        return (
            replace(factor, number=factor.number + by)
            if isinstance(factor, Masks)
            else factor._replace(number=factor.number + by)
        )

    def one(at, correlation):
        if isinstance(correlation, Masks):
            return replace(correlation, number=correlation.number + 2 * at)
        if not isinstance(correlation, Products):
            return correlation
        left, right = (one._replace(number=one.number + 2 * at) for one in (correlation.left, correlation.right))
        return replace(correlation, left=left, right=right)

    return [one(at, correlation) for at, correlation in enumerate(correlations)]
