"""The exact means and standard deviations that sample.rs compares with, by quadrature. It needs numpy.

Run it with `python3 reference.py`; it takes about 20 s.
"""

import csv
import pathlib

import numpy as np
from numpy.polynomial.hermite_e import hermegauss


def eight_schools(steps):
    """Given tau, everything is normal: what is left is an integral over ln tau, by the trapezoid rule."""
    effect = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
    error = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
    log_tau = np.linspace(-25, 14, steps)
    tau = np.exp(log_tau)[:, None]
    # Without theta: effect ~ N(mu, variance). With the prior of mu, mu ~ N(mean, 1 / precision).
    variance = error**2 + tau**2
    precision = (1 / variance).sum(1) + 1 / 5**2
    mean = (effect / variance).sum(1) / precision
    log_density = (
        -0.5 * np.log(variance).sum(1)
        - 0.5 * np.log(precision)
        - 0.5 * (effect**2 / variance).sum(1)
        + 0.5 * precision * mean**2
        - np.log1p((tau[:, 0] / 5) ** 2)
        + log_tau
    )
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    # theta is between mu and the effect.
    share = tau**2 / variance
    theta = mean[:, None] + share * (effect - mean[:, None])
    theta_variance = share * error**2 + (1 - share) ** 2 / precision[:, None]
    first = np.column_stack([mean, tau, theta])
    spread = np.column_stack([1 / precision, 0 * tau, theta_variance])
    return moments(weight, first, first**2 + spread)


def logistic_regression(nodes):
    """Gauss and Hermite's rule in five dimensions, around the mode and in the directions of the covariance there."""
    path = pathlib.Path(__file__).parent / "../data/iris.csv"
    with path.open() as file:
        rows = [row for row in csv.reader(file)][1:]
    rows = [row for row in rows if row[4] != "setosa"]
    x = np.array([[float(number) for number in row[:4]] for row in rows])
    x = np.column_stack([np.ones(len(x)), (x - x.mean(0)) / x.std(0)])
    y = np.array([row[4] == "virginica" for row in rows], float)

    def log_density(beta):
        score = beta @ x.T
        return (y * score - np.logaddexp(0, score)).sum(-1) - 0.5 * (beta**2).sum(-1) / 2.5**2

    mode = np.zeros(5)
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ mode))
        curvature = (x.T * (p * (1 - p))) @ x + np.eye(5) / 2.5**2
        mode = mode + np.linalg.solve(curvature, x.T @ (y - p) - mode / 2.5**2)
    # The posterior has longer tails than the normal distribution at the mode.
    scale = 1.1 * np.linalg.cholesky(np.linalg.inv(curvature))

    points, weights = hermegauss(nodes)
    inner = np.stack(np.meshgrid(*[points] * 4, indexing="ij")).reshape(4, -1).T
    inner_weight = np.prod(np.stack(np.meshgrid(*[weights] * 4, indexing="ij")), 0).ravel()
    total, first, second = 0.0, np.zeros(5), np.zeros(5)
    for point, weight in zip(points, weights):
        z = np.column_stack([np.full(len(inner), point), inner])
        beta = mode + z @ scale.T
        mass = weight * inner_weight
        mass = mass * np.exp(log_density(beta) - log_density(mode) + 0.5 * (z**2).sum(1))
        total += mass.sum()
        first += mass @ beta
        second += mass @ beta**2
    return moments(np.ones(1) / total, first[None], second[None])


def moments(weight, first, second):
    mean = weight @ first
    return np.column_stack([mean, np.sqrt(weight @ second - mean**2)])


for steps in 2_000, 8_000:
    print(f"eight schools, {steps} steps\n{eight_schools(steps).round(6)}")
for nodes in 12, 16:
    print(f"logistic regression, {nodes} nodes\n{logistic_regression(nodes).round(5)}")
