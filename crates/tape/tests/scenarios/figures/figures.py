"""Computes figures.txt: the right numbers of scenarios, by central differences in 1,500 digits.

    python3 figures.py > figures.txt        (needs mpmath 1.3)

A line of `OPERATIONS` is a scenario of its own: an operation, a point, and the point where it is traced. A line of
`FUNCTIONS` has the numbers for the row of the same name in `table/`, whose function it must equal.
"""

import itertools
import sys

from mpmath import mp, mpf

mp.dps = 1500
STEP = mpf(10) ** -100

pi, exp, ln, sqrt, erfc = mp.pi, mp.exp, mp.log, mp.sqrt, mp.erfc
sigmoid = lambda x: 1 / (1 + exp(-x))
softplus = lambda x: ln(1 + exp(x))
norm = lambda x: sqrt(sum(a * a for a in x))
log_sum_exp = lambda x: ln(sum(exp(a) for a in x))
dot = lambda a, b: sum(p * q for p, q in zip(a, b))
normal_cdf = lambda x: erfc(-x / sqrt(mpf(2))) / 2


def ln_gamma(x):
    return mp.re(mp.loggamma(x)) if x > 0 else ln(abs(mp.gamma(x)))


def cbrt(x):
    return mp.sign(x) * abs(x) ** (mpf(1) / 3)


METHODS = {
    "neg": lambda x: -x,
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "exp": exp,
    "exp2": lambda x: mpf(2) ** x,
    "exp_m1": lambda x: exp(x) - 1,
    "ln": ln,
    "ln_1p": lambda x: ln(1 + x),
    "log2": lambda x: ln(x) / ln(mpf(2)),
    "log10": lambda x: ln(x) / ln(mpf(10)),
    "sqrt": sqrt,
    "cbrt": cbrt,
    "recip": lambda x: 1 / x,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "silu": lambda x: x * sigmoid(x),
    "gelu": lambda x: x * normal_cdf(x),
    "erf": mp.erf,
    "erfc": erfc,
    "gauss": lambda x: exp(-x * x),
    "normal_density": lambda x: exp(-x * x / 2) / sqrt(2 * pi),
    "logistic_density": lambda x: sigmoid(x) * sigmoid(-x),
    "ln_gamma": ln_gamma,
    "digamma": mp.digamma,
    "powf": lambda x, y: x**y,
    "log": lambda x, y: ln(x) / ln(y),
    "atan2": mp.atan2,
    "hypot": lambda x, y: sqrt(x * x + y * y),
    "log_add_exp": lambda x, y: ln(exp(x) + exp(y)),
    "mul_add": lambda x, y, z: x * y + z,
}

INDEXED = {
    "powi": lambda n: lambda x: x**n,
    "polygamma": lambda n: lambda x: mp.polygamma(n, x),
}

# Operation, points, where it is traced. A number after the point's is the size of the terms that cancel there.
OPERATIONS = """
neg          -3                      2
add          1.5 -2                  3 4
add          1e300 1e-300            -1 1
sub          1.5 -2                  3 4
mul          3 5                     0 -1
mul          1e200 1e-200            0 0
mul          -1e-160 2               1 1
div          3 2                     0 -1
div          1e-200 1e100            1 1
div          1e200 -1e-50            1 1
sin          1                       -2
sin          -2.5                    0
sin          1e-200                  1
sin          1e6                     0
sin          1e22                    0
cos          1                       -2
cos          1e-200                  1
cos          1e6                     0
cos          -1e22                   0
tan          1                       0
tan          -1.3                    1
tan          1.5707963               0
tan          1e-200                  1
tan          1e6                     1
asin         0.5                     0
asin         -0.999999               0.5
asin         0.9999999999999999      0
asin         1e-200                  0.5
acos         0.5                     0
acos         -0.9999999999           0.5
acos         0.9999999999999999      0
acos         1e-200                  0.5
atan         0.5                     0
atan         -1e10                   1
atan         1e80                    1
atan         1e150                   1
atan         1e200                   1
atan         1e-200                  1
sinh         1                       0
sinh         -5                      1
sinh         700                     1
sinh         1e-200                  1
cosh         1                       0
cosh         -5                      1
cosh         -700                    1
cosh         1e-200                  1
tanh         1                       0
tanh         -3                      1
tanh         10                      0.1
tanh         20                      0.1
tanh         -300                    0.1
tanh         1e-200                  1
asinh        0.5                     0
asinh        -1e10                   1
asinh        1e100                   1
asinh        -1e200                  1
asinh        1e-200                  1
acosh        1.5                     3
acosh        1.0000000001            3
acosh        1e10                    3
acosh        1e100                   3
acosh        1e200                   3
atanh        0.5                     0
atanh        -0.9999999999           0.5
atanh        0.9999999999999999      0.5
atanh        1e-200                  0.5
exp          1                       0
exp          -700                    1
exp          700                     1
exp          1e-200                  1
exp2         3.5                     0
exp2         -1000                   1
exp2         1000                    1
exp_m1       1                       0
exp_m1       1e-200                  1
exp_m1       -50                     1
exp_m1       700                     1
ln           3                       1
ln           1.0000000001            2
ln           1e-140                  2
ln           1e140                   2
ln           1e300                   2
ln_1p        0.5                     0
ln_1p        1e-200                  1
ln_1p        -0.9999999999           1
ln_1p        1e140                   1
log2         3                       1
log2         1e-100                  2
log2         1e100                   2
log10        3                       1
log10        1e-100                  2
log10        1e100                   2
sqrt         2                       1
sqrt         1e-200                  1
sqrt         1e200                   1
cbrt         8                       1
cbrt         -2                      1
cbrt         -1e-150                 1
cbrt         1e150                   -1
recip        3                       1
recip        -1e-100                 1
recip        1e100                   -1
sigmoid      1                       -1
sigmoid      -1                      1
sigmoid      17                      0
sigmoid      -17                     0
sigmoid      40                      0
sigmoid      -40                     0
sigmoid      700                     0
sigmoid      -700                    0
sigmoid      1e-200                  1
softplus     1                       -1
softplus     17                      0
softplus     40                      0
softplus     -40                     0
softplus     700                     0
softplus     -700                    0
silu         1                       -1
silu         -1.25                   1            0.3
silu         39                      0
silu         41                      0
silu         -41                     0
silu         700                     0
silu         -600                    0
silu         1e-200                  1
gelu         1                       -1
gelu         -0.75                   1            0.3
gelu         -10                     1
gelu         10                      1
gelu         -30                     1
gelu         37                      1
gelu         41                      1
gelu         -37                     1
gelu         1e-200                  1
erf          0.5                     0
erf          -2                      1
erf          5                       0
erf          -26                     0
erf          1e-200                  1
erfc         0.5                     0
erfc         -3                      1
erfc         10                      0
erfc         26.3                    0
erfc         1e-200                  1
gauss        0.5                     -1
gauss        -5                      1
gauss        26                      0
gauss        1e-200                  1
normal_density 0.5                   -1
normal_density -7                    1
normal_density 37                    0
normal_density 1e-200                1
logistic_density 0.5                 -1
logistic_density -40                 1
logistic_density 700                 0
logistic_density -700                0
ln_gamma     3.5                     1
ln_gamma     0.125                   1
ln_gamma     -0.5                    1
ln_gamma     -3.75                   1
ln_gamma     1e-100                  1
ln_gamma     1                       3
ln_gamma     2                       3
ln_gamma     170                     3
ln_gamma     1e10                    3
ln_gamma     1e100                   3
digamma      3.5                     1
digamma      0.125                   1
digamma      -0.5                    1
digamma      -3.75                   1
digamma      1e-80                   1
digamma      1e10                    3
digamma      1e80                    3
powi,0       2                       1
powi,1       2                       1
powi,-1      3                       1
powi,2       -3                      1
powi,2       1e-200                  1
powi,3       -2                      1
powi,-2      2                       -1
powi,-3      -1e-60                  1
powi,10      1.5                     1
powi,-10     1e20                    1
powi,5       1e-50                   1
polygamma,0  2                       1
polygamma,1  2.5                     1
polygamma,1  -0.5                    1
polygamma,1  1e10                    1
polygamma,1  1e-60                   1
polygamma,2  0.5                     1
polygamma,2  -1.25                   1
polygamma,3  10                      1
polygamma,5  0.01                    1
polygamma,8  40                      1
powf         2 3                     1 0
powf         2 0                     1 1
powf         1 0                     2 2
powf         1.5 -2.5                0 2
powf         3 1                     0 0
powf         1e-10 3                 1 0
powf         1e100 2                 1 0
powf         1e-100 -2               1 0
powf         0.5 900                 1 0
powf         2 1e-200                1 1
log          3 2                     2 3
log          1e100 10                2 3
log          2 1.0000001             2 3
log          1e-10 0.5               2 3
log          1 10                    2 3
atan2        1 2                     0 0
atan2        -3 -4                   0 1
atan2        1e100 2e100             1 1
atan2        1e-100 -2e-100          1 1
atan2        1 1e-100                0 0
atan2        1e-100 -1               1 1
hypot        3 4                     0 0
hypot        -5 12                   1 0
hypot        1e200 1e200             1 1
hypot        1e-200 2e-200           1 1
hypot        1 1e-100                0 0
hypot        1e-60 1e60              0 0
hypot        0 -2                    1 1
log_add_exp  1 2                     2 1
log_add_exp  0 0                     2 1
log_add_exp  50 0                    0 0
log_add_exp  0 50                    50 0
log_add_exp  -1000 -1001             1 0
log_add_exp  1000 999.5              0 1
log_add_exp  300 -300                0 1
mul_add      2 3 4                   0 1 1
mul_add      1e200 -1e-200 1         0 1 1         1
"""

# The rows of the table that have their numbers from here: name, function, point, order.
FUNCTIONS = [
    ("tanh of a product", lambda x: mp.tanh(x[0] * x[1]), [3, 4], 2),
    ("tanh of a small product", lambda x: mp.tanh(x[0] * x[1]), [0.3, -0.4], 3),
    ("log density of a normal", lambda x: -((x[0] - x[1]) / x[2]) ** 2 / 2 - ln(x[2]) - ln(2 * pi) / 2, [1.5, 0.5, 2], 3),
    ("log density of a narrow normal", lambda x: -((x[0] - x[1]) / x[2]) ** 2 / 2 - ln(x[2]) - ln(2 * pi) / 2, [1.5, 0.5, 1e-3], 2),
    ("log density of a gamma", lambda x: x[1] * ln(x[2]) - ln_gamma(x[1]) + (x[1] - 1) * ln(x[0]) - x[2] * x[0], [2.5, 1.75, 0.5], 3),
    ("log density of a beta", lambda x: (x[1] - 1) * ln(x[0]) + (x[2] - 1) * ln(1 - x[0]) + ln_gamma(x[1] + x[2]) - ln_gamma(x[1]) - ln_gamma(x[2]), [0.25, 0.5, 3], 2),
    ("log density of a Student t", lambda x: ln_gamma((x[1] + 1) / 2) - ln_gamma(x[1] / 2) - ln(x[1] * pi) / 2 - (x[1] + 1) / 2 * ln(1 + x[0] * x[0] / x[1]), [1.5, 4], 2),
    ("log density of a Poisson", lambda x: 3 * ln(x[0]) - x[0] - ln(mpf(6)), [2.5], 3),
    ("cross entropy of three logits", lambda x: log_sum_exp(x) - x[0], [1, 2, 0.5], 3),
    ("cross entropy of sure logits", lambda x: log_sum_exp(x) - x[0], [60, 0, -10], 2),
    ("cross entropy of huge logits", lambda x: log_sum_exp(x) - x[0], [800, 801], 2),
    ("the first of a softmax", lambda x: exp(x[0] - log_sum_exp(x)), [1, 2, 0.5], 2),
    ("ln of the normal distribution function at 1", lambda x: ln(normal_cdf(x[0])), [1], 3),
    ("ln of the normal distribution function at -5", lambda x: ln(normal_cdf(x[0])), [-5], 2),
    ("ln of the normal distribution function at -30", lambda x: ln(normal_cdf(x[0])), [-30], 2),
    ("a chain of hypots", lambda x: norm(x), [3, 4, 12], 2),
    ("a chain of hypots of large numbers", lambda x: norm(x), [3e100, 4e100, 12e100], 2),
    ("a chain of hypots of small numbers", lambda x: norm(x), [3e-100, 4e-100, 12e-100], 2),
    ("norm of three", lambda x: norm(x), [2, 3, 6], 3),
    ("norm of one", lambda x: norm(x), [-2], 2),
    ("norm of large numbers", lambda x: norm(x), [3e200, 4e200], 2),
    ("norm of small numbers", lambda x: norm(x), [3e-200, 4e-200], 2),
    ("log_sum_exp of three", log_sum_exp, [1, 2, 0.5], 3),
    ("log_sum_exp of huge terms", log_sum_exp, [1000, 999, 998], 2),
    ("log_sum_exp of one sure term", log_sum_exp, [60, 0, -10], 2),
    ("log_sum_exp of equal terms", log_sum_exp, [5, 5], 2),
    ("dot of two slices", lambda x: dot(x[:2], x[2:]), [1, 2, 3, 4], 3),
    ("dot with itself", lambda x: dot(x, x), [1, -2, 3], 2),
    ("dot of curved slices", lambda x: dot([mp.sin(x[0]), exp(x[1])], [x[1], x[0]]), [0.5, -1.5], 2),
    ("sum of squares by sum_over", lambda x: sum((x[0] * a - b) ** 2 for a, b in [(1, 3), (2, 5), (mpf(0.5), -1)]), [2], 3),
    ("sum of exponentials by sum_over", lambda x: sum(exp(x[0] * a + x[1]) for a in [-1, 0, 2]), [0.5, -0.25], 3),
    ("sum of products", lambda x: x[0] * x[1] + x[1] * x[2] + mp.sin(x[0]), [0.5, 2, 3], 2),
    ("weighted_sum of curved terms", lambda x: exp(x[0]) / 2 - 3 * mp.sin(x[1]) + mpf(0.25) * x[0] * x[1], [0.5, 2], 2),
    ("quadratic form", lambda x: x[0] * x[0] + 3 * x[0] * x[1] - 2 * x[1] * x[1], [1.5, -2], 3),
    ("Rosenbrock's valley", lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] * x[0]) ** 2, [-1.25, 1.5], 3),
    ("logistic loss of a wrong sure answer", lambda x: softplus(-x[0] * x[1]), [-8, 5], 2),
    ("logistic loss of a right sure answer", lambda x: softplus(-x[0] * x[1]), [8, 5], 2),
    ("x to the x", lambda x: x[0] ** x[0], [1.5], 3),
    ("x to the 1/x", lambda x: x[0] ** (1 / x[0]), [2.5], 2),
    ("a power of a power", lambda x: (x[0] ** x[1]) ** x[2], [1.5, 2.5, -0.5], 2),
    ("Black-Scholes call", lambda x: x[0] * normal_cdf((ln(x[0] / x[1]) + x[2] ** 2 / 2) / x[2]) - x[1] * normal_cdf((ln(x[0] / x[1]) - x[2] ** 2 / 2) / x[2]), [100, 105, 0.25], 2),
    ("angle between two vectors", lambda x: mp.atan2(x[0] * x[3] - x[1] * x[2], x[0] * x[2] + x[1] * x[3]), [1, 2, -1, 0.5], 2),
    ("distance in polar coordinates", lambda x: sqrt(x[0] ** 2 + x[1] ** 2 - 2 * x[0] * x[1] * mp.cos(x[2])), [2, 3, 0.75], 2),
    ("continued fraction", lambda x: 1 / (x[0] + 1 / (x[1] + 1 / x[0])), [1.5, 0.5], 2),
    ("iterated square roots", lambda x: sqrt(x[0] + sqrt(x[1] + sqrt(x[0]))), [2, 3], 2),
    ("iterated sines", lambda x: mp.sin(x[0] + mp.sin(x[0] + mp.sin(x[0]))), [0.75], 3),
    ("mish", lambda x: x[0] * mp.tanh(softplus(x[0])), [-1.5], 2),
    ("two layers of tanh", lambda x: mp.tanh(mpf(0.5) * mp.tanh(x[0] - 2 * x[1]) - mpf(1.5) * mp.tanh(mpf(0.25) * x[0] + x[1])), [0.5, -0.75], 2),
    ("entropy of a sigmoid", lambda x: -sigmoid(x[0]) * ln(sigmoid(x[0])) - sigmoid(-x[0]) * ln(sigmoid(-x[0])), [1.5], 2),
    ("volume of a lens", lambda x: mp.acos(x[0] / 2) - x[0] / 2 * sqrt(1 - x[0] ** 2 / 4), [0.75], 2),
    ("a product of seven", lambda x: x[0] * x[1] * x[2] * x[0] * x[1] * x[2] * x[0], [1.5, -0.5, 2], 2),
    ("Horner's scheme", lambda x: ((2 * x[0] - 3) * x[0] + mpf(0.5)) * x[0] - 1, [1.5], 3),
    ("erfc of a ratio", lambda x: erfc(x[0] / x[1]), [6, 0.5], 2),
    ("ln of a gamma function by recurrence", lambda x: ln_gamma(x[0]) + ln(x[0]) - ln_gamma(x[0] + 1), [2.5], 2),
    ("powi of a curved base", lambda x: mp.sin(x[0]) ** 7, [0.75], 3),
    ("exp2 of log2", lambda x: mpf(2) ** (x[1] * ln(x[0]) / ln(mpf(2))), [3, 0.5], 2),
    ("asinh of sinh", lambda x: mp.asinh(mp.sinh(x[0]) * x[1]), [2, 1.5], 2),
    ("acosh of a hyperbola", lambda x: mp.acosh(1 + x[0] ** 2 + x[1] ** 2), [0.5, 0.25], 2),
    ("powi to the smallest integer", lambda x: x[0] ** -(2**31), [1 + 1e-10], 2),
    ("powi to the largest integer", lambda x: x[0] ** (2**31 - 1), [1 - 1e-10], 2),
    ("powf of a product, to 0", lambda x: (x[0] * x[1]) ** (x[0] - x[1]), [1.5, 1.5], 2),
    ("Gaussian of a quotient", lambda x: exp(-((x[0] / x[1]) ** 2)), [3, 0.75], 2),
]


def differences(f, x, order):
    """All derivatives of this order, the first index slowest, by central differences."""
    steps = [STEP * abs(a) if a else STEP for a in x]
    derivatives = []
    known = {}
    for indices in itertools.product(range(len(x)), repeat=order):
        key = tuple(sorted(indices))
        if key not in known:
            total = mpf(0)
            size = mpf(0)
            for signs in itertools.product([1, -1], repeat=order):
                point = list(x)
                sign = 1
                for index, side in zip(indices, signs):
                    point[index] += side * steps[index]
                    sign *= side
                value = f(point)
                size = max(size, abs(value))
                total += sign * value
            scale = mpf(1)
            for index in indices:
                scale *= 2 * steps[index]
            # What cancelled to nothing but the last digits is 0.
            known[key] = mpf(0) if abs(total) < size * mpf(10) ** -1400 else total / scale
        derivatives.append(known[key])
    return derivatives


def text(numbers):
    return " ".join(repr(to_float(a)) for a in numbers)


def to_float(a):
    if abs(a) > mpf(sys.float_info.max) * (1 + mpf(2) ** -54):
        return float("inf") if a > 0 else float("-inf")
    return float(a)


def figures(f, x, order):
    x = [mpf(float(a)) for a in x]
    columns = [text(x), text([f(x)])]
    columns += [text(differences(f, x, n)) for n in range(1, order + 1)]
    return columns


def main():
    for line in OPERATIONS.strip().splitlines():
        name, *numbers = line.split()
        name, *index = name.split(",")
        numbers = [float(a) for a in numbers]
        if index:
            f = INDEXED[name](int(index[0]))
            arity = 1
        else:
            f = METHODS[name]
            arity = arity_of(name)
        x, traced_at, scale = numbers[:arity], numbers[arity : 2 * arity], numbers[2 * arity :]
        columns = figures(lambda x: f(*x), x, 2)
        columns[1:1] = [" ".join(repr(a) for a in traced_at), repr(scale[0]) if scale else "0.0"]
        print(" | ".join(["op " + " ".join([name, *index]), *columns]))
        sys.stdout.flush()
    for name, f, x, order in FUNCTIONS:
        print(" | ".join([name, *figures(f, x, order)]))
        sys.stdout.flush()


def arity_of(name):
    two = {"add", "sub", "mul", "div", "powf", "log", "atan2", "hypot", "log_add_exp"}
    return 3 if name == "mul_add" else 2 if name in two else 1


main()
