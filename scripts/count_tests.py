#!/usr/bin/env python3
"""count_tests.py - Counts test cases in ctest's JUnit report.

A cmocka program counts by its cases, a script that prints "ok ..." and "not ok ..." lines (TAP)
by those, `sanwo drill` by its scripts, and any other test as one. A program that failed without saying which case (a crash, a
time-out) adds one failure. The last line printed is "N passed, M failed[, K skipped]".
"""
import argparse
import re
import sys
import xml.etree.ElementTree as ElementTree

# cmocka writes cases to standard output and each group's sum to standard error, which may cut a
# line of the former in two: sums are looked for anywhere in a line.
CMOCKA_START = re.compile(r"\[=+\] Running \d+ test")
CMOCKA_OK = re.compile(r"\[ +OK +\] \S")
CMOCKA_PASSED = re.compile(r"\[ +PASSED +\] (\d+) test")
CMOCKA_SKIPPED = re.compile(r"\[ +SKIPPED +\] (\d+) test")
CMOCKA_FAILED = re.compile(r"\[ +FAILED +\] (\d+) test")
TAP_OK = re.compile(r"^ok\b(?!.*# skip)", re.M | re.I)
TAP_SKIPPED = re.compile(r"^ok\b.*# skip", re.M | re.I)
TAP_FAILED = re.compile(r"^not ok\b", re.M)
DRILL = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)


def sums(pattern, output):
    return sum(int(n) for n in pattern.findall(output))


def count(status, output):
    """Returns (passed, failed, skipped) of one ctest test."""
    if CMOCKA_START.search(output):
        # After a crash there are cases without a sum.
        passed = max(sums(CMOCKA_PASSED, output), len(CMOCKA_OK.findall(output)))
        skipped = sums(CMOCKA_SKIPPED, output)
        failed = sums(CMOCKA_FAILED, output)
    else:
        passed = len(TAP_OK.findall(output))
        skipped = len(TAP_SKIPPED.findall(output))
        failed = len(TAP_FAILED.findall(output))
        if passed + skipped + failed == 0:  # `sanwo drill` by itself: its scripts
            for line in DRILL.findall(output):
                passed, failed, skipped = map(int, line)
    if status == "failed" and failed == 0:
        failed = 1
    if status == "skipped" and passed + failed + skipped == 0:
        skipped = 1
    if passed + failed + skipped == 0:
        passed = 1
    return passed, failed, skipped


def status_of(case):
    if case.find("failure") is not None or case.get("status") == "fail":
        return "failed"
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        # ctest also says "skipped" of a program that it could not start: that is a failure.
        skipped = case.find("skipped")
        message = skipped.get("message", "") if skipped is not None else ""
        return "skipped" if message.startswith("SKIP_RETURN_CODE") else "failed"
    return "passed"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ctest-status", type=int, default=0, help="ctest's own exit status")
    parser.add_argument("report", nargs="+")
    arguments = parser.parse_args()

    total = [0, 0, 0]
    for name in arguments.report:
        try:
            cases = ElementTree.parse(name).getroot().iter("testcase")
        except (OSError, ElementTree.ParseError) as error:
            print(f"{name}: {error}")
            total[1] += 1
            continue
        for case in cases:
            status = status_of(case)
            result = count(status, case.findtext("system-out") or "")
            total = [a + b for a, b in zip(total, result)]
            if result[1]:
                print(f"failed: {case.get('name')} ({result[1]} of {sum(result)})")
            elif status == "skipped":
                print(f"skipped: {case.get('name')}")
    if arguments.ctest_status != 0 and total[1] == 0:
        print(f"ctest ended with status {arguments.ctest_status}")
        total[1] = 1
    print(f"{total[0]} passed, {total[1]} failed" + (f", {total[2]} skipped" if total[2] else ""))
    return 1 if total[1] or not total[0] else 0


sys.exit(main())
