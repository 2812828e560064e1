"""The main job once, with proof: the JSON of `./nguon demo --once --json`."""

import os
import sys

if __name__ == "__main__":
    arguments = [one for one in sys.argv[1:] if one != "--json"]
    command = [sys.executable, "-m", "nguon.demo", "--once", "--json", *arguments]
    os.execv(sys.executable, command)
