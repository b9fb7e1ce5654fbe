"""The fake's Google: what stands behind the API, the metadata servers and the control endpoint."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

from .bulk import names_of, overlay
from .catalogue import Catalogue
from .config import Config
from .errors import ApiError, invalid, not_found, required
from .faults import INSERT_KINDS, Fault, Faults
from .machines import DONE_STATES, Instance
from .names import link
from .operations import Operation, OperationError, Operations
from .quotas import QuotaExceeded, Quotas, needs
from .rules import Rules
from .state import Shared
from .tokens import Tokens
from .vm import Addresses


class Cloud:
    """All state. Methods are called with `shared.changed` held."""

    def __init__(self, config: Config, folder: pathlib.Path) -> None:
        self.config = config
        self.folder = folder
        self.shared = Shared()
        self.catalogue = Catalogue(config)
        self.faults = Faults(config.faults)
        self.quotas = Quotas(config)
        self.operations = Operations(self.shared, config)
        self.addresses = Addresses()
        self.tokens = Tokens(config)
        self.instances: dict[tuple[str, str], Instance] = {}
        self.ever: list[Instance] = []
        self.calls: dict[str, int] = {}
        # Set by the metadata servers' module; starts one for an instance, at its internal address.
        self.serve_metadata: Callable[[Instance, str], Any]

    # MARK: Looking

    def instance(self, zone: str, name: str) -> Instance:
        """The instance of that name, or the refusal."""
        self.catalogue.check_zone(zone)
        if (zone, name) not in self.instances:
            raise not_found(f"projects/{self.config.project}/zones/{zone}/instances/{name}")
        return self.instances[zone, name]

    def in_zone(self, zone: str) -> list[Instance]:
        """All instances of a zone."""
        return [entry for (other, _), entry in self.instances.items() if other == zone]

    def used(self, region: str) -> list[dict[str, float]]:
        """What the instances of a region use."""
        return [
            entry.needs
            for entry in self.instances.values()
            if self.catalogue.zones[entry.zone] == region and entry.status not in DONE_STATES
        ]

    def forget(self, instance: Instance) -> None:
        """It is gone."""
        if self.instances.get((instance.zone, instance.name)) is instance:
            del self.instances[instance.zone, instance.name]

    # MARK: Making

    def insert(self, zone: str, body: dict[str, Any], user: str) -> Operation:
        """Makes an instance."""
        resource = Rules(self.catalogue, zone).check(body)
        return self._insert(zone, resource, user)

    def _insert(self, zone: str, resource: dict[str, Any], user: str) -> Operation:
        name = resource["name"]
        if (zone, name) in self.instances:
            path = f"projects/{self.config.project}/zones/{zone}/instances/{name}"
            raise ApiError(409, "alreadyExists", f"The resource '{path}' already exists")
        region = self.catalogue.zones[zone]
        machine = self.catalogue.machine_type(zone, resource["machineType"].rpartition("/")[2]) or {}
        wanted = needs(resource, machine["guestCpus"], self.quotas.has_preemptible(region))
        faults = self._insert_faults(zone, resource)
        exceeded = self._check_quota(region, wanted, faults)
        instance = Instance(self, zone, resource, wanted, faults)

        def act(operation: Operation) -> None:
            if exceeded:
                instance.vanish()
                operation.finish(OperationError(403, "QUOTA_EXCEEDED", str(exceeded), exceeded.details()))
            else:
                instance.provision(operation)

        self.instances[zone, name] = instance
        self.ever.append(instance)
        operation = self.operations.make(zone, "insert", instance.path, instance.identity, user, act)
        instance.insertion = operation
        return operation

    def _insert_faults(self, zone: str, resource: dict[str, Any]) -> dict[str, Fault]:
        facts = {
            "zone": zone,
            "name": resource["name"],
            "machineType": resource["machineType"].rpartition("/")[2],
            "provisioningModel": resource["scheduling"]["provisioningModel"],
        }
        found = {kind: self.faults.of_insert(kind, facts) for kind in INSERT_KINDS}
        return {kind: fault for kind, fault in found.items() if fault}

    def _check_quota(self, region: str, wanted: dict[str, float], faults: dict[str, Fault]) -> QuotaExceeded | None:
        exceeded = None
        at_once = self.config.quota_refused_at_once
        if fault := faults.get("quota"):
            exceeded = QuotaExceeded(fault.get("metric", "CPUS"), float(fault.get("limit", 24)), region)
            at_once = bool(fault.get("atOnce"))
        try:
            self.quotas.check(region, self.used(region), wanted)
        except QuotaExceeded as error:
            exceeded = error
        if exceeded and at_once:
            raise ApiError(403, "quotaExceeded", str(exceeded), domain="usageLimits")
        return exceeded

    def exhausted(self, instance: Instance, with_details: bool) -> OperationError:
        """The error of a zone that has no machine to give."""
        text = (
            f"The zone 'projects/{self.config.project}/zones/{instance.zone}' does not have enough resources "
            "available to fulfill the request.  Try a different zone, or try again later."
        )
        if not with_details:
            return OperationError(503, "ZONE_RESOURCE_POOL_EXHAUSTED", text)
        machine = instance.resource["machineType"].rpartition("/")[2]
        details: list[dict[str, Any]] = [
            {
                "help": {
                    "links": [
                        {
                            "description": "Troubleshooting documentation",
                            "url": "https://cloud.google.com/compute/docs/resource-error",
                        }
                    ]
                }
            },
            {
                "localizedMessage": {
                    "locale": "en-US",
                    "message": f"A {machine} VM instance is currently unavailable in the {instance.zone} zone.",
                }
            },
            {
                "errorInfo": {
                    "domain": "compute.googleapis.com",
                    "reason": "resource_availability",
                    "metadatas": {"vmType": machine, "zone": instance.zone, "attachment": "", "zonesAvailable": ""},
                }
            },
        ]
        return OperationError(503, "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", text, details)

    # MARK: Making many

    def bulk_insert(self, zone: str, body: dict[str, Any], user: str) -> Operation:
        """Makes many, or none where fewer than the least number can be made."""
        self.catalogue.check_zone(zone)
        if "instanceProperties" not in body:
            raise required("resource.instanceProperties")
        if "locationPolicy" in body:
            raise invalid("resource.locationPolicy", "", "Location policy can be given in regional requests only.")
        names = names_of(body, {entry.name for entry in self.in_zone(zone)})
        least = body.get("minCount", len(names))
        if not 1 <= least <= len(names):
            raise invalid("resource.minCount", least, "Must be between 1 and count.")
        rules = Rules(self.catalogue, zone, bulk=True)
        resources = [rules.check(overlay(body, pattern_name, name)) for pattern_name, name in names]
        self._check_bulk_quota(zone, resources)
        operations: list[Operation] = []
        group = f"group-{self.shared.number():08x}"

        def act(operation: Operation) -> None:
            failure: ApiError | None = None
            for resource in resources:
                try:
                    operations.append(self._insert(zone, resource, user))
                    operations[-1].resource["operationGroupId"] = group
                except ApiError as error:
                    failure = error
            self._join(operation, operations, least, zone, len(resources), failure)

        operation = self.operations.make(
            zone, "bulkInsert", f"projects/{self.config.project}/zones/{zone}", str(self.shared.number()), user, act
        )
        operation.resource["operationGroupId"] = group
        return operation

    def _check_bulk_quota(self, zone: str, resources: list[dict[str, Any]]) -> None:
        """Refuses what does not fit as a whole, where quotas are looked at before anything is made."""
        if not self.config.quota_refused_at_once:
            return
        region = self.catalogue.zones[zone]
        used = self.used(region)
        for resource in resources:
            machine = self.catalogue.machine_type(zone, resource["machineType"].rpartition("/")[2]) or {}
            wanted = needs(resource, machine["guestCpus"], self.quotas.has_preemptible(region))
            try:
                self.quotas.check(region, used, wanted)
            except QuotaExceeded as error:
                raise ApiError(403, "quotaExceeded", str(error), domain="usageLimits") from error
            used.append(wanted)

    def _join(
        self, operation: Operation, parts: list[Operation], least: int, zone: str, count: int, failure: ApiError | None
    ) -> None:
        """Ends the operation of a bulk insert when all of its parts ended."""
        if not all(part.is_done for part in parts):
            self.shared.after(0.01, lambda: self._join(operation, parts, least, zone, count, failure))
            return
        made = [part for part in parts if "error" not in part.resource]
        status = {
            "status": "DONE",
            "targetVmCount": count,
            "createdVmCount": len(made),
            "failedToCreateVmCount": count - len(made),
            "deletedVmCount": 0,
        }
        operation.resource["instancesBulkInsertOperationMetadata"] = {"perLocationStatus": {f"zones/{zone}": status}}
        if len(made) >= least:
            operation.finish()
            return
        status |= {"status": "ROLLING_BACK", "deletedVmCount": len(made)}
        for part in made:
            if instance := self.instances.get((zone, part.resource["targetLink"].rpartition("/")[2])):
                instance.shut_down("DELETE")
        error = OperationError(
            409, "VM_MIN_COUNT_NOT_REACHED", f"Requested minimum count of {least} VMs could not be created."
        )
        if failure:
            codes = {"alreadyExists": "RESOURCE_ALREADY_EXISTS", "quotaExceeded": "QUOTA_EXCEEDED"}
            error = OperationError(failure.code, codes[failure.reason], failure.message)
        for part in parts:
            for entry in part.resource.get("error", {}).get("errors", []):
                error = OperationError(part.resource["httpErrorStatusCode"], entry["code"], entry["message"])
        operation.finish(error)

    # MARK: Removing

    def delete(self, zone: str, name: str, user: str) -> Operation:
        """Deletes an instance."""
        instance = self.instance(zone, name)
        if instance.resource["deletionProtection"]:
            raise invalid(
                "resource.deletionProtection",
                True,
                f"Resource cannot be deleted if it's protected against deletion. {instance.path}",
            )
        if instance.fate == "DELETE" and instance.status == "STOPPING" and not instance.is_preempted:
            raise ApiError(400, "resourceNotReady", f"The resource '{instance.path}' is not ready")

        def act(operation: Operation) -> None:
            if instance.insertion:
                instance.insertion.finish(OperationError(409, "OPERATION_CANCELED_BY_USER", "Operation was cancelled."))
            instance.shut_down("DELETE")
            self._await_end(instance, operation)

        return self.operations.make(zone, "delete", instance.path, instance.identity, user, act)

    def _await_end(self, instance: Instance, operation: Operation) -> None:
        if instance.status == "GONE":
            operation.finish()
        else:
            self.shared.after(0.005, lambda: self._await_end(instance, operation))

    def record_system(self, instance: Instance, kind: str) -> None:
        """Makes the operation that Google itself begins."""
        self.operations.make(instance.zone, kind, instance.path, instance.identity, "system")

    # MARK: Accounts

    def region(self, name: str) -> dict[str, Any]:
        """A region with its quotas."""
        if name not in self.config.regions:
            raise not_found(f"projects/{self.config.project}/regions/{name}")
        base = f"projects/{self.config.project}"
        return {
            "kind": "compute#region",
            "id": "1000",
            "name": name,
            "description": name,
            "status": "UP",
            "creationTimestamp": "2020-01-01T00:00:00.000-08:00",
            "selfLink": link(f"{base}/regions/{name}"),
            "zones": [link(f"{base}/zones/{zone}") for zone, region in self.catalogue.zones.items() if region == name],
            "quotas": self.quotas.usage(name, self.used(name)),
            "supportsPzs": False,
        }

    def project(self) -> dict[str, Any]:
        """The project."""
        base = f"projects/{self.config.project}"
        return {
            "kind": "compute#project",
            "id": self.config.project_number,
            "name": self.config.project,
            "creationTimestamp": "2020-01-01T00:00:00.000-08:00",
            "selfLink": link(base),
            "commonInstanceMetadata": {"kind": "compute#metadata", "fingerprint": "42WmSpB8rSM=", "items": []},
            "defaultServiceAccount": f"{self.config.project_number}-compute@developer.gserviceaccount.com",
            "xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS",
            "defaultNetworkTier": "PREMIUM",
            "vmDnsSetting": "ZONAL_ONLY",
            "quotas": [
                {"metric": "GPUS_ALL_REGIONS", "limit": 64.0, "usage": 0.0},
                {"metric": "CPUS_ALL_REGIONS", "limit": 4800.0, "usage": 0.0},
            ],
        }
