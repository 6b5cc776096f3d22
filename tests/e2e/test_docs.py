# SPDX-License-Identifier: MIT
"""What the documents repeat of the code is what the code says."""
import re
import subprocess

from harness import product

README = product.ROOT / "README.md"
MAN_PAGE = product.ROOT / "docs" / "etcd-registry.1"


def command(*arguments):
    return subprocess.run(
        [product.COMMAND, *arguments], check=True, capture_output=True, text=True, timeout=10
    ).stdout


def settings():
    return re.findall(r"^\| `(\w+)`", command("help", "settings"), re.MULTILINE)


def test_the_settings_of_the_readme_are_those_of_the_command():
    table = re.search(
        r"<!-- settings:.*?-->\n(.*?)<!-- end of settings -->", README.read_text(), re.DOTALL
    )
    assert table[1] == command("help", "settings")


def test_the_table_has_every_setting():
    rows = re.findall(
        r'^SETTING\(\w+, \S+ "(\w+)"',
        (product.ROOT / "lib" / "config.def").read_text(),
        re.MULTILINE,
    )
    assert len(rows) > 15
    assert settings() == rows


def test_the_manual_page_has_every_setting():
    page = MAN_PAGE.read_text()
    assert [
        name for name in settings() if not re.search(rf"^\.It .*\bEv {name}\b", page, re.MULTILINE)
    ] == []


def test_the_manual_page_has_every_command_and_own_option():
    page = MAN_PAGE.read_text()
    for name in re.findall(r"^  (\w+) ", command("help"), re.MULTILINE):
        assert re.search(rf"^\.It Cm {name}\b", page, re.MULTILINE), name
    for option in ("json", "port", "help", "mode", "owner"):
        assert re.search(rf"^\.It Fl .*-{option}\b", page, re.MULTILINE), option
