#!/usr/bin/env python3
"""check_sizes.py - No file over 800 lines (600 asks for a second look), no function over 80.

A function is counted from the line where its name stands to its closing brace. Found by the
project's format: the opening and the closing brace of a function stand alone in column 0.
"""
import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILE_LIMIT, FILE_WARNING, FUNCTION_LIMIT = 800, 600, 80
C_FOLDERS = ("include", "src", "drivers", "sim", "tools", "examples", "bench", "tests")


def functions(lines):
    """Yields (name, first line, length)."""
    opened = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            opened = number - 1
            while opened > 1 and (lines[opened - 1][:1].isspace() or not lines[opened - 1]):
                opened -= 1
        elif line == "}" and opened is not None:
            signature = " ".join(lines[opened - 1:number])
            name = re.search(r"(\w+)\s*\(", signature)
            yield (name.group(1) if name else "?"), opened, number - opened + 1
            opened = None


def main():
    wrong, warnings, lengths = [], [], []
    files = [f for folder in C_FOLDERS for f in sorted((ROOT / folder).rglob("*.[ch]"))]
    scripts = [f for folder in ("scripts", "tests", ".ci") for f in sorted((ROOT / folder).rglob("*"))
               if f.is_file() and f.suffix in (".py", ".sh", "")]
    for file in files + scripts:
        path = file.relative_to(ROOT)
        lines = file.read_text(errors="replace").splitlines()
        if len(lines) > FILE_LIMIT:
            wrong.append(f"{path}: {len(lines)} lines; the limit is {FILE_LIMIT}")
        elif len(lines) > FILE_WARNING:
            warnings.append(f"{path}: {len(lines)} lines: which second concept is in it?")
        if file.suffix not in (".c", ".h"):
            continue
        for name, line, length in functions(lines):
            if path.parts[0] != "tests":
                lengths.append(length)
            if length > FUNCTION_LIMIT:
                wrong.append(f"{path}:{line}: {name}() has {length} lines; the limit is "
                             f"{FUNCTION_LIMIT}")
    print(*warnings, *wrong, sep="\n", end="\n" if warnings or wrong else "")
    lengths.sort()
    if lengths:
        print(f"sizes: {len(lengths)} functions outside tests: median "
              f"{statistics.median_low(lengths)}, p90 {lengths[int(len(lengths) * 0.9)]}, longest "
              f"{lengths[-1]} lines; {len(wrong)} wrong")
    return 1 if wrong else 0


sys.exit(main())
