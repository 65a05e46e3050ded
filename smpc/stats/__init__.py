"""Statistics that are published, of secret arrays: each is secret until `reveal`, which opens it at once.

With x a mapping from names to secret vectors, `stats.describe(x).reveal()` is a table at the receivers, and None at the
other parties. docs/statistics.md lists what there is, what each opens, how exact it is and what it costs.
"""

from smpc.stats.moments import Covariance, Description, covariance, describe
from smpc.stats.scaled import SecretResult

__all__ = ["Covariance", "Description", "SecretResult", "covariance", "describe"]
