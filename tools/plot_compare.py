#!/usr/bin/env python3
# Draws the README's picture from the table of `weir compare`. SPDX-License-Identifier: Apache-2.0
"""usage: plot_compare.py TABLE.csv TITLE > docs/compare.svg

TABLE.csv is what `weir compare jena --csv` prints. One row of bars per model: seconds per epoch, and
validation MAE against the naive baseline; means where there are several seeds.
"""
import csv
import sys
from xml.sax.saxutils import escape

MODEL, SECONDS, MAE = "model", "train_seconds", "val_mae"
BASELINE, FEATURED = "jena-naive", "jena-conv-gru"
ROW, BAR, TOP, NAMES, PANEL, GAP = 34, 18, 76, 130, 260, 70  # pixels
PLAIN, STRONG, INK, FAINT = "#9db4c8", "#2563a6", "#24292f", "#6e7781"


def text(x, y, words, size=13, anchor="start", colour=INK, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{colour}" font-weight="{weight}">{escape(words)}</text>')


def panel(rows, column, left, title, form, naive=None):
    """A title, and a bar with its value for each row. A dashed line marks the naive model's value."""
    scale = (PANEL - 50) / max(row[column] for row in rows)
    yield text(left, TOP - 14, title, colour=FAINT)
    for i, row in enumerate(rows):
        colour = STRONG if row[MODEL] == FEATURED else PLAIN
        yield (f'<rect x="{left}" y="{TOP + i * ROW}" width="{row[column] * scale:.1f}" height="{BAR}" '
               f'rx="2" fill="{colour}"/>')
    if naive is not None:
        x = left + naive * scale
        yield (f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{TOP + len(rows) * ROW - 8}" '
               f'stroke="{INK}" stroke-dasharray="4 3"/>')
    for i, row in enumerate(rows):
        end = left + max(row[column], naive or 0) * scale
        yield text(end + 7, TOP + i * ROW + 14, form.format(row[column]))


def draw(rows, title):
    trained = [row for row in rows if row[MODEL] != BASELINE]
    width, height = NAMES + 2 * PANEL + GAP, TOP + len(trained) * ROW + 8
    right = NAMES + PANEL + GAP
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
           'font-family="system-ui, sans-serif">')
    yield f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    yield text(16, 28, title, size=15, weight="bold")
    for i, row in enumerate(trained):
        weight = "bold" if row[MODEL] == FEATURED else "normal"
        yield text(NAMES - 12, TOP + i * ROW + 14, row[MODEL], anchor="end", weight=weight)
    yield from panel(trained, SECONDS, NAMES, "training, seconds per epoch", "{:.2f}")
    naive = [row[MAE] for row in rows if row[MODEL] == BASELINE] or [None]
    yield from panel(trained, MAE, right, "validation MAE (dashed: naive)", "{:.3f}", naive[0])
    yield "</svg>"


def means(rows):
    """One row per model, in the order of the table."""
    models = {}
    for row in rows:
        models.setdefault(row[MODEL], []).append(row)
    for model, seeds in models.items():
        mean = {c: sum(float(row[c]) for row in seeds) / len(seeds) for c in (SECONDS, MAE)}
        yield {MODEL: model, **mean}


def main(path, title):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lacking = {MODEL, SECONDS, MAE} - set(rows[0] if rows else [])
    if lacking:
        sys.exit(f"plot_compare: {path} lacks {', '.join(sorted(lacking))}")
    print("\n".join(draw(list(means(rows)), title)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
