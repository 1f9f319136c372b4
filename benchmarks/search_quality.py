#!/usr/bin/env python3
"""Judges the tuner's search: for each problem, times many random legal schedules, then lets the search try a tenth as
many, and sets the two winners against each other. Prints a table, and says whether every answer is within 3%."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

PROBLEMS = [
    "cross_correlation in=1x14x14x256 out_channels=256 kernel_size=3x3 padding=same",
    "cross_correlation in=1x28x28x128 out_channels=128 kernel_size=3x3 padding=same",
    "cross_correlation in=1x56x56x64 out_channels=64 kernel_size=1x1",
    "cross_correlation in=1x56x56x64 out_channels=64 kernel_size=3x3 padding=same",
    "cross_correlation in=1x28x28x128 out_channels=128 kernel_size=3x3 stride=2x2 padding=1x1",
    "cross_correlation in=1x7x7x512 out_channels=512 kernel_size=1x1",
    "cross_correlation in=1x14x14x96 out_channels=576 kernel_size=1x1",
    "cross_correlation in=1x56x56x144 out_channels=144 kernel_size=3x3 padding=same groups=144",
    "cross_correlation in=1x112x112x32 out_channels=17 kernel_size=3x3 padding=same",
    "cross_correlation in=1x30x30x40 out_channels=48 kernel_size=5x1 padding=same",
]


def tune(lamina, problem, strategy, points, seconds):
    """The one problem's entry of what `lamina tune --json` writes, from an empty folder of records."""
    with tempfile.TemporaryDirectory() as folder:
        trials = os.path.join(folder, "trials.json")
        subprocess.run([lamina, "tune", problem, "--strategy", strategy, "--points", str(points), "--budget", f"{seconds}s",
                        "--records", os.path.join(folder, "records"), "--json", trials],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return json.load(open(trials))[0]


def seconds_of(lamina, problem, schedules):
    """The median time of a call with each schedule."""
    with tempfile.TemporaryDirectory() as folder:
        rows = os.path.join(folder, "rows.json")
        command = [lamina, "bench", problem, "--seconds", "1", "--records", "", "--json", rows]
        for schedule in schedules:
            command += ["--schedule", schedule]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return [row["median_seconds"] for row in json.load(open(rows))["rows"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lamina", default="build/release/bin/lamina")
    parser.add_argument("--points", type=int, default=500, help="random schedules per problem")
    parser.add_argument("--strategy", default="guided", help="the search to judge")
    parser.add_argument("problems", nargs="*", default=PROBLEMS)
    arguments = parser.parse_args()
    worst = 0
    print("| problem | space | tried by chance, by the search | best by chance, of the default's time | the search's | quotient |")
    print("|---|---|---|---|---|---|", flush=True)
    for problem in arguments.problems:
        chance = tune(arguments.lamina, problem, "random", arguments.points, 3600)
        points = max(1, len(chance["trials"]) // 10)
        search = tune(arguments.lamina, problem, arguments.strategy, points, 60)
        times = sorted(seconds_of(arguments.lamina, problem, [chance["best"], search["best"], search["incumbent"]])
                       for _ in range(3))[1]
        worst = max(worst, times[1] / times[0])
        print(f"| `{problem}` | {chance['space']} | {len(chance['trials'])}, {len(search['trials'])} "
              f"| {times[0] / times[2]:.3f} | {times[1] / times[2]:.3f} | {times[1] / times[0]:.3f} |", flush=True)
    print(f"\nworst {worst:.3f}")
    return 0 if worst <= 1.03 else 1


if __name__ == "__main__":
    sys.exit(main())
