# SPDX-License-Identifier: MIT
"""Does what systemd does with a socket unit.  Only the service gets the preload object."""
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

# Start this without the object, and append the port.
ACTIVATED = ["/usr/bin/python3", "-c", _SCRIPT, PRELOAD, HOSTS / "activated"]
