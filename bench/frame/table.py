# SPDX-License-Identifier: MIT
"""The one table, as text for a terminal and as Markdown."""

HEADINGS = ("bench", "what", "variant", "median", "quartiles", "ratio", "target", "reached")


def short(number):
    """Returns the number with three significant digits."""
    if number == 0 or abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def _ratio(row):
    if not row.get("ratio"):
        return ""
    low, high = row["ratio_quartiles"]
    return f"{row['ratio']:.3g} ({low:.3g}–{high:.3g}) × {row['of']}"


def cells(bench, row):
    low, high = row["quartiles"]
    target = row.get("target")
    return (
        bench,
        row["what"],
        row["variant"],
        f"{short(row['median'])} {row['unit']}",
        f"{short(low)}–{short(high)}" if row["samples"] > 1 else "",
        _ratio(row),
        f"{target['text']}: {short(target['measured'])}" if target else "",
        ("yes" if target["reached"] else "NO") if target else "",
    )


def _all_cells(results):
    return [cells(name, row) for name, result in results.items() for row in result["rows"]]


def as_text(results):
    rows = [HEADINGS, *_all_cells(results)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _machine(machine):
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    kind = "virtual " if machine["virtual"] else ""
    return (
        f"{machine['date']}, load {machine['load_before']} before, {machine['seconds']} s: "
        f"{machine['processors']} {kind}processors ({machine['processor']}), "
        f"{machine['memory_gb']} GB, {machine['system']}, Linux {machine['kernel']}; {versions}"
    )


def _section(name, result, charts):
    rows = [HEADINGS[1:], ["---"] * (len(HEADINGS) - 1)]
    rows += [cells(name, row)[1:] for row in result["rows"]]
    lines = [f"## {name}", "", *(f"| {' | '.join(row)} |" for row in rows), ""]
    lines += [f"{note}  " for note in result["notes"]]
    lines += [f"![{name}]({file})" for file in result["charts"] if charts is None or file in charts]
    return [*lines, "", _machine(result["machine"]), ""]


def as_markdown(results, charts=None):
    """With links to all charts, or to those of `charts` alone."""
    lines = ["# Results", "", "Written by `make bench`; [README.md](README.md) says how.", ""]
    for name, result in results.items():
        lines += _section(name, result, charts)
    return "\n".join(lines)
