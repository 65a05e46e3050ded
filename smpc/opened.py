"""Names of what a study with a model opens: to everyone, and to receivers beside what [release] names."""

VARY = "check: every column varies"
SOUND = "check: the fit can be trusted"
ROWS = "rows"
PARTS = "rows of each party"
PUBLIC = frozenset({ROWS, PARTS, VARY, SOUND})

FREEDOM = "effective degrees of freedom"
DISPERSION = "dispersion"
STEP = "distance to the optimum"
