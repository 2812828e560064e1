"""Sets the environment of tests before Django reads its settings.

Loaded by `-p tests.environment`; tests never touch the folder of a real server.
"""

import os
import tempfile

os.environ.setdefault("NGUON_SECRET_KEY", "only-for-tests-" + "x" * 40)
os.environ["NGUON_DATA_DIR"] = tempfile.mkdtemp(prefix="nguon-test-")
os.environ["NGUON_QUIET_HOURS"] = "22:00-05:00"
os.environ["NGUON_GATEWAY_HEALTH"] = os.environ["NGUON_WORKER_HEALTH"] = ""
os.environ["NGUON_RELAYS_HEALTH"] = ""
