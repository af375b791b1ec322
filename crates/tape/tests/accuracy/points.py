"""Writes `points.txt`: for every operation, points over the whole range of numbers, and what is true there.

    pip install mpmath==1.3.0
    python3 points.py > points.txt

A line `op type index arity` opens a block; a line of it is one point: the arguments, the value, the first derivatives,
the second derivatives (of two arguments xx, xy, yy; of three xx, xy, xz, yy, yz, zz), each the bits of an `f64`. The
arguments are exact, of type f32 too; what follows is rounded once, from as many digits as two precisions agree on.

`-` stands for what is not to be compared: it has no number (a kink, the logarithm of a negative base), or its size is
outside 1e-290 to 1e300 (f32: 1e-36 to 1e37). Points where the value over- or
underflows are left out.

Where a derivative is a sum whose terms cancel, the error that counts is relative to the terms: `bits~scale` names the
sum of their absolute values, wherever it is larger than the derivative. Nothing computed from rounded parts can do
better there, and one unit in the last place of the argument changes the derivative by as much. No sum that a better
formula avoids is counted: a function below says by `terms` what cannot be avoided.
"""

import random
import struct
import sys

from mpmath import mp, mpf

RANDOM = random.Random(17)


Z = mpf(0)


class Sum:
    """A sum and the scale of its terms."""

    def __init__(self, *terms):
        self.value = mp.fsum(terms)
        self.scale = mp.fsum(abs(t) for t in terms)


def terms(*of):
    return Sum(*of)


# ---- what is true: value, first derivatives, second derivatives -------------------------------------------------


def elementary(f, d, e):
    return lambda x: [f(x), d(x), e(x)]


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def bell(x):
    """sigmoid'(x)"""
    s = mp.sech(x / 2)
    return s * s / 4


def density(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def gauss(x):
    return 2 / mp.sqrt(mp.pi) * mp.exp(-x * x)


def logistic_density(x):
    t = mp.tanh(x / 2)
    return [bell(x), -t * bell(x), terms(t * t * bell(x), -bell(x) * bell(x) * 2)]


def silu(x):
    s, t = sigmoid(x), sigmoid(-x)
    return [x * s, terms(s, x * s * t), terms(2 * s * t, x * s * t * (t - s))]


def gelu(x):
    phi = mp.erfc(-x / mp.sqrt(2)) / 2
    return [x * phi, terms(phi, x * density(x)), terms(2 * density(x), -x * x * density(x))]


def cotangent(n, x):
    """The n-th derivative of π·cot(πx), as a polynomial of the cotangent."""
    c = mp.cot(mp.pi * (x - mp.nint(x)))
    p = [Z, mp.pi]
    for _ in range(n):
        slope = [-mp.pi * k * p[k] for k in range(1, len(p))] + [Z, Z]
        p = [slope[k] + (slope[k - 2] if k >= 2 else Z) for k in range(len(p) + 1)]
    return mp.polyval(p[::-1], c)


def psi(n, x):
    """ψ⁽ⁿ⁾; of negative x by reflection, whose terms cancel for even n."""
    if x > 0:
        return mp.psi(n, x)
    return terms((-1) ** n * mp.psi(n, 1 - x), -cotangent(n, x))


def ln_gamma(x):
    if x > 0:
        value = mp.loggamma(x)
    else:
        value = terms(mp.log(mp.pi / abs(mp.sin(mp.pi * (x - mp.nint(x))))), -mp.loggamma(1 - x))
    return [value, psi(0, x), psi(1, x)]


def powi(n):
    def at(x):
        first = n * x ** (n - 1) if n != 0 else mpf(0)
        second = n * (n - 1) * x ** (n - 2) if n not in (0, 1) else mpf(0)
        return [x**n, first, second]

    return at


def polygamma(n):
    return lambda x: [psi(n, x), psi(n + 1, x), psi(n + 2, x)]


def powf(x, y):
    z = x**y
    first = y * z / x
    second = y * (y - 1) * z / x / x
    if x < 0:
        return [z.real, first.real, None, second.real, None, None]
    l = mp.log(x)
    return [z, first, z * l, second, terms(z / x, z / x * y * l), z * l * l]


def log(x, y):
    l, b = mp.log(x), mp.log(y)
    return [
        l / b,
        1 / (x * b),
        -l / (y * b * b),
        -1 / (x * x * b),
        -1 / (x * y * b * b),
        terms(l / (y * y * b * b), 2 * l / (y * y * b**3)),
    ]


def atan2(y, x):
    r = x * x + y * y
    mixed = terms(y * y / r / r, -x * x / r / r)
    return [mp.atan2(y, x), x / r, -y / r, -2 * x * y / r / r, mixed, 2 * x * y / r / r]


def hypot(x, y):
    r = mp.sqrt(x * x + y * y)
    return [r, x / r, y / r, y * y / r**3, -x * y / r**3, x * x / r**3]


def log_add_exp(x, y):
    m = max(x, y)
    value = terms(m, mp.log1p(mp.exp(-abs(x - y))))
    curvature = bell(x - y)
    return [value, sigmoid(x - y), sigmoid(y - x), curvature, -curvature, curvature]


def one(x, *condition):
    return mpf(1) if x else mpf(0)


def rem(x, y):
    q = mp.floor(abs(x / y)) * mp.sign(x) * mp.sign(y)
    return [x - y * q, mpf(1), -q, mpf(0), mpf(0), mpf(0)]


def clamp(x, a, b):
    return [min(max(x, a), b), one(a < x < b), one(x < a), one(x > b)] + 6 * [mpf(0)]


def select(c, a, b):
    return [a if c > 0 else b, mpf(0), one(c > 0), one(c <= 0)] + 6 * [mpf(0)]


def norm(*x):
    n = len(x)
    r = mp.sqrt(mp.fsum(c * c for c in x))
    second = []
    for i in range(n):
        # A large component's own second derivative is 1/r less its square over r³.
        second += [terms(1 / r, -x[i] * x[i] / r**3)]
        second += [-x[i] * x[j] / r**3 for j in range(i + 1, n)]
    return [r] + [c / r for c in x] + second


def log_sum_exp(*x):
    n = len(x)
    m = max(x)
    e = [mp.exp(c - m) for c in x]
    s = mp.fsum(e)
    w = [c / s for c in e]
    second = []
    for i in range(n):
        second += [terms(w[i], -w[i] * w[i])]
        second += [-w[i] * w[j] for j in range(i + 1, n)]
    return [terms(m, mp.log(s))] + w + second


def flat(f):
    return elementary(f, lambda x: mpf(0), lambda x: mpf(0))


def round_half_away(x):
    return mp.sign(x) * mp.floor(abs(x) + mpf(1) / 2)


LN2 = lambda: mp.log(2)
ROOT = lambda x: mp.sqrt(1 - x * x)

# name: (function, domain, ordinary range, special points, precisions)
E = elementary
INF = float("inf")
ONE = {
    "neg": (E(lambda x: -x, lambda x: mpf(-1), lambda x: Z), (-INF, INF), (-10, 10), [0]),
    "sin": (E(mp.sin, mp.cos, lambda x: -mp.sin(x)), (-INF, INF), (-10, 10), [0, 1.5707963267948966, 3.141592653589793]),
    "cos": (E(mp.cos, lambda x: -mp.sin(x), lambda x: -mp.cos(x)), (-INF, INF), (-10, 10), [0, 1.5707963267948966, 3.141592653589793]),
    "tan": (E(mp.tan, lambda x: 1 / mp.cos(x) ** 2, lambda x: 2 * mp.tan(x) / mp.cos(x) ** 2), (-INF, INF), (-4, 4), [0, 1.5707963267948966, 3.141592653589793]),
    "asin": (E(mp.asin, lambda x: 1 / ROOT(x), lambda x: x / ROOT(x) ** 3), (-1, 1), (-1, 1), [0, 1, -1, 0.5, -0.5]),
    "acos": (E(mp.acos, lambda x: -1 / ROOT(x), lambda x: -x / ROOT(x) ** 3), (-1, 1), (-1, 1), [0, 1, -1, 0.5, -0.5]),
    "atan": (E(mp.atan, lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2), (-INF, INF), (-10, 10), [0, 1, -1, 1e8, 1e9, -1e9]),
    "sinh": (E(mp.sinh, mp.cosh, mp.sinh), (-INF, INF), (-700, 700), [0, 1, -1]),
    "cosh": (E(mp.cosh, mp.sinh, mp.cosh), (-INF, INF), (-700, 700), [0, 1, -1]),
    "tanh": (E(mp.tanh, lambda x: mp.sech(x) ** 2, lambda x: -2 * mp.tanh(x) * mp.sech(x) ** 2), (-INF, INF), (-360, 360), [0, 0.97, -0.97, 20, 1]),
    "asinh": (E(mp.asinh, lambda x: 1 / mp.sqrt(1 + x * x), lambda x: -x / mp.sqrt(1 + x * x) ** 3), (-INF, INF), (-10, 10), [0, 1, -1, 1e8, 1e9]),
    "acosh": (E(mp.acosh, lambda x: 1 / mp.sqrt(x * x - 1), lambda x: -x / mp.sqrt(x * x - 1) ** 3), (1, INF), (1, 10), [1, 2, 1e8, 1e9]),
    "atanh": (E(mp.atanh, lambda x: 1 / (1 - x * x), lambda x: 2 * x / (1 - x * x) ** 2), (-1, 1), (-1, 1), [0, 1, -1, 0.5, -0.5]),
    "exp": (E(mp.exp, mp.exp, mp.exp), (-INF, INF), (-700, 700), [0]),
    "exp2": (E(lambda x: 2**x, lambda x: LN2() * 2**x, lambda x: LN2() ** 2 * 2**x), (-INF, INF), (-1000, 1000), [0, 1]),
    "exp_m1": (E(mp.expm1, mp.exp, mp.exp), (-INF, INF), (-700, 700), [0]),
    "ln": (E(mp.log, lambda x: 1 / x, lambda x: -1 / x / x), (0, INF), (0, 10), [0, 1]),
    "ln_1p": (E(mp.log1p, lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2), (-1, INF), (-1, 10), [0, -1]),
    "log2": (E(lambda x: mp.log(x) / LN2(), lambda x: 1 / (x * LN2()), lambda x: -1 / (x * x * LN2())), (0, INF), (0, 10), [0, 1]),
    "log10": (E(mp.log10, lambda x: 1 / (x * mp.log(10)), lambda x: -1 / (x * x * mp.log(10))), (0, INF), (0, 10), [0, 1]),
    "sqrt": (E(mp.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), lambda x: -1 / (4 * x * mp.sqrt(x))), (0, INF), (0, 10), [0, 1]),
    "cbrt": (lambda x: (lambda c: [c, 1 / (3 * c * c), -2 / (9 * c**5)])(mp.sign(x) * mp.cbrt(abs(x))), (-INF, INF), (-10, 10), [0, 1]),
    "recip": (E(lambda x: 1 / x, lambda x: -1 / x / x, lambda x: 2 / x**3), (-INF, INF), (-10, 10), [0, 1]),
    "abs": (E(abs, mp.sign, lambda x: mpf(0)), (-INF, INF), (-10, 10), [0]),
    "signum": (flat(mp.sign), (-INF, INF), (-10, 10), [0]),
    "floor": (flat(mp.floor), (-INF, INF), (-10, 10), [0, 1]),
    "ceil": (flat(mp.ceil), (-INF, INF), (-10, 10), [0, 1]),
    "round": (flat(round_half_away), (-INF, INF), (-10, 10), [0, 0.5]),
    "trunc": (flat(lambda x: mp.sign(x) * mp.floor(abs(x))), (-INF, INF), (-10, 10), [0, 1]),
    "sigmoid": (E(sigmoid, bell, lambda x: -bell(x) * mp.tanh(x / 2)), (-INF, INF), (-700, 700), [0, 1.7, 1.9, 36, -36]),
    "softplus": (E(lambda x: mp.log1p(mp.exp(x)), sigmoid, bell), (-INF, INF), (-700, 700), [0, 1.7, 1.9, 36, -36]),
    "relu": (E(lambda x: max(x, mpf(0)), lambda x: one(x > 0), lambda x: mpf(0)), (-INF, INF), (-10, 10), [0]),
    "silu": (silu, (-INF, INF), (-700, 700), [0, -1.2784645427610738, 2.3993572805154674, 36, 40, -40]),
    "gelu": (gelu, (-INF, INF), (-37.5, 37.5), [0, -0.7517915246935645, 1.4142135623730951, -1.4142135623730951]),
    "erf": (E(mp.erf, gauss, lambda x: -2 * x * gauss(x)), (-INF, INF), (-26.5, 26.5), [0, 1, 26.3]),
    "erfc": (E(mp.erfc, lambda x: -gauss(x), lambda x: 2 * x * gauss(x)), (-INF, INF), (-26.5, 26.5), [0, 1, 26.3]),
    "gauss": (E(lambda x: mp.exp(-x * x), lambda x: -2 * x * mp.exp(-x * x), lambda x: terms(-2 * mp.exp(-x * x), 4 * x * x * mp.exp(-x * x))), (-INF, INF), (-26.5, 26.5), [0, 0.7071067811865476, 26.3]),
    "normal_density": (E(density, lambda x: -x * density(x), lambda x: terms(-density(x), x * x * density(x))), (-INF, INF), (-37.5, 37.5), [0, 1, 37.1]),
    "logistic_density": (logistic_density, (-INF, INF), (-700, 700), [0, 1.3169578969248168, 1.7, 36, -36]),
    "ln_gamma": (ln_gamma, (-INF, INF), (-30, 30), [0, 1, 2, -1, -2, -0.5, 1.4616321449683622, -0.504083008264455]),
    "digamma": (polygamma(0), (-INF, INF), (-30, 30), [0, 1, 2, -1, -2, -0.5, 1.4616321449683622, -0.504083008264455, 10]),
}
INDEXED = {
    "powi": (powi, [0, 1, 2, 3, -1, -2, 7, -7, 8, 9, 15, 16, 17, -16, -17, 40, -100, 1001, 2**31 - 1, -(2**31)]),
    "polygamma": (polygamma, [0, 1, 2, 3, 4, 7, 30]),
}
A, B = (-INF, INF), (0, INF)
TWO = {
    "add": (lambda x, y: [terms(x, y), mpf(1), mpf(1), Z, Z, Z], A, A),
    "sub": (lambda x, y: [terms(x, -y), mpf(1), mpf(-1), Z, Z, Z], A, A),
    "mul": (lambda x, y: [x * y, y, x, Z, mpf(1), Z], A, A),
    "div": (lambda x, y: [x / y, 1 / y, -x / y / y, Z, -1 / y / y, 2 * x / y**3], A, A),
    "rem": (rem, A, A),
    "powf": (powf, B, A),
    "log": (log, B, B),
    "atan2": (atan2, A, A),
    "max": (lambda x, y: [max(x, y), one(x > y), one(y > x), Z, Z, Z], A, A),
    "min": (lambda x, y: [min(x, y), one(x < y), one(y < x), Z, Z, Z], A, A),
    "hypot": (hypot, A, A),
    "log_add_exp": (log_add_exp, A, A),
}
THREE = {
    "clamp": clamp,
    "mul_add": lambda x, y, z: [terms(x * y, z), y, x, mpf(1), Z, mpf(1), Z, Z, Z, Z],
    "select": select,
}
SLICES = {"norm": norm, "log_sum_exp": log_sum_exp}

# ---- points ----------------------------------------------------------------------------------------------------


class Kind:
    def __init__(self, name, size, low, high, widest, significand):
        self.name, self.low, self.high = name, mpf(low), mpf(high)
        self.size, self.widest, self.significand = size, widest, significand

    def near(self, x):
        """The number of this type nearest to x."""
        try:
            return struct.unpack(self.size, struct.pack(self.size, float(x)))[0]
        except OverflowError:
            return INF

    def steps(self, x, n):
        """n numbers further from 0."""
        step = abs(x) * 2.0 ** (1 - self.significand)
        return self.near(x + n * step)


F64 = Kind("f64", "<d", 1e-290, 1e300, 300, 53)
F32 = Kind("f32", "<f", 1e-36, 1e37, 37, 24)


def sign():
    return RANDOM.choice((-1, 1))


def wide(kind, domain):
    """A number of any size."""
    low, high = domain
    s = 1 if low >= 0 else sign()
    if high == 1:
        return s * 10 ** RANDOM.uniform(-kind.widest, 0)
    return s * 10 ** RANDOM.uniform(-kind.widest, kind.widest)


def beside(kind, x):
    """A number close to x, or x."""
    if x == 0:
        return sign() * 10 ** RANDOM.uniform(-17, -1)
    choice = RANDOM.random()
    if choice < 0.2:
        return x
    if choice < 0.5:
        return kind.steps(x, RANDOM.randint(-4, 4))
    return x * (1 + sign() * 10 ** RANDOM.uniform(1 - kind.significand / 3.3, -1))


def points_of_one(kind, domain, ordinary, special, count):
    while count > 0:
        choice = RANDOM.random()
        if choice < 0.3:
            x = wide(kind, domain)
        elif choice < 0.6:
            x = RANDOM.uniform(*ordinary)
            if kind is F32 and max(map(abs, ordinary)) > 80:
                x *= 80 / max(map(abs, ordinary))
        elif choice < 0.75:
            x = RANDOM.uniform(max(-4, domain[0]), min(4, domain[1]))
        else:
            x = beside(kind, RANDOM.choice(special))
        x = kind.near(x)
        if domain[0] < x < domain[1] and abs(x) < INF:
            yield [x]
            count -= 1


def pairs(kind, name, first, second, count):
    """Of every size, of similar size, and what the operation is hard at."""
    fits = lambda x, domain: domain[0] < x < domain[1] and abs(x) < INF
    widest = 700 if kind is F64 else 85
    while count > 0:
        choice = RANDOM.random()
        x = wide(kind, first)
        if choice < 0.2:
            y = wide(kind, second)
        elif choice < 0.4:
            y = x * RANDOM.uniform(-2, 2)
        elif choice < 0.5:
            y = x * sign() * 10 ** RANDOM.uniform(-20, 20)
        elif choice < 0.8:
            x, y = RANDOM.uniform(-10, 10), RANDOM.uniform(-10, 10)
        else:
            x, y = beside(kind, RANDOM.choice([-1, 0, 1])), RANDOM.uniform(-3, 3)
        if name == "powf":
            if RANDOM.random() < 0.5 and abs(x) not in (0, 1):
                y = RANDOM.uniform(-1, 1) * widest / abs(mp.log(abs(x)))
            elif RANDOM.random() < 0.3:
                y = beside(kind, RANDOM.choice([0, 1, 2, -1, 0.5, 3]))
            if RANDOM.random() < 0.9:
                x = abs(x)
            else:
                y = float(RANDOM.randint(-5, 5))
                x = -abs(x)
        if name == "log":
            x, y = abs(x), abs(y)
            if RANDOM.random() < 0.2:
                y = beside(kind, 1)
        if name == "log_add_exp":
            if RANDOM.random() < 0.6:
                x = RANDOM.uniform(-widest / 2, widest / 2)
                y = RANDOM.uniform(-widest / 2, widest / 2)
            if RANDOM.random() < 0.3:
                y = x + RANDOM.uniform(-widest, widest)
        x, y = kind.near(x), kind.near(y)
        if y in (0, -0.0) and name in ("rem", "div"):
            continue
        if name == "rem" and abs(x / y) > 1e15:
            continue
        if name in ("max", "min") and x == y:
            continue
        if name == "log" and y == 1:
            continue
        if (fits(x, first) or name == "powf") and x != 0 and fits(y, second):
            yield [x, y]
            count -= 1


def triples(kind, name, count):
    for _ in range(count):
        x = [kind.near(wide(kind, A) if RANDOM.random() < 0.4 else RANDOM.uniform(-10, 10)) for _ in range(3)]
        if name == "clamp":
            x[1:] = sorted(x[1:])
        yield x


def slices(kind, name, count):
    for _ in range(count):
        if name == "norm":
            size = 10 ** RANDOM.uniform(-kind.widest / 2, kind.widest / 2) if RANDOM.random() < 0.5 else 1
            yield [kind.near(size * sign() * 10 ** RANDOM.uniform(-5, 5)) for _ in range(3)]
        else:
            width = RANDOM.choice([3, 30, 300 if kind is F64 else 40])
            yield [kind.near(RANDOM.uniform(-width, width)) for _ in range(3)]


# ---- writing ---------------------------------------------------------------------------------------------------


def bits(x):
    return f"{struct.unpack('<Q', struct.pack('<d', float(x)))[0]:x}"


def agreed(f, x, precisions):
    """f at x from two precisions, as far as they agree; otherwise from more digits."""
    previous = None
    for digits in precisions:
        mp.dps = digits
        try:
            now = f(*[mpf(c) for c in x])
        except (ValueError, OverflowError, ZeroDivisionError, mp.NoConvergence):
            return None
        if previous is not None and all(same(a, b) for a, b in zip(previous, now)):
            return now
        previous = now
    raise ArithmeticError(f"{x}: the digits do not settle: {previous}")


def same(a, b):
    if a is None or b is None:
        return a is b
    if isinstance(a, Sum):
        return same(a.value, b.value) and same(a.scale, b.scale)
    return a == b or abs(a - b) <= abs(b) * mpf(10) ** -22


def written(kind, quantity):
    if quantity is None:
        return "-"
    value, scale = (quantity.value, quantity.scale) if isinstance(quantity, Sum) else (quantity, Z)
    if value == 0:
        return bits(0) if scale == 0 else f"0~{bits(scale)}"
    size = max(abs(value), scale)
    if not kind.low < size < kind.high:
        return "-"
    if scale > abs(value) * (1 + mpf(2) ** -30):
        return f"{bits(value)}~{bits(scale)}"
    return bits(value)


def write(name, kind, index, arity, f, points, precisions=(60, 380, 800, 1600)):
    print(name, kind.name, "-" if index is None else index, arity)
    seen = set()
    for x in points:
        if tuple(x) in seen:
            continue
        seen.add(tuple(x))
        result = agreed(f, x, precisions)
        if result is None:
            continue
        value = result[0].value if isinstance(result[0], Sum) else result[0]
        if value != 0 and not kind.low < abs(value) < kind.high:
            continue
        fields = [written(kind, quantity) for quantity in result]
        if any(field != "-" for field in fields):
            print(*[bits(c) for c in x], *fields)


def main():
    only = set(sys.argv[1:])
    wanted = lambda name: not only or name in only
    for kind, share in (F64, 1.0), (F32, 0.3):
        count = lambda n: int(n * share)
        for name, (f, domain, ordinary, special) in ONE.items():
            if not wanted(name):
                continue
            simple = name in ("neg", "abs", "signum", "floor", "ceil", "round", "trunc", "relu")
            is_gamma = "gamma" in name
            if is_gamma:
                f = without_poles(f)
            points = points_of_one(kind, domain, ordinary, special, count(60 if simple else 260))
            if simple and name != "neg":
                kinks = {0, 1, 0.5}
                points = [p for p in points if not (p[0] in kinks or (abs(p[0]) < 1e17 and p[0] == int(p[0])))]
            write(name, kind, None, 1, f, points, (40, 80, 160, 320) if is_gamma else (60, 380, 800, 1600))
        for name, (make, indices) in INDEXED.items():
            for n in indices if wanted(name) else []:
                low = 0 if name == "powi" and abs(n) > 1e6 else -INF
                special = [1, 1, -1, 0] if name == "powi" else [0, 1, -1, -2.5, 10 + n]
                width = 10 if abs(n) < 30 else 2
                width = 2 * n + 30 if name == "polygamma" else width
                f = without_poles(make(n)) if name == "polygamma" else make(n)
                points = list(points_of_one(kind, (low, INF), (max(low, -width), width), special, count(70)))
                if abs(n) > 1e6:
                    points += [[kind.near(1 + sign() * 10 ** RANDOM.uniform(-12, -6.6))] for _ in range(count(60))]
                write(name, kind, n, 1, f, points, (40, 80, 160, 320) if name == "polygamma" else (60, 380, 800, 1600))
        for name, (f, first, second) in TWO.items():
            if wanted(name):
                simple = name in ("add", "sub", "mul", "max", "min", "rem")
                points = pairs(kind, name, first, second, count(70 if simple else 300))
                write(name, kind, None, 2, f, points, (60, 700, 1500, 3000))
        for name, f in THREE.items():
            if wanted(name):
                write(name, kind, None, 3, f, triples(kind, name, count(40)), (60, 700, 1500, 3000))
        for name, f in SLICES.items():
            if wanted(name):
                write(name, kind, None, 3, f, slices(kind, name, count(120)))


def without_poles(f):
    def at(x):
        if x <= 0 and x == mp.floor(x):
            raise ValueError("a pole")
        # The nearest digits of a number of this size tell nothing about its place between two poles.
        return f(x)

    return at


if __name__ == "__main__":
    main()
