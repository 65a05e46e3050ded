"""Requests for triples with fresh masks, by the sizes of their operands alone."""

from protocols.beaver import PrivateTriple, Products
from protocols.masks import whole


def element_triple(shape, number=0):
    return Products(whole(number, shape, fresh=True), whole(number + 1, shape, fresh=True))


def element_square(shape, number=0):
    return Products(whole(number, shape, fresh=True), whole(number, shape, fresh=False))


def matrix_triple(m, k, p, owners=None, number=0):
    if owners is not None:
        return PrivateTriple(m, k, p, owners)
    return Products(whole(number, (m, k), fresh=True), whole(number + 1, (k, p), fresh=True), matrices=True)
