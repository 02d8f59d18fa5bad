# A roofline chart as SVG. SPDX-License-Identifier: Apache-2.0
"""Log-log: FLOP per byte to the right, GFLOP/s upwards. Points carry the number of their shape."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 440, 58, 14, 14, 46
ROOF_LABEL = 130  # width
MARKERS = {
    "circle": '<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" class="{c}"/>',
    "square": '<rect x="{x0:.1f}" y="{y0:.1f}" width="8" height="8" class="{c}"/>',
    "diamond": '<path d="M{x:.1f} {y0:.1f}l5 4l-5 5l-5 -5z" class="{c}"/>',
    "triangle": '<path d="M{x:.1f} {y0:.1f}l5 9h-10z" class="{c}"/>',
}


def marker(kind, x, y, css):
    return MARKERS[kind].format(x=x, y=y, x0=x - 4, y0=y - 4, c=css)


class Axes:
    """Pixels of values, on logarithmic scales."""

    def __init__(self, xs, ys):
        self.x_from, self.x_to = math.log10(min(xs)), math.log10(max(xs))
        self.y_from, self.y_to = math.log10(min(ys)), math.log10(max(ys))
        self.x_scale = (WIDTH - LEFT - RIGHT) / (self.x_to - self.x_from)
        self.y_scale = (HEIGHT - TOP - BOTTOM) / (self.y_to - self.y_from)

    def x(self, value):
        return LEFT + (math.log10(value) - self.x_from) * self.x_scale

    def y(self, value):
        return HEIGHT - BOTTOM - (math.log10(value) - self.y_from) * self.y_scale

    def ticks(self, low, high):
        """1, 2, 5, 10, ... within the powers low and high."""
        for power in range(math.floor(low), math.ceil(high) + 1):
            for digit in (1, 2, 5):
                value = digit * 10.0 ** power
                if low - 1e-9 <= math.log10(value) <= high + 1e-9:
                    yield value, f"{value:g}"


def text(x, y, words, css="tick", anchor="middle", more=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{css}" text-anchor="{anchor}"{more}>'
            f'{escape(words)}</text>')


def frame(axes):
    bottom = HEIGHT - BOTTOM
    for value, words in axes.ticks(axes.x_from, axes.x_to):
        x = axes.x(value)
        yield f'<path class="grid" d="M{x:.1f} {TOP}V{bottom}"/>'
        yield text(x, bottom + 17, words)
    for value, words in axes.ticks(axes.y_from, axes.y_to):
        y = axes.y(value)
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        yield text(LEFT - 7, y + 4, words, anchor="end")
    yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "FLOP per byte, every tensor counted once", "axis")
    middle = (TOP + bottom) / 2
    yield text(14, middle, "GFLOP/s", "axis", more=f' transform="rotate(-90 14 {middle:.1f})"')


def roofs(axes, peak, bandwidths):
    """The FMA roof, and for each level of memory the line that leads up to it."""
    least = 10 ** axes.x_from
    for name, gigabytes in bandwidths:
        ridge = peak / gigabytes
        start = max(least, 10 ** axes.y_from / gigabytes)
        if start >= ridge:
            continue
        x0, y0, x1, y1 = axes.x(start), axes.y(start * gigabytes), axes.x(ridge), axes.y(peak)
        yield f'<path class="roof" d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}"/>'
        if x1 - x0 > 90:
            angle = math.degrees(math.atan2(y1 - y0, x1 - x0))
            x, y = x0 + 6, y0 - 5 + 6 * (y1 - y0) / (x1 - x0)
            yield text(x, y, f"{name} {gigabytes:.0f} GB/s", "rooflabel", "start",
                       f' transform="rotate({angle:.1f} {x:.1f} {y:.1f})"')
    begin = max(least, min([peak / g for _, g in bandwidths] or [least]))
    y = axes.y(peak)
    yield f'<path class="roof" d="M{axes.x(begin):.1f} {y:.1f}H{WIDTH - RIGHT}"/>'
    yield text(WIDTH - RIGHT - 4, y - 8, f"FMA {peak:.0f} GFLOP/s", "rooflabel", "end")


class Labels:
    """Puts each label where it covers neither a point nor another label."""

    def __init__(self, points, roof):
        self.taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in points]
        self.taken.append((WIDTH - RIGHT - ROOF_LABEL, roof - 20, WIDTH - RIGHT, roof - 4))

    def free(self, box):
        if box[0] < LEFT or box[2] > WIDTH - RIGHT or box[1] < TOP or box[3] > HEIGHT - BOTTOM:
            return False
        return not any(box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3]
                       for t in self.taken)

    def place(self, x, y, words):
        half = 3.2 * len(words) + 1
        for distance in range(11, 90, 4):
            for step in range(16):
                angle = math.pi * (0.5 + step / 8)
                cx, cy = x + (distance + half - 4) * math.cos(angle), y - distance * math.sin(angle)
                box = (cx - half, cy - 6, cx + half, cy + 6)
                if self.free(box):
                    self.taken.append(box)
                    return cx, cy, distance
        return x, y - 11, 11


def chart(title, points, peak, bandwidths):
    """points: (FLOP per byte, GFLOP/s, label, tooltip, marker, css class)."""
    xs = [p[0] for p in points] + [peak / g for _, g in bandwidths]
    ys = [p[1] for p in points]
    axes = Axes((min(xs) / 1.6, max(xs) * 1.6), (min(ys + [peak / 10]) / 1.3, max(ys + [peak]) * 1.4))
    yield (f'<svg class="roofline" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
           f'aria-label="{escape(title)}"><title>{escape(title)}</title>')
    yield from frame(axes)
    yield from roofs(axes, peak, bandwidths)
    places = [(axes.x(p[0]), axes.y(p[1])) for p in points]
    labels = Labels(places, axes.y(peak))
    words = []
    for (x, y), (_, _, label, tooltip, kind, css) in zip(places, points):
        cx, cy, distance = labels.place(x, y, label)
        if distance > 15:
            yield f'<path class="leader" d="M{x:.1f} {y:.1f}L{cx:.1f} {cy:.1f}"/>'
        yield f"<g><title>{escape(tooltip)}</title>{marker(kind, x, y, css)}</g>"
        words.append(text(cx, cy + 3.5, label, "point"))
    yield from words
    yield "</svg>"
