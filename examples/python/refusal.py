"""Reads why a call was refused: the details that every error of Baton carries.

Knows the types of google.rpc, not those of baton.v1.
"""

from dataclasses import dataclass, field

from google.rpc import error_details_pb2
from grpc_status import rpc_status


@dataclass
class Refusal:
    """One refused call."""

    code: str
    """The gRPC status code, as in `FAILED_PRECONDITION`."""
    message: str
    """For people: what, where, what to do."""
    reason: str = ""
    """For programs: an `ErrorReason` without its prefix, as in `STALE_OWNER`."""
    metadata: dict = field(default_factory=dict)
    """The values that belong to the reason, as in `owner` and `owner_epoch`."""
    fields: dict = field(default_factory=dict)
    """Of INVALID_ARGUMENT: what is wrong with each bad field, by its path."""
    violations: dict = field(default_factory=dict)
    """Of FAILED_PRECONDITION: what each violated rule says, by its name."""


def read_refusal(error):
    """Returns the Refusal in a grpc.RpcError."""
    refusal = Refusal(error.code().name, error.details())
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        if info := _unpack(detail, error_details_pb2.ErrorInfo):
            refusal.reason, refusal.metadata = info.reason, dict(info.metadata)
        elif bad := _unpack(detail, error_details_pb2.BadRequest):
            refusal.fields = {violation.field: violation.description for violation in bad.field_violations}
        elif failed := _unpack(detail, error_details_pb2.PreconditionFailure):
            refusal.violations = {violation.type: violation.description for violation in failed.violations}
    return refusal


def _unpack(detail, message_type):
    message = message_type()
    return message if detail.Unpack(message) else None
