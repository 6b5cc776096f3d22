# SPDX-License-Identifier: MIT
"""SVG charts, drawn by gnuplot: bars that compare the variants of a benchmark, lines for curves."""
import subprocess

from .table import short

HEAD = """\
set terminal svg size {width},{height} font 'sans-serif,13' background rgb 'white'
set output '{file}'
set title {title} noenhanced
set grid {grid}
set border 3
set tics nomirror out
"""
BARS = """\
set style fill solid 0.8
set boxwidth 0.6 relative
set key off
set ylabel {unit} noenhanced
set yrange [{bottom}:]
set xrange [-0.6:{right}]
set xtics noenhanced
{log}
$data << END
{data}
END
plot $data using 0:2:xtic(1) with boxes lc rgb '#4878a8', \\
     $data using 0:2:3:4 with yerrorbars lc rgb '#202020' pt 0, \\
     $data using 0:2:5 with labels offset 0,1.2 noenhanced
"""
LINES = """\
set key left top noenhanced
set xlabel {x} noenhanced
set ylabel {y} noenhanced
{log}
{data}
plot {plots}
"""


def _quoted(text):
    return "'" + text.replace("'", "''") + "'"


def _head(width, height, file, title, grid):
    return HEAD.format(width=width, height=height, file=file, title=_quoted(title), grid=grid)


def _draw(script):
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def draw_bars(file, title, rows):
    """Draws the rows of one `what`: the median, and the quartiles as whiskers."""
    values = [row["median"] for row in rows]
    log = min(values) > 0 and max(values) > 30 * min(values)
    data = "\n".join(
        '"{}" {} {} {} "{}"'.format(
            row["variant"], row["median"], *row["quartiles"], short(row["median"])
        )
        for row in rows
    )
    _draw(
        _head(160 + 130 * len(rows), 340, file, title, "ytics")
        + BARS.format(
            unit=_quoted(rows[0]["unit"]),
            bottom=min(values) / 3 if log else 0,
            right=len(rows) - 0.4,
            log="set logscale y" if log else "",
            data=data,
        )
    )


def draw_lines(file, curve):
    blocks, plots = [], []
    for number, (name, points) in enumerate(curve["lines"].items()):
        rows = "\n".join(f"{x} {y}" for x, y in points)
        blocks.append(f"$line{number} << END\n{rows}\nEND")
        plots.append(f"$line{number} with linespoints lw 2 pt 7 ps 0.6 title {_quoted(name)}")
    _draw(
        _head(760, 400, file, curve["title"], "xtics ytics")
        + LINES.format(
            x=_quoted(curve["x"]),
            y=_quoted(curve["y"]),
            log="set logscale xy" if curve["log"] else "set yrange [0:]",
            data="\n".join(blocks),
            plots=", ".join(plots),
        )
    )


def draw(folder, name, result):
    """Draws all charts of one benchmark.  Returns the names of the files."""
    files = []
    groups = {}
    for row in result["rows"]:
        groups.setdefault((row["what"], row["unit"]), []).append(row)
    for number, ((what, _), rows) in enumerate(groups.items()):
        if len(rows) > 2 and rows[0]["samples"] > 1:
            files.append(f"{name}-{number + 1}.svg" if number else f"{name}.svg")
            draw_bars(folder / files[-1], f"{name}: {what}", rows)
    for curve in result["curves"]:
        files.append(f"{name}-{curve['name']}.svg")
        draw_lines(folder / files[-1], curve)
    return files
