# SPDX-License-Identifier: MIT
"""What systemd does with a socket unit; the object is preloaded into the service alone."""
from .product import HOSTS, PRELOAD

_SCRIPT = """
import os, socket, sys
preload, program, port = sys.argv[1:]
listener = socket.create_server(("0.0.0.0", int(port)))
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LD_PRELOAD=preload)
os.execv(program, [program])
"""

# To be followed by the port, and started without the object.
ACTIVATED = ["/usr/bin/python3", "-c", _SCRIPT, PRELOAD, HOSTS / "activated"]
