"""Largest error of each vector function, in units in the last place, against MPFR.

    pip install gmpy2 numpy
    mkdir points
    VECTOR_POINTS=$PWD/points cargo test --release -p tape --lib vector::tests::write_points -- --ignored
    python3 crates/tape/src/vector/accuracy.py points
"""

import math
import os
import sys

import gmpy2
import numpy
from gmpy2 import mpfr

CONTEXT = gmpy2.get_context()
CONTEXT.precision = 160
CONTEXT.emax, CONTEXT.emin = 10**8, -(10**8)
OVERFLOW = mpfr(2) ** 1024 - mpfr(2) ** 970


def sigmoid(x):
    return 1 / (1 + gmpy2.exp(-x))


def softplus(x):
    return gmpy2.log1p(gmpy2.exp(x)) if x < 500 else x


def silu(x):
    if gmpy2.is_infinite(x):
        return x if x > 0 else mpfr("-0.0")
    return x * sigmoid(x)


def log_add_exp(a, b):
    return max(a, b) + gmpy2.log1p(gmpy2.exp(-abs(a - b)))


# Beyond these sizes std's value is taken.
LARGEST = {"sin": 1e5, "cos": 1e5, "tan": 1e5, "asinh": 1e130}

FUNCTIONS = {
    "exp": gmpy2.exp, "exp2": gmpy2.exp2, "exp_m1": gmpy2.expm1,
    "sinh": gmpy2.sinh, "cosh": gmpy2.cosh, "tanh": gmpy2.tanh,
    "sigmoid": sigmoid, "silu": silu, "softplus": softplus,
    "gauss": lambda x: gmpy2.exp(-x * x),
    "normal_density": lambda x: gmpy2.exp(-x * x / 2) / gmpy2.sqrt(2 * gmpy2.const_pi()),
    "logistic_density": lambda x: sigmoid(-abs(x)) / (1 + gmpy2.exp(-abs(x))),
    "ln": gmpy2.log, "ln_1p": gmpy2.log1p, "log2": gmpy2.log2, "log10": gmpy2.log10,
    "sin": gmpy2.sin, "cos": gmpy2.cos, "tan": gmpy2.tan,
    "asin": gmpy2.asin, "acos": gmpy2.acos, "atan": gmpy2.atan,
    "asinh": gmpy2.asinh,
    "cbrt": gmpy2.cbrt, "powf": lambda a, b: a**b,
    "hypot": gmpy2.hypot, "atan2": gmpy2.atan2, "log_add_exp": log_add_exp,
}


def error(value, truth, scale):
    if gmpy2.is_nan(truth) or math.isnan(value):
        return 0.0 if gmpy2.is_nan(truth) and math.isnan(value) else math.inf
    if abs(truth) >= OVERFLOW or math.isinf(value):
        # The largest number and infinity are one unit apart.
        if abs(truth) > OVERFLOW * (1 - mpfr(2) ** -52) and (value > 0) == (truth > 0):
            return 0.0 if math.isinf(value) else 1.0
        return math.inf
    if truth == 0:
        return 0.0 if math.copysign(1, value) == (-1 if gmpy2.is_signed(truth) else 1) and value == 0 else math.inf
    exponent = max(gmpy2.get_exp(max(abs(truth), scale)) - 53, -1074)
    return float(abs(mpfr(value) - truth) / mpfr(2) ** exponent)


directory = sys.argv[1]
for name in sys.argv[2:] or sorted(os.listdir(directory)):
    if name not in FUNCTIONS:
        continue
    rows = numpy.fromfile(os.path.join(directory, name), dtype="<f8")
    columns = 3 if name in ("powf", "hypot", "atan2", "log_add_exp") else 2
    worst, where = 0.0, None
    for *arguments, value in rows.reshape(-1, columns).tolist():
        if abs(arguments[0]) > LARGEST.get(name, math.inf):
            continue
        exact = [mpfr(x) for x in arguments]
        # Where a sum of a number and a logarithm cancels, the number is the measure.
        scale = max(map(abs, exact)) if name == "log_add_exp" else 0
        off = error(value, FUNCTIONS[name](*exact), scale)
        if off > worst:
            worst, where = off, arguments
    print(f"{name:12} {worst:.2f} at {where}", flush=True)
