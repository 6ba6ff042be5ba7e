#!/usr/bin/env bash
#
# check_headers.sh - Each public header compiles alone and twice, as C17 and as C++17, pedantically.
set -u
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C
wrong=0
count=0
warnings="-Wall -Wextra -Wpedantic -Wundef -Werror"

for header in include/sanwo/*.h; do
    [ -f "$header" ] || continue
    name=sanwo/$(basename "$header")
    text=$(printf '#include <%s>\n#include <%s>\nint main(void) { return 0; }\n' "$name" "$name")
    count=$((count + 1))
    # shellcheck disable=SC2086
    "${CC:-cc}" -std=c17 $warnings -Wshadow -Wstrict-prototypes -Iinclude -fsyntax-only -x c - <<<"$text" ||
        { echo "headers: <$name> alone is no C17"; wrong=1; }
    if command -v "${CXX:-g++}" >/dev/null; then
        # shellcheck disable=SC2086
        "${CXX:-g++}" -std=c++17 $warnings -Iinclude -fsyntax-only -x c++ - <<<"$text" ||
            { echo "headers: <$name> alone is no C++17"; wrong=1; }
    fi
done
command -v "${CXX:-g++}" >/dev/null || echo "headers: no C++ compiler: only C was tried"
echo "headers: $count public headers"
exit $wrong
