"""Statistics that are published, of secret arrays: each is secret until `reveal`, which opens it at once.

With x a mapping from names to secret vectors, `stats.describe(x).reveal()` is a table at the receivers, and None at the
other parties. docs/statistics.md lists what there is, what each opens, how exact it is and what it costs.
"""

from smpc.stats.cells import HIDDEN
from smpc.stats.logrank import logrank
from smpc.stats.moments import Covariance, Description, covariance, describe
from smpc.stats.scaled import SecretResult
from smpc.stats.survival import Survival, kaplan_meier
from smpc.stats.tables import ChiSquared, CrossTable, Histogram, chi2_contingency, crosstab, histogram
from smpc.stats.ttest import TTest, ttest_1samp, ttest_ind, ttest_rel

__all__ = [
    "HIDDEN",
    "ChiSquared",
    "Covariance",
    "CrossTable",
    "Description",
    "Histogram",
    "SecretResult",
    "Survival",
    "TTest",
    "chi2_contingency",
    "covariance",
    "crosstab",
    "describe",
    "histogram",
    "kaplan_meier",
    "logrank",
    "ttest_1samp",
    "ttest_ind",
    "ttest_rel",
]
