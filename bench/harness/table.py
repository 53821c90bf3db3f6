"""table: rows of figures, as text and as Markdown."""


class Row:
    """One figure. `ratio` is ours against `against`; `goal` is ">= 3", "<= 0.4" or None, and is about the ratio when there
    is one, else about the value."""

    def __init__(self, case, what, value, unit, against=None, against_value=None, goal=None, note=""):
        self.case, self.what, self.value, self.unit = case, what, value, unit
        self.against, self.against_value, self.goal, self.note = against, against_value, goal, note

    @property
    def ratio(self):
        return self.value / self.against_value if self.against_value else None

    @property
    def met(self):
        """None where there is no goal."""
        if self.goal is None:
            return None
        sign, bound = self.goal.split()
        value = self.ratio if self.against else self.value
        return value >= float(bound) if sign == ">=" else value <= float(bound)

    def as_dict(self):
        return {**vars(self), "ratio": self.ratio, "met": self.met}


HEADER = ["case", "what", "figure", "against", "", "ratio", "goal", "met", "note"]


def _cells(row):
    against = "" if row.against is None else f"{number(row.against_value)} {row.unit}"
    return [row.case, row.what, f"{number(row.value)} {row.unit}".strip(), row.against or "", against,
            "" if row.ratio is None else f"{row.ratio:.2f}", row.goal or "", {None: "", True: "yes", False: "NO"}[row.met], row.note]


def number(value):
    """Three digits that say something."""
    if value is None:
        return ""
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def text(rows):
    lines = [HEADER, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def markdown(rows):
    lines = ["| " + " | ".join(cells) + " |" for cells in (HEADER, *map(_cells, rows))]
    return "\n".join([lines[0], "|" + "---|" * len(HEADER), *lines[1:]])
