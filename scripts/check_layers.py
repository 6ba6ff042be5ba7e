#!/usr/bin/env python3
"""check_layers.py - Who may include whom, as a table (docs: "the layers"); no root, no build.

Also here, since it is read off the same lines: the core includes no system header that a
freestanding build lacks, and src/ outside base has no conditional compilation.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Rooms of src/ and the other rooms of src/ whose headers each may include. All may include
# <sanwo/...>. A room may always include itself.
MAY_INCLUDE = {
    "base": set(),
    "wire": {"base"},
    "link": {"base", "wire"},
    "ip": {"base", "wire", "link"},
    "tcp": {"base", "wire"},
    "udp": {"base", "wire"},
    "stack": {"base", "wire", "link", "ip", "tcp", "udp"},
    "socket": set(),
    "http": set(),
    "trace": {"wire"},
}
# Single headers allowed beyond the table.
ALSO = {
    "trace": {"tcp/connection/state.h"},  # the names of the states
}
CORE = {"base", "wire", "link", "ip", "tcp", "udp", "stack"}

# Folders that see <sanwo/...> and their own files only; tools/sim*.c, tests/sim and tests/faults see sim/ too,
# tests/drill sees tools/drill; tests/unit, tests/model, tests/fuzz and tests/attacks see everything,
# and the tests named after a room outside the core see that room.
OUTSIDE = ("drivers", "sim", "tools", "examples", "bench", "tests")
TEST_SEES_ROOM = {"http", "trace", "socket"}

FREESTANDING = {"stdbool.h", "stddef.h", "stdint.h", "limits.h", "stdalign.h", "string.h"}
VECTOR = {"immintrin.h", "emmintrin.h", "tmmintrin.h", "arm_neon.h", "wasm_simd128.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
CONDITIONAL = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b\s*(.*)")


def files():
    for folder in ("include", "src", *OUTSIDE):
        yield from sorted((ROOT / folder).rglob("*.[ch]"))


def sees_sim(path):
    """Whether the file is built with the simulator's engine in view."""
    return path.parts[:2] in (("tests", "sim"), ("tests", "faults")) or (
        path.parts[0] == "tools" and path.name.startswith("sim"))


def resolve(path, quote, name):
    """The included file relative to the root, or None if it is not ours."""
    places = [ROOT / "include"] if quote == "<" else [path.parent, ROOT / "src"]
    if quote == '"' and path.is_relative_to(ROOT / "tests"):
        places.append(ROOT / "tests")
    if quote == '"' and path.is_relative_to(ROOT / "tools"):
        places.append(ROOT / "tools")
    if quote == '"' and path.is_relative_to(ROOT / "tests" / "drill"):
        places.append(ROOT / "tools" / "drill")
    if quote == '"' and sees_sim(path.relative_to(ROOT)):
        places.append(ROOT)
    for place in places:
        found = (place / name).resolve()
        if found.is_file():
            return found.relative_to(ROOT) if found.is_relative_to(ROOT) else None
    # Not there (yet): judge by the name.
    if quote == "<":
        return pathlib.Path("include") / name if name.startswith("sanwo/") else None
    return pathlib.Path("src") / name if name.split("/")[0] in MAY_INCLUDE else None


def judge(path, quote, name, target):
    """None, or what is wrong with this include."""
    here, room = path.parts[0], path.parts[1]
    if target is None:
        if quote == '"' and not (here == "src" and room == "http" and name.startswith("llhttp")):
            return "is found neither beside the file nor in src/"
        if here == "src" and room in CORE and name not in FREESTANDING:
            if not (room == "base" and name in VECTOR):
                return "is no header of the freestanding core"
        return None
    there = target.parts
    if there[0] == "include":
        return None
    if here == "include":
        return "public headers include nothing of src/"
    if here == "src":
        if there[0] != "src":
            return "src/ includes nothing outside itself but <sanwo/...>"
        if there[1] == room or there[1] in MAY_INCLUDE.get(room, set()):
            return None
        if "/".join(there[1:]) in ALSO.get(room, set()):
            return None
        return f"src/{room} may not know src/{there[1]}"
    if here == "tests" and room in ("unit", "model", "fuzz", "attacks"):
        return None
    if here == "tests" and there[0] == "src" and room == there[1] and room in TEST_SEES_ROOM:
        return None
    if (here, room) == ("tests", "drill") and there[:2] == ("tools", "drill"):
        return None
    if there[0] == "sim" and sees_sim(path):
        return None
    if there[0] != here:
        return f"{here}/ may include <sanwo/...> only"
    return None


def conditionals(path, lines):
    """Line numbers of conditional compilation other than the include guard."""
    found = [(n, m) for n, m in ((n, CONDITIONAL.match(t)) for n, t in lines) if m]
    if found and path.suffix == ".h" and found[0][1].group(1) == "ifndef":
        guard = found[0][1].group(2).split()[0]
        if any(re.match(rf"\s*#\s*define\s+{guard}\s*$", text) for _, text in lines):
            found = found[1:]
    return [n for n, _ in found]


def main():
    wrong, count = [], 0
    for file in files():
        path = file.relative_to(ROOT)
        lines = list(enumerate(file.read_text(errors="replace").splitlines(), 1))
        count += 1
        for number, text in lines:
            match = INCLUDE.match(text)
            if not match:
                continue
            quote, name = match.groups()
            problem = judge(path, quote, name, resolve(file, quote, name))
            if problem:
                wrong.append(f'{path}:{number}: "{name}": {problem}')
        if path.parts[0] == "src" and path.parts[1] != "base":
            wrong += [f"{path}:{n}: conditional compilation outside src/base"
                      for n in conditionals(path, lines)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"layers: {count} files, {len(wrong)} wrong")
    return 1 if wrong else 0


sys.exit(main())
