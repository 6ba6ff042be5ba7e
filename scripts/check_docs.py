#!/usr/bin/env python3
"""check_docs.py - Every relative link and picture in a Markdown file leads to something."""
import pathlib
import re
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|(?:src|href)=\"([^\"]+)\"")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)


def main():
    wrong, count = [], 0
    skipped = {"build", ".git", "node_modules"}
    for file in sorted(ROOT.rglob("*.md")):
        path = file.relative_to(ROOT)
        if skipped & set(path.parts):
            continue
        text = FENCE.sub(lambda m: "\n" * m.group(0).count("\n"), file.read_text(errors="replace"))
        for number, line in enumerate(text.splitlines(), 1):
            for match in LINK.finditer(re.sub(r"`[^`]*`", "", line)):
                target = urllib.parse.unquote((match.group(1) or match.group(2)).split("#")[0])
                if not target or re.match(r"[a-z][a-z0-9+.-]*:", target):
                    continue
                count += 1
                start = ROOT if target.startswith("/") else file.parent
                if not (start / target.lstrip("/")).exists():
                    wrong.append(f"{path}:{number}: there is no {target}")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"docs: {count} links, {len(wrong)} wrong")
    return 1 if wrong else 0


sys.exit(main())
