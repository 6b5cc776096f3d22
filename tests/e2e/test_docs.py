# SPDX-License-Identifier: MIT
"""The documents agree with the code."""
import re
import subprocess

from harness import product

README = product.ROOT / "README.md"
MAN_PAGE = product.ROOT / "docs" / "etcd-registry.1"

ROW = re.compile(
    r"\| `(?P<variable>\w+)`(?:, else `(?P<fallback>\w+)`)? \| (?:`--(?P<option>[a-z-]+)`)? "
    r"\| (?:`(?P<query>[a-z-]+)=`)? "
    r"\| (?:`(?P<default>[^`]*)`)?(?:, (?P<range>\d+-\d+(?: m?s)?))? \|"
)


def command(*arguments):
    return subprocess.run(
        [product.COMMAND, *arguments], check=True, capture_output=True, text=True, timeout=10
    ).stdout


def settings_of_the_command():
    rows = command("help", "settings").splitlines()[2:]
    return {match["variable"]: match.groupdict() for match in map(ROW.match, rows)}


def test_the_settings_of_the_readme_are_those_of_the_command():
    table = re.search(
        r"<!-- settings:.*?-->\n(.*?)<!-- end of settings -->", README.read_text(), re.DOTALL
    )
    assert table[1] == command("help", "settings")


def test_the_table_has_every_setting():
    rows = re.findall(
        r'^SETTING\(\w+, \S+ "(\w+)"',
        (product.ROOT / "lib" / "config" / "config.def").read_text(),
        re.MULTILINE,
    )
    assert len(rows) > 15
    assert list(settings_of_the_command()) == rows


def settings_of_the_page():
    """Returns each setting of the page's list, in the form of a row of the table."""
    page = MAN_PAGE.read_text().partition(".Sh ENVIRONMENT")[2].partition(".Sh FILES")[0]
    found = {}
    for item in page.split("\n.It ")[1:]:
        head, _, text = item.partition("\n.El")[0].partition("\n")
        text = re.sub(r"^\.(Li|Ev) ", "", text, flags=re.MULTILINE).replace("\n", " ")
        text = text.replace(r"\(en", "-")
        default = re.search(r"\bDefault (\S+?) ?[,.](?: (\d+-\d+(?: m?s)?)\.)?(?= |$)", text)
        heads = re.findall(r"Ev (ETCD_REGISTRY_\w+)(?: No \(\?([a-z-]+)\))?", head)
        fallbacks = re.findall(r"\bETCDCTL_\w+", text) or [None] * len(heads)
        assert len(fallbacks) == len(heads), head
        for (variable, query), fallback in zip(heads, fallbacks):
            found[variable] = {
                "variable": variable,
                "fallback": fallback,
                "query": query or None,
                "default": default and default[1],
                "range": default and default[2],
            }
    return found


def test_the_settings_of_the_manual_page_are_those_of_the_command():
    """An option has the name of its variable.  Two variables have no option, and the page says
    so."""
    expected = settings_of_the_command()
    without = ("ETCD_REGISTRY_PASSWORD", "ETCD_REGISTRY_DISABLE")
    for variable, row in expected.items():
        name = variable.removeprefix("ETCD_REGISTRY_").lower().replace("_", "-")
        assert row.pop("option") == (None if variable in without else name)
    assert settings_of_the_page() == expected


def commands():
    return re.findall(r"^  (\w+) ", command("help"), re.MULTILINE)


def options_in(text):
    return set(re.findall(r"^  --([a-z-]+) ", text, re.MULTILINE))


def test_the_manual_page_has_every_command_and_own_option():
    page = MAN_PAGE.read_text()
    for name in commands():
        assert re.search(rf"^\.It Cm {name}\b", page, re.MULTILINE), name
        for option in options_in(command("help", name).partition("\nSettings")[0]):
            assert re.search(rf"^\.It Fl .*-{option}\b", page, re.MULTILINE), option


def words(synopsis):
    """Without brackets, dots and order: `[OPTION]... NAME --port PORT` is NAME OPTION PORT --port."""
    return sorted(re.findall(r"[^\s\[\].]+", synopsis.replace(" | ", "|").upper()))


def synopsis_of_the_page():
    """Of each command, what follows its name, with the macros of mdoc taken out."""
    found = {}
    text = MAN_PAGE.read_text().partition(".Sh SYNOPSIS\n.Nm\n")[2].partition("\n.Sh ")[0]
    for form in text.split("\n.Nm\n"):
        form = " ".join(re.sub(r"^\.", "", form, flags=re.MULTILINE).split())
        form = form.replace("Fl -", "--").replace(" Ns", "")
        form = re.sub(r"\b(Ar|Cm|Li|Op) ", "", form)
        form = re.sub(r" : |@ ", lambda match: match[0].strip(), form)
        name, _, rest = form.partition(" ")
        found[name] = words(rest)
    return found


def test_the_synopsis_of_the_manual_page_is_the_usage_of_each_command():
    usage = {name: command("help", name).splitlines()[0] for name in commands()}
    prefix = "usage: etcd-registry"
    expected = {name: words(line.removeprefix(f"{prefix} {name}")) for name, line in usage.items()}
    assert synopsis_of_the_page() == expected


def test_the_readme_uses_options_that_there_are():
    """Those of `etcd-registry COMMAND`, up to the command line that `run` is given."""
    uses = re.findall(r"etcd-registry (\w+)( [^`\n]*--[^`\n]*)", README.read_text())
    assert {"agent", "lookup"} <= {name for name, _ in uses}
    for name, rest in uses:
        used = re.findall(r"--([a-z][a-z-]*)", rest.partition(" -- ")[0].partition("|")[0])
        assert set(used) <= options_in(command("help", name)), rest
