#!/usr/bin/env python3
"""plot_sender - The figures of docs/sender.md: windows of named cases over time.

    bench/plot_sender.py build/sanwo docs/images

Each case is one call of `sanwo bench goodput` in virtual time: the same command draws the same
picture, no root needed. The drawing is bench/plot.py's.
"""
import csv
import pathlib
import subprocess
import sys
import tempfile

from plot import Page, draw_window, thin

PATH = "rate=100 rtt=20 queue=1 warm=0 measure=12"
SLOW = "rate=10 rtt=100 queue=1 loss=1 warm=0 measure=30"
PANEL = 190

# A figure: its title, and its panels, each with what the path is.
FIGURES = {
    "sender-cubic": ("CUBIC alone on 100 Mbit/s, 20 ms, queue of one BDP", (
        ("no loss", PATH),
        ("1 % of packets lost by chance", PATH + " loss=1"),
        ("10 % of packets held back by 2.5 ms", PATH + " reorder=10"))),
    "sender-bbr": ("10 Mbit/s, 100 ms, 1 % of packets lost by chance", (
        ("CUBIC", SLOW), ("BBR", SLOW + " cc=bbr"))),
}
SHARED = "rate=100 rtt=20 queue=1 flows=2 warm=0 measure=20"


def run(sanwo, text):
    """The samples of a case, by flow: columns by name."""
    with tempfile.NamedTemporaryFile(suffix=".tsv") as file:
        subprocess.run([sanwo, "bench", "goodput", "--samples", file.name, "ends=ours",
                        *text.split(), "short=0", "long=0"],
                       stdout=subprocess.DEVNULL, check=True)
        with open(file.name, newline="", encoding="ascii") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t"))
    return [{key: [float(row[key]) for row in rows if row["flow"] == flow] for key in rows[0]}
            for flow in sorted({row["flow"] for row in rows})]


def legend(page, entries):
    x = page.width - 20
    for kind, words in reversed(entries):
        x -= 7 * len(words) + 14
        page.text(x, 24, words, kind)


def most_of(samples, keys, seconds):
    """The overshoot of slow start would flatten all that follows."""
    return 1.15 * max(v for key in keys
                      for t, v in zip(samples["seconds"], samples[key]) if t > seconds / 10)


def draw_alone(sanwo, name, folder):
    title, panels = FIGURES[name]
    page = Page(760, 40 + PANEL * len(panels), title)
    for i, (words, text) in enumerate(panels):
        samples = run(sanwo, text)[0]
        seconds = samples["seconds"][-1]
        most = most_of(samples, ("in_flight", "cwnd"), seconds)
        draw_window(page, samples, (70, 60 + PANEL * i, 660, 130), words, most, seconds)
    legend(page, (("ka", "cwnd"), ("kd", "in flight"), ("kb", "queue"), ("faint", "KB")))
    page.write(folder / f"{name}.svg")


def draw_shared(sanwo, folder):
    flows = run(sanwo, SHARED)
    page = Page(760, 40 + PANEL, "Two CUBIC flows on 100 Mbit/s, 20 ms, queue of one BDP")
    seconds = flows[0]["seconds"][-1]
    most = max(most_of(flow, ("cwnd",), seconds) for flow in flows)
    x0, y0, width, height = 70, 60, 660, 130
    nothing = {"seconds": [], "queue": [], "in_flight": [], "cwnd": []}
    draw_window(page, nothing, (x0, y0, width, height), "cwnd", most, seconds)
    for flow, kind in zip(flows, ("line a", "line b")):
        page.line(thin([(x0 + width * t / seconds, y0 + height * (1 - min(v / most, 1)))
                        for t, v in zip(flow["seconds"], flow["cwnd"])]), kind)
    legend(page, (("ka", "first"), ("kb", "second"), ("faint", "KB")))
    page.write(folder / "sender-share.svg")


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: bench/plot_sender.py SANWO FOLDER")
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name in FIGURES:
        draw_alone(sys.argv[1], name, folder)
    draw_shared(sys.argv[1], folder)


if __name__ == "__main__":
    main()
