#!/usr/bin/env bash
#
# command.sh - `sanwo drill` as a command: verdicts, messages, exit statuses, formats, and workers
# that die or hang.
set -u
export LC_ALL=C
: "${SANWO:?set it to the sanwo command to test}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cases=0 failures=0
work=$(mktemp -d "${TMPDIR:-/tmp}/sanwo-drill.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cp -r "$here/pkt" "$work/pkt" || exit 1
cd "$work" || exit 1

check() { # NAME COMMAND...
    local name=$1 output
    shift
    cases=$((cases + 1))
    if output=$("$@" 2>&1); then
        echo "ok $cases - $name"
    else
        failures=$((failures + 1))
        echo "not ok $cases - $name"
        head -n 20 <<<"$output" | sed 's/^/#   /'
        sed 's/^/#   | /' "$work/out" | head -n 40
    fi
}

skip() { # NAME REASON
    cases=$((cases + 1))
    echo "ok $cases - $1 # skip $2"
}

drill() { # STATUS ARGUMENTS...: output in $work/out
    local expected=$1 status
    shift
    "$SANWO" drill "$@" >"$work/out" 2>"$work/err"
    status=$?
    [ "$status" -eq "$expected" ] || {
        echo "exit status $status, must be $expected"
        cat "$work/err"
        return 1
    }
}

says() { # LINE: the whole line is there
    grep -qxF -- "$1" "$work/out"
}

says_part() {
    grep -qF -- "$1" "$work/out"
}

have_python=no
python3 -c 'import json' 2>/dev/null && have_python=yes

check "good scripts pass" drill 0 pkt/passive.pkt pkt/active6.pkt pkt/shell.pkt
check "... and are counted" says "3 passed, 0 failed, 0 skipped"

check "a wrong acknowledgement fails" drill 1 pkt/wrong_ack.pkt
check "... by path, line and what differs" says "FAILED pkt/wrong_ack.pkt:6: ack is 1, must be 2"
check "... with what is expected" says_part "S. 0:0(0) ack 2 <...>"
check "... and what was seen" says_part "S. 0:0(0) ack 1 win 65535 <mss 1460>"
check "... and the state" says_part "SYN-RECEIVED (SYN received)"

check "a wrong time fails" drill 1 pkt/wrong_time.pkt
check "... by both times" says_part "pkt/wrong_time.pkt:6: sent at 1.0000"

check "an unknown command skips" drill 0 pkt/unknown_command.pkt
check "... with the reason" says \
    '    1 x the command `frobnicate --all` (pkt/unknown_command.pkt)'
check "... and is counted" says "0 passed, 0 failed, 1 skipped"

check "a folder, with failures in it" drill 1 pkt
if [ $have_python = yes ]; then
    check "... all are counted" says "4 passed, 3 failed, 1 skipped"
    check "code says what is wrong" says_part \
        "pkt/code_wrong.pkt:6: code: AssertionError: assert tcpi_snd_mss == 1460 (tcpi_snd_mss is 1000)"
else
    check "without Python code is skipped" says "3 passed, 2 failed, 3 skipped"
fi
check "one process gives the same" drill 1 --jobs 0 pkt
cp out one
check "many processes give the same" drill 1 --jobs 5 pkt
check "... to the byte" cmp one out
check "reading only" drill 0 --dry_run pkt
check "a list" drill 0 --list pkt
check "... is sorted" sort -c out
check "packets that nobody asked for, with --strict" drill 1 --strict pkt/passive.pkt pkt/wrong_time.pkt

check "--json" drill 1 --json pkt
if [ $have_python = yes ]; then
    check "... is JSON" python3 -c "
import json
report = json.load(open('out'))
assert report['failed'] == 3 and len(report['scripts']) == 8
by = {s['path']: s for s in report['scripts']}
assert by['pkt/wrong_ack.pkt']['message'] == 'ack is 1, must be 2'
assert by['pkt/wrong_ack.pkt']['line'] == 6"
else
    skip "... is JSON" "python3 is not installed"
fi
check "--junit" drill 1 --junit results.xml pkt
if [ $have_python = yes ]; then
    check "... is XML" python3 -c "
import xml.etree.ElementTree as tree
suite = tree.parse('results.xml').getroot()
assert suite.get('failures') == '3' and len(suite) == 8
assert suite.find(\"testcase[@name='wrong_ack.pkt']/failure\").get('message') == 'line 6: ack is 1, must be 2'"
else
    skip "... is XML" "python3 is not installed"
fi
check "--pcap" drill 0 --pcap captures pkt/passive.pkt
check "... writes a capture" test -s captures/pkt_passive.pkt.pcapng
check "-v tells everything" drill 0 -v pkt/passive.pkt
check "... the segments" says_part "out  S. 0:0(0) ack 1 win 65535 <mss 1460,nop,wscale 10>"
check "... and the calls" says_part "call   write() = 1500"

printf '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n#ifdef WRONG\n+0 close(9) = 0\n#endif\n' \
    >define.pkt
check "a name that is not defined" drill 0 define.pkt
check "-D defines it" drill 1 -D WRONG=1 define.pkt
check "options of packetdrill prevail" drill 1 --mtu=1000 pkt/passive.pkt
check "... in the segment" says_part "mss 960"
check "another profile" drill 1 --profile linux pkt/passive.pkt
check "... has another window scale" says_part "wscale 7"
check "the profile by the spelling" drill 0 --profile auto pkt/unknown_command.pkt

if [ $have_python = yes ]; then
    connected=$(sed -n '2,5p' pkt/code_wrong.pkt)
    mkdir -p deaths hangs
    printf '%s\n+0 %%{ import os; os.kill(os.getppid(), 6) }%%\n' "$connected" >deaths/killed.pkt
    printf '%s\n+0 %%{ while True: pass }%%\n' "$connected" >hangs/hanging.pkt
    for name in a b y z; do
        cp pkt/passive.pkt deaths/$name.pkt
        cp pkt/passive.pkt hangs/$name.pkt
    done
    check "a worker that dies" drill 1 --jobs 1 deaths
    check "... takes nothing down with it" says "4 passed, 1 failed, 0 skipped"
    check "... and is told" says_part "deaths/killed.pkt: the stack crashed: signal 6"
    check "a worker that hangs" drill 1 --timeout 3 --jobs 1 hangs
    check "... takes nothing down with it" says "4 passed, 1 failed, 0 skipped"
    check "... and is told" says_part "hangs/hanging.pkt: it was not done after 3 s"
else
    skip "workers that die or hang" "python3 is not installed"
fi

check "no script is a mistake" drill 2
check "no such file" drill 2 no/such.pkt
check "no such profile" drill 2 --profile plan9 pkt
check "--help" drill 0 --help
check "... has an example" says_part "sanwo drill tests/script"
echo "1..$cases"
[ "$failures" -eq 0 ]
