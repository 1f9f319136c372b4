#!/usr/bin/env python3
"""Compares the machine model's predictions with measurements: reads what `lamina tune --json FILE` wrote, times for each
problem the candidate that the models put first and those that were measured best once more, in three rounds, and prints
how much longer the former takes. The tuner's own screening is too short for that: the best of sixty short measurements is
also the luckiest."""
import argparse
import json
import math
import os
import statistics
import subprocess
import tempfile


def seconds_of(lamina, problem, schedules, rounds=3):
    """The median time of a call with each schedule; the rounds go through all of them in turn."""
    times = [[] for _ in schedules]
    with tempfile.TemporaryDirectory() as folder:
        rows = os.path.join(folder, "rows.json")
        command = [lamina, "bench", problem, "--seconds", "0.5", "--records", "", "--json", rows]
        for schedule in schedules:
            command += ["--schedule", schedule]
        for _ in range(rounds):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for own, row in zip(times, json.load(open(rows))["rows"]):
                own.append(row["median_seconds"])
    return [statistics.median(own) for own in times]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trials", help="file of `lamina tune ... --json FILE`")
    parser.add_argument("--lamina", default="build/release/bin/lamina")
    parser.add_argument("--best", type=int, default=3, help="candidates that were measured best")
    arguments = parser.parse_args()
    quotients = []
    print("| problem | candidates timed | the models' first | best by measurement | quotient |")
    print("|---|---|---|---|---|", flush=True)
    for problem in json.load(open(arguments.trials)):
        timed = [t for t in problem["trials"] if t["ratio"] > 0 and t["predicted_cycles"] > 0]
        if len(timed) < 2:
            continue
        predicted = min(timed, key=lambda t: t["predicted_cycles"])["schedule"]
        best = [t["schedule"] for t in sorted(timed, key=lambda t: t["ratio"])[:arguments.best]]
        schedules = list(dict.fromkeys([predicted, *best, problem["incumbent"]]))
        times = dict(zip(schedules, seconds_of(arguments.lamina, problem["problem"], schedules)))
        winner = min(times, key=times.get)
        quotients.append(times[predicted] / times[winner])
        print(f"| `{problem['problem']}` | {len(timed)} | `{predicted}` | `{winner}` | {quotients[-1]:.3f} |", flush=True)
    if quotients:
        mean = math.exp(sum(map(math.log, quotients)) / len(quotients))
        print(f"\ngeomean of {len(quotients)} problems: {mean:.3f}, worst {max(quotients):.3f}")


if __name__ == "__main__":
    main()
