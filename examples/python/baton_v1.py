"""Connects to a Baton server with stubs made from proto/ as this module is imported.

Knows nothing of tasks or hand-offs. A project of your own would make the stubs once, as README.md says, and import them.
"""

import importlib
import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import grpc
import grpc_tools
from grpc_tools import protoc

PROTO_DIR = Path(os.environ.get("BATON_PROTO", Path(__file__).resolve().parents[2] / "proto"))

# Every mutation carries a request id, so a call that the server could not answer is safe to send again.
SERVICE_CONFIG = """{
  "methodConfig": [{
    "name": [{"service": "baton.v1.TaskService"}, {"service": "baton.v1.StateService"},
             {"service": "baton.v1.HandoffService"}],
    "retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.1s", "maxBackoff": "2s", "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"]}
  }]
}"""
CHANNEL_OPTIONS = [
    ("grpc.service_config", SERVICE_CONFIG),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5000),
    # A server that is gone without a word is noticed within these times, also by a watch on which nothing happens.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
]


def _make_stubs():
    """Returns all messages, enums and stubs of baton.v1 under one roof."""
    files = sorted(path.relative_to(PROTO_DIR).as_posix() for path in PROTO_DIR.glob("baton/v1/*.proto"))
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    with tempfile.TemporaryDirectory() as out:
        options = [f"-I{PROTO_DIR}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}"]
        if not files or protoc.main(["protoc", *options, *files]) != 0:
            raise SystemExit(f"cannot make stubs from {PROTO_DIR}; set BATON_PROTO to the folder proto/ of Baton")
        sys.path.insert(0, out)
        names = {}
        for file in files:
            for suffix in ("_pb2", "_pb2_grpc"):
                module = importlib.import_module(file.removesuffix(".proto").replace("/", ".") + suffix)
                names.update((name, value) for name, value in vars(module).items() if name[0].isupper())
        sys.path.remove(out)
    return SimpleNamespace(**names)


v1 = _make_stubs()


class Baton:
    """The services of one server. `address` is `http://host:port` or `host:port`; by default BATON_ADDR."""

    def __init__(self, address=None):
        address = address or os.environ.get("BATON_ADDR", "http://127.0.0.1:7420")
        self.channel = grpc.insecure_channel(address.removeprefix("http://"), options=CHANNEL_OPTIONS)
        self.tasks = v1.TaskServiceStub(self.channel)
        self.states = v1.StateServiceStub(self.channel)
        self.handoffs = v1.HandoffServiceStub(self.channel)
        self.rules = v1.ValidationServiceStub(self.channel)
        self.monitor = v1.MonitorServiceStub(self.channel)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()
