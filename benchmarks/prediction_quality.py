#!/usr/bin/env python3
"""Compares the machine model's predictions with measurements: reads what `lamina tune --json FILE` wrote, and prints for
each problem how much longer the candidate takes that the models put first than the one that was measured best."""
import argparse
import json
import math


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trials", help="file of `lamina tune ... --json FILE`")
    arguments = parser.parse_args()
    quotients = []
    print("| problem | candidates timed | model's best, of the default's time | best, of the default's time | quotient |")
    print("|---|---|---|---|---|")
    for problem in json.load(open(arguments.trials)):
        timed = [t for t in problem["trials"] if t["ratio"] > 0 and t["predicted_cycles"] > 0]
        if len(timed) < 2:
            continue
        predicted = min(timed, key=lambda t: t["predicted_cycles"])["ratio"]
        best = min(t["ratio"] for t in timed)
        quotients.append(predicted / best)
        print(f"| `{problem['problem']}` | {len(timed)} | {predicted:.3f} | {best:.3f} | {predicted / best:.3f} |")
    if quotients:
        mean = math.exp(sum(map(math.log, quotients)) / len(quotients))
        print(f"\ngeomean of {len(quotients)} problems: {mean:.3f}, worst {max(quotients):.3f}")


if __name__ == "__main__":
    main()
