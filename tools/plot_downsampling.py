#!/usr/bin/env python3
# Draws the curve of `weir compare downsampling`. SPDX-License-Identifier: Apache-2.0
"""usage: plot_downsampling.py TABLE.csv TITLE > docs/downsampling.svg

TABLE.csv is what `weir compare downsampling TASK --csv` prints. Three curves over the length of the
sequences for each model: the time of a training step and the memory of the training, both axes
logarithmic, and how well the trained models do.
"""
import csv
import math
import sys
from xml.sax.saxutils import escape

MODEL, STEPS, MS, MIB = "model", "steps", "step_ms", "peak_mib"
ERROR, ACCURACY = "val_loss", "val_accuracy"
LEFT, TOP, PANEL, HEIGHT, GAP = 58, 84, 220, 200, 66  # pixels
COLOURS, INK, FAINT = ("#9db4c8", "#2563a6"), "#24292f", "#6e7781"


def text(x, y, words, size=12, anchor="start", colour=INK, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{colour}" font-weight="{weight}">{escape(words)}</text>')


def number(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def axis(values, logarithmic):
    """From a value to 0 .. 1, and the values to mark."""
    low, high = min(values), max(values)
    if logarithmic:
        bottom, top = math.floor(math.log10(low)), math.ceil(math.log10(high * 1.001))
        marks = [10.0 ** k for k in range(bottom, top + 1)]
        return lambda v: (math.log10(v) - bottom) / (top - bottom), marks
    margin = (high - low) / 8 or 0.1 * abs(high) or 1
    low, high = low - margin, high + margin
    return lambda v: (v - low) / (high - low), [low + k * (high - low) / 4 for k in range(5)]


def panel(models, column, left, title, logarithmic):
    lengths = sorted({row[STEPS] for rows in models.values() for row in rows})
    values = [row[column] for rows in models.values() for row in rows]
    place, marks = axis(values, logarithmic)
    first, span = math.log2(lengths[0]), math.log2(lengths[-1] / lengths[0]) or 1
    yield text(left, TOP - 14, title, colour=FAINT)
    for mark in marks:
        y = TOP + HEIGHT * (1 - place(mark))
        yield f'<line x1="{left}" y1="{y:.1f}" x2="{left + PANEL}" y2="{y:.1f}" stroke="#e3e7eb"/>'
        label = number(mark) if logarithmic else f"{mark:.3f}"
        yield text(left - 6, y + 4, label, size=10, anchor="end", colour=FAINT)
    for length in lengths:
        x = left + PANEL * (math.log2(length) - first) / span
        yield text(x, TOP + HEIGHT + 16, f"{length:,.0f}", size=10, anchor="middle", colour=FAINT)
    for rows, colour in zip(models.values(), COLOURS):
        points = [(left + PANEL * (math.log2(row[STEPS]) - first) / span,
                   TOP + HEIGHT * (1 - place(row[column]))) for row in rows]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)


def draw(models, figure, title):
    width, height = LEFT + 3 * PANEL + 2 * GAP + 24, TOP + HEIGHT + 44
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
           'font-family="system-ui, sans-serif">')
    yield f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    yield text(16, 26, title, size=15, weight="bold")
    for i, (model, colour) in enumerate(zip(models, COLOURS)):
        yield f'<rect x="{16 + i * 150}" y="38" width="12" height="12" rx="2" fill="{colour}"/>'
        yield text(34 + i * 150, 48, model)
    name = "validation accuracy" if figure == ACCURACY else "validation MAE"
    for i, (column, words) in enumerate(((MS, "ms per training step"), (MIB, "memory, MiB"),
                                         (figure, name))):
        yield from panel(models, column, LEFT + i * (PANEL + GAP), words, column != figure)
    yield text(LEFT + PANEL * 1.5 + GAP, height - 8, "steps of a sequence", anchor="middle",
               colour=FAINT)
    yield "</svg>"


def main(path, title):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lacking = {MODEL, STEPS, MS, MIB, ERROR} - set(rows[0] if rows else [])
    if lacking:
        sys.exit(f"plot_downsampling: {path} lacks {', '.join(sorted(lacking))}")
    figure = ACCURACY if ACCURACY in rows[0] else ERROR
    models = {}
    for row in rows:
        values = {column: float(row[column]) for column in (STEPS, MS, MIB, figure)}
        values[MIB] = max(values[MIB], 1)  # 0: the system didn't say
        models.setdefault(row[MODEL], []).append(values)
    print("\n".join(draw(models, figure, title)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
