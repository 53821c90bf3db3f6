"""docs: the figures of docs/benchmarks.md, between its two marks, and the plot; what stands around them is written by people.

The results lie in docs/benchmarks.json. A run of some cases replaces these and leaves the others, so a long measurement can be
made in parts: `measured` of a row says when and of what, `machine` is the last part's."""

import json

import plot
import table

BEGIN, END = "<!-- figures: bench/run --docs writes what is between these marks -->", "<!-- end of figures -->"


def merge(old, new):
    """new's rows and details instead of old's of the same cases, in old's order; what is new comes last."""
    merged = {}
    for result in (old, new):
        for row in result["rows"]:
            row.setdefault("measured", _measured(result["machine"]))
    for key in ("rows", "details"):
        identity = _row_case if key == "rows" else _detail_case
        replaced = {identity(entry) for entry in new[key]}
        places = list(dict.fromkeys([*map(identity, old[key]), *map(identity, new[key])]))
        entries = [entry for entry in old[key] if identity(entry) not in replaced] + new[key]
        merged[key] = sorted(entries, key=lambda entry: places.index(identity(entry)))
    merged["machine"] = new["machine"]
    return merged


def _measured(machine):
    return f"on {machine['date']}, followupd {machine['version']}"


def _row_case(row):
    return row["case"]


def _detail_case(detail):
    return [detail["name"], detail.get("n"), detail.get("rate_asked")].__repr__()


def write(folder, result):
    """Adds result to benchmarks.json of the folder, and writes the page's figures and the plot from it."""
    store, page = folder / "benchmarks.json", folder / "benchmarks.md"
    old = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {"rows": [], "details": [], "machine": result["machine"]}
    result = merge(old, result)
    text = page.read_text(encoding="utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise RuntimeError(f"{page} lacks the marks between which the figures go")
    store.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (folder / "benchmarks.svg").write_text(plot.draw(result), encoding="utf-8")
    page.write_text(f"{head}{BEGIN}\n\n{_figures(result)}\n\n{END}{tail}", encoding="utf-8")


def _figures(result):
    m = result["machine"]
    parts = {}
    for row in result["rows"]:
        parts.setdefault(row["measured"], {})[row["case"]] = None
    measured = "".join(f"- {when}: {', '.join(cases)}\n" for when, cases in parts.items())
    return (f"{m['cpu']}, {m['memory_gib']} GiB, {m['system']}, Linux {m['kernel']}, {m['postgresql']}, {m['compiler']}; "
            f"one fdatasync of 8 KiB takes {m['fsync_ms']:g} ms. Measured\n\n{measured}\n"
            "![throughput and lateness](benchmarks.svg)\n\n" + table.markdown([table.Row(**_fields(row)) for row in result["rows"]]))


def _fields(row):
    return {key: value for key, value in row.items() if key not in ("ratio", "met", "measured")}
