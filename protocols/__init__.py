"""Secure multi-party protocols, one idea a file. Needs numpy, cryptography, PyNaCl; knows no socket, file or clock.

In import order:

matrices      [DGP08]   products of words from exact products of their limbs in floating point
errors, ring, fixedpoint, prg, shares, party, card   what everything stands on
dealer        [DPSZ12, BCGIKS19] correlated randomness by seeds and corrections
inputs        [CDI05]   private values to shares, without a message
opening       [BGW88]   open masked values; disclose results
masks         [MZ17]    masks that stay with their operand
beaver        [Bea91]   products: elementwise, matrix, square, of private values
truncation    [EGKRS20] rescaling after a product
rescaling     [MR18]    products and their truncation in one
binary        [KS73]    and, addition, position of the leading bit, on words shared by exclusive or
digits        [KOR+17]  masks with one-hot digits; what a public word looks up in them
comparison    [GSV07]   borrows, from digits that are compared
conversion    [EGKRS20] arithmetic to bits and back; sign
relations     [NO07]    below, equal, one-hot: a secret and public constants
flooring      [EGKRS20] exact rescaling, rounded down
selection     [EGKRS20] what has a negative sign: the sign and its products in one
sorting       [Bat68]   sorting networks, extremes
functions     [Ito97]   normalization, square root
segments      [IKMOP13] a public table at a secret place, in a round
piecewise     [Est60]   functions by polynomials that are looked up
thresholds    [CS10]    mantissas and exponents, of what a public range asks for
division      [CS10]    reciprocals, quotients
exponential   own       exp
logarithm     [AS19]    log, log1p
roots         [ABZS13]  square roots and their reciprocals
sigmoid       own       logistic function, tanh, erf
sines         [BCG+18]  logistic function by a sine series, in a round
descent       [MZ17]    iterations of gradient descent, linear and logistic
powers        [Knu97]   integer and real powers
softmax       [KVH+21]  softmax, the largest value
linalg        [Hig08]   inverse square root and solution of symmetric positive definite systems

bits, crhash_gkwy20     [War12], [GKWY20]  transposition; the hash of related blocks
ot_co15                 [CO15]    base oblivious transfer
ot_ggm86                [GGM86]   seeds for all of 16 leaves but one
ot_roy22                [Roy22]   extension of oblivious transfer
products_gilboa99       [Gil99]   products of two parties' values from transfers
onehot                  [MS13]    one-hot digits moved by another party's digits
folding                 [RW19]    random words, shared as bits, as numbers and as digits
ot_pairs, transfers     set-up between every two parties; jobs in rounds
dealerless              [Gil99], [RW19]    every correlation without a third party

local         all parties in one process, a thread each
"""
