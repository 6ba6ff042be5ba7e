#!/usr/bin/env python3
"""plot - The figures of bench/goodput as SVG: heat maps, ours beside Linux, windows over time.

    bench/goodput --json out.json --svg docs/images       draws them while measuring
    bench/plot.py out.json docs/images                    draws them again from the figures

Only the standard library. The pictures follow the reader's light or dark scheme; the squares of a heat
map carry their own colours and numbers.
"""
import csv
import json
import math
import pathlib
import subprocess
import sys
import tempfile

STYLE = """
text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;
font-size:11px;fill:#1f2328}
.page{fill:#ffffff;stroke:#d1d9e0}.title{font-weight:700;font-size:14px}.faint{fill:#59636e}
.middle{text-anchor:middle}.end{text-anchor:end}.rule{stroke:#d1d9e0;fill:none}
.one{stroke:#59636e;stroke-dasharray:3 3;fill:none}
.a{stroke:#0969da}.b{stroke:#bc4c00}.c{stroke:#8250df}.d{stroke:#1a7f37}
.line{fill:none;stroke-width:1.3;stroke-linejoin:round}
.dot{stroke:none;fill:#0969da}.dot.low{fill:#cf222e}.dot.high{fill:#1a7f37}.dot.hollow{opacity:.35}
.ka{fill:#0969da}.kb{fill:#bc4c00}.kc{fill:#8250df}.kd{fill:#1a7f37}
@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.page{fill:#0d1117;stroke:#3d444d}
.faint{fill:#9198a1}.rule{stroke:#3d444d}.one{stroke:#9198a1}
.a{stroke:#4493f8}.b{stroke:#f0883e}.c{stroke:#ab7df8}.d{stroke:#3fb950}
.dot{fill:#4493f8}.dot.low{fill:#f85149}.dot.high{fill:#3fb950}
.ka{fill:#4493f8}.kb{fill:#f0883e}.kc{fill:#ab7df8}.kd{fill:#3fb950}}
"""

# Named cases of which the windows are drawn over time.
CASES = (
    ("clean", "100 Mbit/s, 20 ms, no loss", "rate=100 rtt=20 queue=1 warm=0 measure=12"),
    ("long", "100 Mbit/s, 100 ms, no loss", "rate=100 rtt=100 queue=1 warm=0 measure=30"),
    ("loss", "100 Mbit/s, 20 ms, 0.1 % loss", "rate=100 rtt=20 loss=0.1 queue=1 warm=0 measure=12"),
    ("late", "100 Mbit/s, 20 ms, 10 % held back",
     "rate=100 rtt=20 reorder=10 queue=1 warm=0 measure=12"),
    ("shallow", "100 Mbit/s, 20 ms, queue of 0.1 BDP",
     "rate=100 rtt=20 queue=0.1 warm=0 measure=12"),
)
MOST_POINTS = 350


class Page:
    def __init__(self, width, height, title):
        self.width, self.height, self.title, self.parts = width, height, title, []
        self.text(16, 24, title, "title")

    def add(self, part):
        self.parts.append(part)

    def text(self, x, y, words, kind=""):
        kind = f' class="{kind}"' if kind else ""
        words = str(words).replace("&", "&amp;").replace("<", "&lt;")
        self.add(f'<text x="{x:g}" y="{y:g}"{kind}>{words}</text>')

    def line(self, points, kind):
        self.add(f'<polyline class="{kind}" points="'
                 + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>')

    def write(self, path):
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" '
                f'height="{self.height}" viewBox="0 0 {self.width} {self.height}" role="img">'
                f"<title>{self.title}</title><style>{STYLE}</style>"
                f'<rect class="page" x=".5" y=".5" width="{self.width - 1}" '
                f'height="{self.height - 1}" rx="6"/>')
        path.write_text(head + "\n" + "\n".join(self.parts) + "\n</svg>\n")


# ---- heat maps -----------------------------------------------------------------------------------

STOPS = ((0.0, (165, 30, 44)), (0.25, (222, 100, 60)), (0.5, (240, 190, 90)),
         (0.8, (170, 205, 110)), (1.0, (45, 135, 75)))


def colour(value):
    """A fill of 0 to 1 from red over yellow to green, and whether dark ink reads well on it."""
    value = min(max(value, 0), 1)
    for (low, a), (high, b) in zip(STOPS, STOPS[1:]):
        if value <= high:
            part = (value - low) / (high - low)
            mix = [round(x + (y - x) * part) for x, y in zip(a, b)]
            break
    dark = 0.299 * mix[0] + 0.587 * mix[1] + 0.114 * mix[2] > 130
    return "#{:02x}{:02x}{:02x}".format(*mix), "#1f2328" if dark else "#ffffff"


def loss_name(loss, burst):
    return f"{loss:g} %" + (" in bursts" if burst else "")


def heat_map(results, title, path, value):
    """Columns: loss, and round trip within; rows: rate, and queue within."""
    losses = sorted({(r["burst"] > 0, r["loss"], r["burst"]) for r in results})
    losses = [(loss, burst) for _, loss, burst in losses]
    rtts, rates, queues = (sorted({r[key] for r in results}) for key in ("rtt", "rate", "queue"))
    box, gap, left, top = 26, 8, 132, 76
    width = left + len(losses) * (len(rtts) * box + gap) + 16
    height = top + len(rates) * (len(queues) * 20 + gap) + 30
    page = Page(width, height, title)
    groups = {}
    for i, (loss, burst) in enumerate(losses):
        x = left + i * (len(rtts) * box + gap)
        page.text(x + len(rtts) * box / 2, 48, loss_name(loss, burst), "middle")
        for k, rtt in enumerate(rtts):
            page.text(x + k * box + box / 2, 66, rtt, "middle faint")
    page.text(left - 8, 48, "loss", "end faint")
    page.text(left - 8, 66, "ms", "end faint")
    for i, rate in enumerate(rates):
        y = top + i * (len(queues) * 20 + gap)
        page.text(12, y + 34, f"{rate} Mbit/s")
        for k, queue in enumerate(queues):
            page.text(left - 8, y + k * 20 + 14, f"{queue:g} BDP", "end faint")
    for r in results:
        column = losses.index((r["loss"], r["burst"])), rtts.index(r["rtt"])
        row = rates.index(r["rate"]), queues.index(r["queue"])
        x = left + column[0] * (len(rtts) * box + gap) + column[1] * box
        y = top + row[0] * (len(queues) * 20 + gap) + row[1] * 20
        fill, ink = colour(value(r))
        groups.setdefault((fill, ink), []).append((x, y, round(100 * value(r))))
    for (fill, ink), boxes in groups.items():
        squares = "".join(f"M{x} {y}h{box - 1}v19h-{box - 1}z" for x, y, _ in boxes)
        page.add(f'<path fill="{fill}" d="{squares}"/>')
        for x, y, words in boxes:
            page.add(f'<text x="{x + 12}" y="{y + 14}" class="middle" '
                     f'style="fill:{ink}">{words}</text>')
    page.text(16, height - 12, "per cent of what full segments of payload could fill", "faint")
    page.write(path)


# ---- beside Linux ---------------------------------------------------------------------------------


def beside_linux(results, path):
    rows = [r for r in results if r.get("relative", {}).get("ours-linux", {}).get("goodput")]
    low, high = 0.5, 4.0
    left, right, top = 330, 640, 64

    def place(ratio):
        ratio = min(max(ratio, low), high)
        return left + (right - left) * math.log(ratio / low) / math.log(high / low)

    page = Page(right + 90, top + 16 * len(rows) + 30,
                "Goodput of our sender relative to Linux's, on the same path")
    for tick in (0.5, 0.7, 0.95, 1.4, 2, 4):
        x = place(tick)
        page.text(x, 48, f"{tick:g}", "middle faint")
        kind = "one" if tick == 0.95 else "rule"
        page.add(f'<path class="{kind}" d="M{x:.1f} 54V{top + 16 * len(rows)}"/>')
    for i, r in enumerate(rows):
        ratio, y = r["relative"]["ours-linux"]["goodput"], top + 16 * i
        late = f", {r['reorder']} % late" if r["reorder"] else ""
        flows = f", {r['flows']} flows" if r["flows"] > 1 else ""
        loss = ", " + loss_name(r["loss"], r["burst"]) + " lost" if r["loss"] else ""
        queue = f", {r['queue']:g} BDP" if r["queue"] != 1 else ""
        page.text(16, y + 11, f"{r['rate']} Mbit/s, {r['rtt']} ms{loss}{late}{queue}{flows}")
        kind = " low" if ratio < 0.95 else " high" if ratio > 1.05 else ""
        kind += " hollow" if r["machine"] else ""
        page.add(f'<circle class="dot{kind}" cx="{place(ratio):.1f}" cy="{y + 7}" r="4.5"/>')
        page.text(right + 16, y + 11, f"{ratio:.2f}", "faint")
    page.text(16, top + 16 * len(rows) + 18,
              "medians of the rounds; pale: this machine was the limit", "faint")
    page.write(path)


# ---- windows over time ----------------------------------------------------------------------------


def read_samples(path):
    """Columns by name, of flow 0."""
    with open(path, newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["flow"] == "0"]
    return {key: [float(row[key]) for row in rows] for key in rows[0]} if rows else None


def thin(points):
    step = max(1, len(points) // MOST_POINTS)
    return points[::step]


def draw_window(page, samples, where, name, most, seconds):
    x0, y0, width, height = where
    page.text(x0, y0 - 8, name)
    page.add(f'<path class="rule" d="M{x0} {y0}V{y0 + height}H{x0 + width}"/>')
    for share in (0, 0.5, 1):
        y = y0 + height * (1 - share)
        page.text(x0 - 6, y + 4, f"{most * share / 1e3:.0f}", "end faint")
    for second in range(0, int(seconds) + 1, max(1, int(seconds) // 6)):
        page.text(x0 + width * second / seconds, y0 + height + 15, f"{second} s", "middle faint")
    for key, kind in (("queue", "line b"), ("in_flight", "line d"), ("cwnd", "line a")):
        points = [(x0 + width * t / seconds, y0 + height * (1 - min(v / most, 1)))
                  for t, v in zip(samples["seconds"], samples[key]) if t <= seconds]
        page.line(thin(points), kind)


def draw_case(found, title, path):
    """One panel for each kind of sender."""
    seconds = max(s["seconds"][-1] for s in found.values())
    # The overshoot of slow start would flatten all that follows.
    most = 1.15 * max(max(v for t, v in zip(s["seconds"], s["in_flight"]) if t > seconds / 10)
                      for s in found.values())
    page = Page(760, 60 + 190 * len(found), title)
    for i, (name, samples) in enumerate(found.items()):
        draw_window(page, samples, (70, 60 + 190 * i, 660, 130), name, most, seconds)
    for x, kind, words in ((420, "ka", "cwnd"), (470, "kd", "in flight"), (560, "kb", "queue"),
                           (620, "faint", "kilobytes")):
        page.text(x, 24, words, kind)
    page.write(path)


def draw_cases(folder, sanwo, with_linux):
    for name, title, text in CASES:
        found = {}
        for ends, label in (("ours", "ours"), ("linux", "Linux")):
            if ends == "linux" and not with_linux:
                continue
            with tempfile.NamedTemporaryFile(suffix=".tsv") as file:
                done = subprocess.run([sanwo, "bench", "goodput", "--samples", file.name,
                                       f"ends={ends}", *text.split(), "short=0", "long=0"],
                                      stdout=subprocess.DEVNULL, check=False)
                samples = read_samples(file.name) if done.returncode == 0 else None
            if samples:
                found[label] = samples
        if found:
            draw_case(found, title, folder / f"goodput-time-{name}.svg")


# ---- all together ----------------------------------------------------------------------------------


def draw_figures(found, folder):
    for reorder in (0, 10):
        lone = [r for r in found["virtual"] if r["flows"] == 1 and r["reorder"] == reorder]
        if lone:
            title = "What one of our flows fills" + (", 10 % held back" if reorder else "")
            heat_map(lone, title, folder / f"goodput-map{'-late' if reorder else ''}.svg",
                     lambda r: r["fill"])
    if found["real"]:
        beside_linux(found["real"], folder / "goodput-linux.svg")


def draw_all(found, options):
    folder = pathlib.Path(options.svg)
    folder.mkdir(parents=True, exist_ok=True)
    draw_figures(found, folder)
    draw_cases(folder, options.sanwo, bool(found["real"]))


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: bench/plot.py FIGURES.json FOLDER")
    draw_figures(json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2]))


if __name__ == "__main__":
    main()
