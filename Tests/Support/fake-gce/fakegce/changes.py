"""Changes of an instance's metadata and labels, which a fingerprint guards."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from .errors import ApiError, required
from .operations import Operation, OperationError
from .rules import check_labels, check_metadata

if TYPE_CHECKING:
    from .cloud import Cloud
    from .machines import Instance

Body = dict[str, Any]
CONFLICT = "Supplied fingerprint does not match current {what} fingerprint."


def fingerprint(value: Any) -> str:
    """What stands for a value until it changes."""
    return base64.b64encode(hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()[:8]).decode()


def set_metadata(cloud: Cloud, instance: Instance, body: Body, user: str) -> Operation:
    """All items anew; whoever doesn't know the present ones is refused, and so is the later of two at once."""
    check_metadata("resource", body)
    given = body.get("fingerprint", "")

    def apply() -> None:
        instance.change_metadata(body.get("items", []))

    return _change(cloud, instance, "setMetadata", given, "metadata", apply, user)


def set_labels(cloud: Cloud, instance: Instance, body: Body, user: str) -> Operation:
    """All labels anew."""
    check_labels("resource.labels", body.get("labels", {}))
    if "labelFingerprint" not in body:
        raise required("resource.labelFingerprint")

    def apply() -> None:
        instance.resource["labels"] = dict(body.get("labels", {}))
        instance.resource["labelFingerprint"] = fingerprint(instance.resource["labels"])

    return _change(cloud, instance, "setLabels", body["labelFingerprint"], "labels", apply, user)


def _change(cloud: Cloud, instance: Instance, kind: str, given: str, what: str, apply: Any, user: str) -> Operation:
    def fits() -> bool:
        present = instance.resource["labelFingerprint"] if what == "labels" else instance.metadata_fingerprint
        return bool(given == present)

    if not fits():
        raise ApiError(412, "conditionNotMet", CONFLICT.format(what=what))
    if instance.status in ("STOPPING", "TERMINATED") and instance.fate == "DELETE":
        raise ApiError(400, "resourceNotReady", f"The resource '{instance.path}' is not ready")

    def act(operation: Operation) -> None:
        if instance.status == "GONE":
            operation.finish(OperationError(404, "RESOURCE_NOT_FOUND", f"The resource '{instance.path}' was not found"))
        elif not fits():
            operation.finish(OperationError(412, "CONDITION_NOT_MET", CONFLICT.format(what=what)))
        else:
            apply()
            operation.finish()

    return cloud.operations.make(instance.zone, kind, instance.path, instance.identity, user, act)
