# SPDX-License-Identifier: MIT
"""slow_folder.py FOLDER FILE SECONDS - a file system (FUSE) at FOLDER with a copy of FILE, in which
each read takes so long, as on a server that hangs."""
import errno
import os
import pathlib
import stat
import sys
import time

from fusepy import FUSE, FuseOSError, Operations


class SlowFolder(Operations):
    def __init__(self, file, delay_s):
        self.name, self.content, self.delay_s = file.name, file.read_bytes(), delay_s

    def getattr(self, path, fh=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if path != f"/{self.name}":
            raise FuseOSError(errno.ENOENT)
        return {"st_mode": stat.S_IFREG | 0o755, "st_nlink": 1, "st_size": len(self.content)}

    def readdir(self, path, fh):
        return [".", "..", self.name]

    def read(self, path, size, offset, fh):
        time.sleep(self.delay_s)
        return self.content[offset : offset + size]


if __name__ == "__main__":
    folder, file, seconds = sys.argv[1:]
    slow = SlowFolder(pathlib.Path(file), float(seconds))
    FUSE(slow, os.fspath(folder), foreground=True, nothreads=True)
