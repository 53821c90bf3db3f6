"""plot: throughput and lateness of a result as an SVG, drawn by hand: no library, and the same bytes for the same figures."""

from table import number

WIDTH, HEIGHT = 860, 330
COLOURS = {"followupd": "#2a6fbb", "graphile-worker": "#c8702a", "libcurl": "#8a8a8a"}
STYLE = ("text{font:12px sans-serif;fill:#555}.title{font-size:14px;font-weight:bold}.axis{stroke:#999;stroke-width:1}"
         ".grid{stroke:#9995;stroke-width:1}")


def draw(result):
    """result: what bench/run --json wrote. Panels whose case was not measured stay out."""
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">', f"<style>{STYLE}</style>"]
    parts += _bars(_throughput(result["details"]), 10)
    parts += _points(_lateness(result["details"]), 450)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _colour(name):
    return COLOURS[next(key for key in COLOURS if name.startswith(key))]


def _throughput(details):
    """[(label, per second)], fastest sort of thing first."""
    bars = [(f"{d['name']}", d["rate"]) for d in details if d["name"] == "libcurl alone"]
    bars += [(f"{d['name']}, {d['n'] // 1000}k", d["jobs_per_s"]) for d in details if "jobs_per_s" in d and d["rate_asked"] == 0]
    return bars


def _bars(bars, left):
    if not bars:
        return []
    out = [f'<text class="title" x="{left}" y="22">Due at once: messages a second, sent and recorded</text>']
    top, step, label, width = 44, 36, 165, 200
    most = max(value for _, value in bars)
    for i, (name, value) in enumerate(bars):
        y, length = top + i * step, max(1, width * value / most)
        out += [f'<text x="{left + label - 8}" y="{y + 16}" text-anchor="end">{name}</text>',
                f'<rect x="{left + label}" y="{y}" width="{length:.1f}" height="24" fill="{_colour(name)}"/>',
                f'<text x="{left + label + length + 6:.1f}" y="{y + 16}">{number(value)}</text>']
    return out


def _lateness(details):
    return [(d["name"], d["rate_asked"], d["late_ms"]) for d in details if d.get("rate_asked")]


def _points(series, left):
    """For every rate and side a line from p50 to p99 with a mark at either end, and one at the maximum; a logarithmic scale."""
    if not series:
        return []
    rates = sorted({rate for _, rate, _ in series})
    names = sorted({name for name, _, _ in series})
    top, bottom, width = 50, 270, 340
    powers = range(-1, 5)

    def y(ms):
        import math
        share = (math.log10(max(ms, 0.1)) - powers[0]) / (powers[-1] - powers[0])
        return bottom - (bottom - top) * min(1, max(0, share))

    out = [f'<text class="title" x="{left}" y="22">Spread evenly: late by milliseconds, p50 - p99 and max</text>',
           f'<line class="axis" x1="{left + 50}" y1="{top}" x2="{left + 50}" y2="{bottom}"/>']
    for power in powers:
        out += [f'<line class="grid" x1="{left + 50}" y1="{y(10.0 ** power):.1f}" x2="{left + 50 + width}" y2="{y(10.0 ** power):.1f}"/>',
                f'<text x="{left + 44}" y="{y(10.0 ** power) + 4:.1f}" text-anchor="end">{10.0 ** power:g}</text>']
    for name, rate, late in series:
        x = left + 50 + width * (rates.index(rate) + 0.5) / len(rates) + 16 * (names.index(name) - (len(names) - 1) / 2)
        colour = _colour(name)
        out += [f'<line x1="{x:.1f}" y1="{y(late["p50"]):.1f}" x2="{x:.1f}" y2="{y(late["p99"]):.1f}" stroke="{colour}" stroke-width="6"/>',
                *(f'<circle cx="{x:.1f}" cy="{y(late[q]):.1f}" r="4" fill="{colour}"/>' for q in ("p50", "p99")),
                f'<circle cx="{x:.1f}" cy="{y(late["max"]):.1f}" r="3" fill="none" stroke="{colour}"/>']
    for i, rate in enumerate(rates):
        out.append(f'<text x="{left + 50 + width * (i + 0.5) / len(rates):.1f}" y="{bottom + 20}" text-anchor="middle">{rate:,}/s</text>')
    for i, name in enumerate(names):
        out += [f'<rect x="{left + 60 + 130 * i}" y="{bottom + 34}" width="10" height="10" fill="{_colour(name)}"/>',
                f'<text x="{left + 75 + 130 * i}" y="{bottom + 43}">{name}</text>']
    return out
