# SPDX-License-Identifier: MIT
"""A machine that lacks some tools: a folder of links to all programs of this one but those."""
import pathlib


def without(folder, *left_out):
    """Returns the folder, for PATH."""
    folder.mkdir()
    for programs in ("/usr/bin", "/usr/sbin", "/bin", "/sbin"):
        for program in pathlib.Path(programs).iterdir():
            link = folder / program.name
            if program.name not in left_out and not link.is_symlink():
                link.symlink_to(program)
    return folder
