"""What a program opens to everyone without being asked: whether a result may be trusted, one bit each."""

from collections.abc import Mapping

SOUND_SYSTEM = "check: a matrix is positive definite and well-conditioned"
WITHIN_BOUNDS = "check: no number of a training left its bounds"
WITHIN_REACH = "check: no prediction of a training was where the logistic function is not approximated"

CHECKS: Mapping[str, str] = {  # and what to say if one fails
    SOUND_SYSTEM: "the matrix is ill-conditioned or not symmetric positive definite, or a number is too large",
    WITHIN_BOUNDS: "weights or residuals grew too large: standardize the data, say tighter bounds, take smaller steps",
    WITHIN_REACH: "predictions grew too large: standardize the data, take smaller or fewer steps, or say a wider reach",
}
