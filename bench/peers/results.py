# The table and the JSON of a comparison. SPDX-License-Identifier: Apache-2.0
import json
import os
import platform
import time

from models import MODELS

NOT_COUNTED = ("flops", "operations", "bytes", "peak_flops_per_second", "bound_seconds", "plain_ratio")
OPS = {"train": "train_step", "infer": "predict"}


def target(row):
    """How many times as fast Weir is to be; None where nobody asks."""
    model = MODELS[row["model"]]
    if row["op"] == "train":
        return model.train_target
    return model.infer_target if row["N"] == 1 else None


def fastest(row):
    """The name of the peer that Weir has to beat; None without peers."""
    return min(row["peers"], key=lambda name: row["peers"][name]["ratio"], default=None)


def milliseconds(seconds):
    return f"{1e3 * seconds:.4g}"


def head(peers):
    cells = ["model", "what", "threads", "Weir ms", *(f"{peer} ms" for peer in peers)]
    cells += ["fastest / Weir", "target"]
    return ["| " + " | ".join(cells) + " |", "| " + " | ".join(["---"] * len(cells)) + " |"]


def verdict(row):
    wanted, name = target(row), fastest(row)
    if wanted is None or name is None:
        return "-"
    return f"{wanted:g}" if row["peers"][name]["ratio"] >= wanted else f"{wanted:g} missed"


def line(row, peers):
    """A row in Markdown. Beside a peer's time its variant and how many times Weir's it is."""
    name = fastest(row)
    cells = [row["model"], f"{OPS[row['op']]} N:{row['N']}", row["threads"], milliseconds(row["seconds"])]
    for peer in peers:
        one = row["peers"].get(peer)
        cells.append(f"{milliseconds(one['seconds'])} {one['variant']}, {one['ratio']:.1f}x" if one else "-")
    ratio = f"{row['peers'][name]['ratio']:.1f} ({name})" if name else "-"
    return "| " + " | ".join(map(str, [*cells, ratio, verdict(row)])) + " |"


# ---- JSON, as of the other benchmarks ---------------------------------------------------------------


def figure(name, value, form):
    if value is None:
        return {"name": name, "value": -1, "text": "-"}
    return {"name": name, "value": value, "text": form.format(value)}


def json_row(row, backend, seconds, ratio, variant):
    """ratio: of Weir's row, the fastest peer's; of a peer's row, its own."""
    made = {
        "op": f"{OPS[row['op']]}/{row['model']}",
        "shape": f"N:{row['N']}",
        "backend": backend,
        "threads": row["threads"],
        "seconds": seconds,
        "ratio": ratio if backend == "Weir" and ratio else 0,
        "ratio_of": "",
        "implementation": variant,
        "baseline": backend != "Weir",
        "samples": row["N"],
    }
    made.update(dict.fromkeys(NOT_COUNTED, 0))
    made.update({"oneDNN": "", "bound": "", "error": "", "plain": False, "disturbed": False})
    wanted = target(row) if backend == "Weir" else None
    made["figures"] = [
        figure("ms", 1e3 * seconds, "{:.4g}"),
        figure("peer / Weir", ratio, "{:.2f}"),
        figure("target", wanted, "{:g}"),
    ]
    return made


def json_rows(rows):
    for row in rows:
        name = fastest(row)
        yield json_row(row, "Weir", row["seconds"], row["peers"][name]["ratio"] if name else None, "")
        for peer, one in row["peers"].items():
            yield json_row(row, f"{peer} {one['variant']}", one["seconds"], one["ratio"], one["variant"])


def document(rows, greetings, command, quick, notes):
    weir = greetings["Weir"]
    machine = dict(weir["machine"], peaks=[], bandwidths=[], activations=[])
    context = {
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "host_name": platform.node(),
        "executable": "bench/peers/peers.py",
        "num_cpus": os.cpu_count(),
        "weir": weir["version"],
        **{name: f"{one['version']} ({one['about']})" for name, one in greetings.items() if name != "Weir"},
    }
    return {
        "context": context,
        "benchmarks": [],
        "weir": {
            "area": "peers",
            "command": command,
            "quick": quick,
            "best": False,
            "machine": machine,
            "notes": notes,
            "rows": list(json_rows(rows)),
        },
    }


def write(path, content):
    """Whole or not at all."""
    part = path + ".part"
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    try:
        with open(part, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.write("\n")
        os.replace(part, path)
    except OSError:
        if os.path.exists(part):
            os.remove(part)
        raise
