"""Secure multi-party protocols, one idea a file. Needs numpy and cryptography; knows no socket, file or clock.

In import order:

errors, ring, fixedpoint, prg, shares, party, card   what everything stands on
dealer        [DPSZ12, BCGIKS19] correlated randomness by seeds and corrections
inputs        [CDI05]   private values to shares, without a message
opening       [BGW88]   open masked values; disclose results
beaver        [Bea91]   products: elementwise, matrix, square, of private values
truncation    [EGKRS20] rescaling after a product
binary        [KS73]    and, addition, position of the leading bit, on words shared by exclusive or
conversion    [EGKRS20] arithmetic to bits and back; sign
functions     [Ito97]   normalization, square root
linalg        [Hig08]   inverse square root and solution of symmetric positive definite systems
local         all parties in one process, a thread each
"""
