"""Promises about the server and its log."""

from baton_v1 import v1
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from promise import equal, holds, promise

SERVICES = {"TaskService", "StateService", "HandoffService", "ValidationService", "MonitorService"}


@promise("the server is healthy and lists its services")
def healthy(run):
    health = health_pb2_grpc.HealthStub(run.baton.channel)
    status = health.Check(health_pb2.HealthCheckRequest(service="")).status
    equal("health of the whole server", status, health_pb2.HealthCheckResponse.SERVING)

    reflection = ProtoReflectionDescriptorDatabase(run.baton.channel)
    listed = set(reflection.get_services())
    missing = {f"baton.v1.{name}" for name in SERVICES} - listed
    equal("services that reflection does not list", missing, set())
    equal("file of HandoffService", reflection.FindFileContainingSymbol("baton.v1.HandoffService").package, "baton.v1")


@promise("the log verifies up to its newest revision")
def verifies(run):
    head = run.head()
    request = v1.VerifyLogRequest(namespace=run.namespace)
    last = list(run.baton.monitor.VerifyLog(request))[-1]
    equal("namespace, verified revision, done", (last.namespace, last.verified_revision, last.done), (run.namespace, head, True))
    holds("the hash is BLAKE3 in hex", len(last.hash) == 64, last.hash)


FIRST = [healthy]
LAST = [verifies]
