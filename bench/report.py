#!/usr/bin/env python3
# One HTML page from the JSON of a benchmark run. SPDX-License-Identifier: Apache-2.0
"""usage: report.py RESULTS PAGE.html

RESULTS is the folder that `ninja bench` fills, build/bench/bench-results. The page stands alone: no
script, no other file. Exit status 1, and a line that says why, when there is nothing to show.
"""
import glob
import json
import math
import os
import platform
import sys
from html import escape

import roofline_svg

AREAS = {"conv1d": "Convolution", "pool": "Pooling", "gru": "GRU", "lstm": "LSTM", "rnn": "SimpleRNN",
         "runtime": "Thread pool",
         "idle": "Sleeping threads", "train_step": "Training steps", "stream": "Streams, row by row",
         "speedup": "Training steps on one thread and on all",
         "contention": "Training steps beside a busy process",
         "scaling": "Training steps on planned machines", "peers": "Models beside PyTorch and Keras",
         "machine": "Machine"}
MARKERS = ("circle", "square", "diamond", "triangle")
ISAS = {"avx512": "AVX-512", "avx2": "AVX2", "generic": "generic", "scalar": "scalar"}


LEGEND = (
    "Times are medians of interleaved repetitions. GFLOP/s count the multiply-adds of the definition, GB/s each "
    "tensor once. % of roofline: the time that the machine's measured limit allows (bound: FMA peak, FMA peak and "
    "activations, or the bandwidth of the memory level where the tensors fit) over the time taken. ratio: oneDNN's "
    "time, in its best layout without reorders, over Weir's; plain: with reorders from and to Weir's layout. ~: "
    "disturbed, something else used the machine. conv1d_block is conv1d, bias, ReLU and max pooling, forward and "
    "backward; conv1d_block_single the same by Weir's single operations.")


class Unusable(Exception):
    """There is no report to be made of these files."""


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except OSError as error:
        raise Unusable(f"{path}: can't be read: {error.strerror}") from error
    except ValueError as error:
        raise Unusable(f"{path}: not JSON, was the run interrupted? {error}") from error
    try:
        run = dict(content["weir"], context=content["context"])
        for key in ("area", "command", "machine", "quick", "best"):
            run[key]
        for row in run["rows"]:
            row["op"], row["shape"], row["backend"], row["seconds"] + row["flops"] + row["bytes"]
    except (KeyError, TypeError) as error:
        raise Unusable(f"{path}: not a result of Weir's benchmarks: no {error}") from error
    return run


def load_all(folder):
    paths = sorted(glob.glob(os.path.join(glob.escape(folder), "*.json")))
    if not paths:
        raise Unusable(f"no results in {folder}: run `ninja -C build bench` first")
    runs = [load(path) for path in paths]
    if not any(run["rows"] for run in runs):
        raise Unusable(f"no benchmark was timed in {folder}: did a filter match nothing?")
    order = list(AREAS)
    return sorted(runs, key=lambda run: order.index(run["area"]) if run["area"] in order else 99)


# ---- numbers ----------------------------------------------------------------------------------------

def rate(row, key, unit=1e9):
    return row[key] / row["seconds"] / unit if row["seconds"] > 0 and row[key] > 0 else None


def percent(row, of):
    """Of the FMA peak, or of the roofline."""
    if row["seconds"] <= 0:
        return None
    if of == "peak":
        flops = rate(row, "flops", 1)
        return 100 * flops / row["peak_flops_per_second"] if flops and row["peak_flops_per_second"] else None
    return 100 * row["bound_seconds"] / row["seconds"] if row["bound_seconds"] > 0 else None


def shown(value, form="{:.1f}"):
    return form.format(value) if value else "-"


def own(run):
    """The rows that are Weir's, or in areas without a peer all."""
    return [row for row in run["rows"] if not row["baseline"]] or run["rows"]


def operations(row):
    """What is counted upwards in a roofline: pooling has comparisons and additions."""
    return row["flops"] or row.get("operations", 0)


# ---- parts of the page ------------------------------------------------------------------------------

def table(head, rows):
    """rows: of texts. The first column is a name, the others are aligned as numbers."""
    yield '<div class="wide"><table><thead><tr>'
    yield "".join(f"<th>{escape(h)}</th>" for h in head)
    yield "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{escape(str(c))}</td>" for c in row) + "</tr>"
    yield "</tbody></table></div>"


def bytes_text(count):
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def rates_of_machine(machine):
    levels = list(dict.fromkeys(b["level"] for b in machine["bandwidths"]))
    rows = []
    for peak in machine["peaks"]:
        reads = {b["level"]: b["bytes_per_second"] for b in machine["bandwidths"]
                 if (b["isa"], b["threads"]) == (peak["isa"], peak["threads"])}
        rows.append([f'{ISAS[peak["isa"]]}, {peak["threads"]:.0f} thread{"s" * (peak["threads"] > 1)}',
                     shown(peak["flops_per_second"] / 1e9, "{:.0f}")]
                    + [shown(reads.get(level, 0) / 1e9, "{:.0f}") for level in levels])
    return ["measured", "FMA GFLOP/s"] + [f"{level} GB/s" for level in levels], rows


def describe(runs):
    machine, context = runs[0]["machine"], runs[0]["context"]
    caches = ", ".join(f"{name} {bytes_text(machine[key])}" for name, key in
                       (("L1d", "l1d_bytes"), ("L2", "l2_bytes"), ("L3", "l3_bytes")) if machine[key])
    versions = next((run["context"] for run in runs if run["area"] in ("conv1d", "pool", "gru", "lstm", "rnn")), context)
    onednn = [versions[key] for key in ("oneDNN", "oneDNN of the peer program") if versions.get(key)]
    facts = [("CPU", machine["cpu"]),
             ("Cores", f'{machine["cores_allowed"]:.0f} of {machine["cores"]:.0f} allowed, '
                       f'NUMA nodes: {machine["numa_nodes"]:.0f}'),
             ("Caches", caches or "unknown"), ("Memory", bytes_text(machine["memory_bytes"])),
             ("Weir", context.get("weir", "unknown")), ("oneDNN", "; ".join(onednn) or "none"),
             ("Date", " to ".join(dict.fromkeys(run["context"]["date"] for run in runs))
              if len(runs) < 2 else f'{runs[0]["context"]["date"]}'),
             ("System", f'{context.get("host_name", "")} {platform.system()} {platform.release()}')]
    yield "<dl>" + "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in facts) + "</dl>"
    yield from table(*rates_of_machine(machine))
    activations = {(a["activation"], a["isa"]): a["elements_per_second"] for run in runs
                   for a in run["machine"]["activations"]}
    if activations:
        yield "<p>Activations on one thread, billion elements per second: " + "; ".join(
            f"{name} {ISAS[isa]} {value / 1e9:.2f}" for (name, isa), value in activations.items()) + ".</p>"
    yield "<p>Commands:</p><pre>" + "\n".join(
        escape(f'{run["context"]["executable"]} {run["command"]}'.rstrip()) for run in runs) + "</pre>"


def warnings(runs):
    if any(run["quick"] for run in runs):
        yield "This was a quick run: small batches, hardly repeated. Its times mean little."
    if any(run["best"] for run in runs):
        yield "Times are those of the best repetition, not medians."
    rows = [row for run in runs for row in own(run)]
    disturbed = sum(row["disturbed"] for row in rows)
    if disturbed:
        yield (f"{disturbed} of {len(rows)} rows, marked ~, were disturbed: something else used the "
               "machine.")
    for run in runs:
        for row in run["rows"]:
            if row["error"] or not row["seconds"] > 0:
                yield (f'{row["op"]}/{row["backend"]}/{row["shape"]}/threads:{row["threads"]:.0f}: '
                       f'{row["error"] or "missing"}')


def key(ops):
    """Which mark is which operation."""
    marks = []
    for i, op in enumerate(ops):
        mark = roofline_svg.marker(MARKERS[i % 4], 6, 6, f"s{i % 6}")
        marks.append(f'<span><svg width="12" height="12" viewBox="0 0 12 12">{mark}</svg> '
                     f"{escape(op)}</span>")
    return f'<p class="key">{"".join(marks)}</p>'


def rooflines(run):
    """One chart per instruction set and number of threads."""
    rows = [row for row in own(run) if operations(row) and row["bytes"] and row["seconds"] > 0]
    if not rows:
        return
    ops = list(dict.fromkeys(row["op"] for row in rows))
    shapes = list(dict.fromkeys(row["shape"] for row in rows))
    yield key(ops) + '<div class="charts">'
    for isa, threads in sorted({(row["backend"], row["threads"]) for row in rows},
                               key=lambda pair: ((*ISAS, pair[0]).index(pair[0]), *pair)):
        peak = [p["flops_per_second"] / 1e9 for p in run["machine"]["peaks"]
                if (p["isa"], p["threads"]) == (isa, threads)]
        if not peak:
            continue
        lines = [(b["level"], b["bytes_per_second"] / 1e9) for b in run["machine"]["bandwidths"]
                 if (b["isa"], b["threads"]) == (isa, threads)]
        points = []
        for row in rows:
            if (row["backend"], row["threads"]) != (isa, threads):
                continue
            speed, op = operations(row) / row["seconds"] / 1e9, ops.index(row["op"])
            points.append((operations(row) / row["bytes"], speed, str(shapes.index(row["shape"]) + 1),
                           f'{row["op"]}/{row["shape"]}: {speed:.1f} GFLOP/s, '
                           f'{shown(percent(row, "roof"))}% of roofline', MARKERS[op % 4], f"s{op % 6}"))
        title = f'{ISAS.get(isa, isa)}, {threads:.0f} thread{"s" * (threads > 1)}'
        yield f"<figure><figcaption>{title}</figcaption>"
        yield from roofline_svg.chart(f"Roofline, {title}", points, peak[0], lines)
        yield "</figure>"
    yield '</div><ol class="shapes">' + "".join(f"<li>{escape(s)}</li>" for s in shapes) + "</ol>"


def bar(ratio, limit, label, faded):
    """From the line at 1, to the right when Weir is faster; a length of `limit` is twice as fast."""
    length = max(-1, min(1, math.log2(ratio) / limit)) * 50
    css = ("fast" if length >= 0 else "slow") + (" faded" if faded else "")
    left = 50 if length >= 0 else 50 + length
    return (f'<div class="bar"><span>{escape(label)}</span><div class="track">'
            f'<i class="{css}" style="left:{left:.1f}%;width:{abs(length):.1f}%"></i></div>'
            f'<b>{ratio:.2f}{"~" if faded else ""}</b></div>')


def bars(run):
    rows = [row for row in own(run) if row["ratio"] > 0]
    if not rows:
        return
    steady = [row for row in rows if not row["disturbed"]] or rows
    limit = max(1, math.ceil(max(abs(math.log2(row["ratio"])) for row in steady)))
    onednn = any(row["ratio_of"] for row in rows)
    yield (f'<p>Speed beside {"oneDNN" if onednn else "the peer"}, x1 and x2 are threads: its time over Weir\'s. '
           f"Right of the line Weir is faster; a bar that fills its half is {2 ** limit} times or more."
           + " oneDNN picks its instruction set itself (ONEDNN_MAX_CPU_ISA=AVX2 holds it to AVX2)." * onednn
           + "</p>")
    for op in dict.fromkeys(row["op"] for row in rows):
        yield f"<h4>{escape(op)}</h4>"
        for shape in dict.fromkeys(row["shape"] for row in rows if row["op"] == op):
            yield f'<div class="group"><p>{escape(shape)}</p>'
            for row in rows:
                if (row["op"], row["shape"]) == (op, shape):
                    label = f'{ISAS.get(row["backend"], row["backend"])} x{row["threads"]:.0f}'
                    if row["ratio_of"]:
                        label += f' / {row["ratio_of"]}'
                    yield bar(row["ratio"], limit, label, row["disturbed"])
            yield "</div>"


def figures(run):
    """Programs without Google Benchmark say what their columns are."""
    head = ["operation and shape", "threads", "backend"] + [f["name"] for f in run["rows"][0]["figures"]]
    yield from table(head, [[f'{row["op"]}/{row["shape"]}', f'{row["threads"]:.0f}', row["backend"]]
                            + [f["text"] for f in row["figures"]] for row in run["rows"]])


def results(run):
    if run["rows"] and "figures" in run["rows"][0]:
        yield from figures(run)
        return
    head = ["operation and shape", "threads", "backend", "ms", "GFLOP/s", "% of FMA peak", "GB/s",
            "% of roofline", "bound"]
    peer = any(row["ratio"] > 0 for row in own(run))
    samples = any(row["samples"] > 0 for row in own(run))
    head += ["ratio", "ratio, plain", "version", "implementation"] * peer + ["samples/s"] * samples
    rows = []
    for row in own(run):
        cells = [f'{row["op"]}/{row["shape"]}', f'{row["threads"]:.0f}', row["backend"],
                 shown(row["seconds"] * 1e3, "{:.4f}"), shown(rate(row, "flops")),
                 shown(percent(row, "peak")), shown(rate(row, "bytes")), shown(percent(row, "roof")),
                 row["bound"] or "-"]
        if peer:
            base = fastest_peer(run, row)
            cells += [shown(row["ratio"], "{:.2f}") + "~" * row["disturbed"],
                      shown(row["plain_ratio"], "{:.2f}"), row["ratio_of"] or "-",
                      base["implementation"] if base else "-"]
        if samples:
            cells.append(shown(rate(row, "samples", 1), "{:.0f}"))
        rows.append(cells)
    yield from table(head, rows)


def fastest_peer(run, row):
    same = [r for r in run["rows"] if r["baseline"] and not r["plain"] and r["seconds"] > 0
            and all(r[k] == row[k] for k in ("op", "shape", "threads"))]
    return min(same, key=lambda r: r["seconds"], default=None)


def section(run):
    yield f'<section id="{escape(run["area"])}"><h2>{AREAS.get(run["area"], escape(run["area"]))}</h2>'
    chart = list(rooflines(run))
    if chart:
        yield "<h3>Roofline</h3>"
        yield from chart
    ratios = list(bars(run))
    if ratios:
        yield "<h3>Side by side</h3>"
        yield from ratios
    yield "<h3>All numbers</h3>"
    yield from results(run)
    yield "</section>"


def page(runs):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "report.css"),
              encoding="utf-8") as file:
        style = file.read()
    yield '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>Weir benchmarks</title><style>{style}</style></head><body><main>"
    yield "<h1>Weir benchmarks</h1>"
    links = "".join(f'<a href="#{escape(run["area"])}">{AREAS.get(run["area"], escape(run["area"]))}</a>'
                    for run in runs)
    yield f"<nav>{links}</nav>"
    notes = "".join(f"<li>{escape(note)}</li>" for note in warnings(runs))
    if notes:
        yield f'<ul class="notes">{notes}</ul>'
    yield f"<p>{LEGEND}</p>"
    yield "<section><h2>Machine and commands</h2>"
    yield from describe(runs)
    yield "</section>"
    for run in runs:
        yield from section(run)
    yield "</main></body></html>\n"


def content_of(folder):
    runs = load_all(folder)
    try:
        return "\n".join(page(runs))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unusable(f"{folder}: results of another version of Weir? {type(error).__name__}: {error}") from error


def replace(target, content):
    part = target + ".part"
    try:
        with open(part, "w", encoding="utf-8") as file:
            file.write(content)
        os.replace(part, target)
    except OSError:
        if os.path.exists(part):
            os.remove(part)
        raise


def main(arguments):
    if arguments in (["--help"], ["-h"]):
        print(__doc__.strip())
        return 0
    if len(arguments) != 2:
        print("report.py: expected RESULTS and PAGE.html\n" + __doc__.splitlines()[0], file=sys.stderr)
        return 2
    folder, target = arguments
    try:
        replace(target, content_of(folder))
    except Unusable as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"report.py: {target}: can't be written: {error.strerror}", file=sys.stderr)
        return 1
    print(f"report: {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
