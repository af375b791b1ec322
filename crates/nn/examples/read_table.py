"""Writes a table of about 1 GB as CSV and Parquet, and reads it here and by polars in turn: minima of wall time, processor
time and peak memory. Processes as a whole; what Python and the import of polars take is measured too and taken off.

    python -m venv venv && venv/bin/pip install polars==2.1.0 numpy
    cargo build --release -p nn --features parquet --example read_table
    POLARS_MAX_THREADS=2 venv/bin/python crates/nn/examples/read_table.py target/release/examples/read_table target/tables
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

ROWS, PART, ROUNDS = 9_500_000, 500_000, 3


def part(random):
    def gaps(cells, share):
        series = pl.Series(cells)
        return series.zip_with(pl.Series(random.random(PART) >= share), pl.Series([None] * PART, dtype=series.dtype))

    cities = np.array(["Aachen", "Berlin", "Bremen", "Essen", "Köln", "München", "Ulm", "New York"])
    length = random.normal(170, 10, PART).round(2)
    return pl.DataFrame({
        "customer": random.integers(10**6, 10**8, PART),
        "age": random.integers(18, 95, PART),
        "length": length,
        "weight": (length * 0.4 + random.normal(0, 9, PART)).round(3),
        "income": gaps(random.lognormal(10, 1, PART).round(2), 0.05),
        "share": random.random(PART),
        "rate": random.normal(0, 1e-3, PART),
        "city": cities[random.integers(0, 8, PART)],
        "since": np.datetime64("2015-01-01") + random.integers(0, 3000, PART),
        "member": random.random(PART) < 0.3,
        "visits": gaps(random.integers(0, 1000, PART), 0.1),
        "target": random.normal(0, 1, PART).round(5),
    })


def used(command):
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    return np.array([time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6])


def main():
    binary, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    csv, parquet = str(folder / "large.csv"), str(folder / "large.parquet")
    if not Path(parquet).exists():
        random = np.random.default_rng(1)
        table = pl.concat([part(random) for _ in range(ROWS // PART)])
        table.write_csv(csv)
        table.write_parquet(parquet)
        del table
    polars = [sys.executable, "-c"]
    commands = {
        "polars, nothing": [*polars, "import polars"],
        "polars, CSV": [*polars, f"import polars; polars.read_csv({csv!r}, try_parse_dates=True)"],
        "here, CSV": [binary, csv],
        "here, CSV to numbers": [binary, csv, "numbers"],
        "polars, Parquet": [*polars, f"import polars; polars.read_parquet({parquet!r})"],
        "here, Parquet": [binary, parquet],
        "here, Parquet to numbers": [binary, parquet, "numbers"],
    }
    rounds = [{name: used(command) for name, command in commands.items()} for _ in range(ROUNDS)]
    least = {name: np.min([round[name] for round in rounds], axis=0) for name in commands}
    print(f"{'':26}   wall s  processor s   peak GB   wall ratio  processor ratio")
    for name, (wall, processor, memory) in least.items():
        kind = "Parquet" if "Parquet" in name else "CSV"
        other = least[f"polars, {kind}"] - least["polars, nothing"]
        is_ours = name.startswith("here")
        ratios = f"{wall / other[0]:12.2f} {processor / other[1]:16.2f}" if is_ours else ""
        print(f"{name:26} {wall:8.2f} {processor:12.2f} {memory:9.2f} {ratios}")


if __name__ == "__main__":
    main()
