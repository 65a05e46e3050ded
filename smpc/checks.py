"""What a program opens to everyone without being asked: whether a result may be trusted, one bit each."""

from collections.abc import Mapping

SOUND_SYSTEM = "check: a matrix is positive definite and well-conditioned"
WITHIN_BOUNDS = "check: no number of a training left its bounds"
SOUND_FIT = "check: the fit can be trusted"
ENOUGH = "check: every group has enough people"
IN_CATEGORIES = "check: every value is in a category"
VARIES = "check: there is something to compare"
BEST = "choice: which of several is best"  # no check: a number that all go on with
WITHIN_REACH = "check: no prediction of a training was where the logistic function is not approximated"

CHECKS: Mapping[str, str] = {  # and what to say if one fails
    SOUND_SYSTEM: "the matrix is ill-conditioned or not symmetric positive definite, or a number is too large",
    WITHIN_BOUNDS: "weights or residuals grew too large: standardize the data, say tighter bounds, take smaller steps",
    SOUND_FIT: (
        "a column is constant or its range far too wide, features are ill-conditioned, they explain the target or "
        "separate the classes perfectly, or the iterations did not converge"
    ),
    ENOUGH: "a group or category has fewer people than the minimum: join it with another, or take more people",
    IN_CATEGORIES: "a value is in none of the categories or bins: name them all",
    VARIES: "the values vary too little within their bounds, or no event happened while groups could be compared",
    WITHIN_REACH: "predictions grew too large: standardize the data, take smaller or fewer steps, or say a wider reach",
}

OPENED = frozenset({*CHECKS, BEST})
