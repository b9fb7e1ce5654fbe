"""Instances: how each comes and goes. The lock is held by whoever calls."""

from __future__ import annotations

import json
import pathlib
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from .changes import fingerprint
from .faults import Fault
from .names import link
from .operations import Operation, OperationError
from .state import timestamp
from .vm import VirtualMachine, users_of

# States in which an instance costs money.
# What stands for docker where the image has it.
DOCKER = pathlib.Path(__file__).with_name("docker")
BILLED = ("STAGING", "RUNNING", "STOPPING")
DONE_STATES = ("TERMINATED", "GONE")


class Instance:
    """One instance: what the API shows of it, and its machine.

    PROVISIONING, STAGING, RUNNING, STOPPING, and then TERMINATED or, when it is no longer there, GONE.
    """

    def __init__(
        self,
        cloud: Any,
        zone: str,
        resource: dict[str, Any],
        needs: dict[str, float],
        faults: dict[str, Fault],
        insertion: Operation | None = None,
    ) -> None:
        self.cloud = cloud
        self.zone = zone
        self.name: str = resource["name"]
        self.needs = needs
        self.faults = faults
        self.insertion = insertion
        self.path = f"projects/{cloud.config.project}/zones/{zone}/instances/{self.name}"
        self.number = cloud.shared.number()
        self.identity = str((int(time.time()) << 30) + self.number)
        self.resource = resource | {
            "kind": "compute#instance",
            "id": self.identity,
            "creationTimestamp": timestamp(),
            "zone": link(f"projects/{cloud.config.project}/zones/{zone}"),
            "selfLink": link(self.path),
            "cpuPlatform": "Unknown CPU Platform",
            "startRestricted": False,
            "labelFingerprint": fingerprint(resource.get("labels", {})),
            "deletionProtection": resource.get("deletionProtection", False),
            "status": "PROVISIONING",
        }
        self.resource.setdefault("tags", {})["fingerprint"] = "42WmSpB8rSM="
        self.metadata: dict[str, str] = {}
        self.vm: VirtualMachine | None = None
        self.change_metadata(resource.get("metadata", {}).get("items", []))
        self.guest_attributes: dict[str, str] = {}
        self.is_preempted = False
        self.addresses: tuple[str, str] | None = None
        self.began: float | None = None
        self.ended: float | None = None
        # What becomes of it when its machine is off: STOP, DELETE, or KEEP where nobody notices.
        self.fate = "STOP"
        self._on_end: list[Callable[[], None]] = []

    # What is known of it

    @property
    def status(self) -> str:
        """The API's status, or GONE."""
        return str(self.resource["status"])

    def set_status(self, status: str) -> None:
        """Changes it, and keeps account of the time it costs."""
        if status in BILLED and self.began is None:
            self.began = time.monotonic()
        if status in DONE_STATES and self.ended is None:
            self.ended = time.monotonic()
        self.resource["status"] = status
        self.cloud.shared.notify()

    def seconds(self) -> float:
        """How long it cost money."""
        if self.began is None:
            return 0.0
        return (time.monotonic() if self.ended is None else self.ended) - self.began

    @property
    def external(self) -> str:
        """Its external address, or nothing."""
        configs = self.resource["networkInterfaces"][0].get("accessConfigs", [])
        return str(configs[0].get("natIP", "")) if configs else ""

    @property
    def metadata_fingerprint(self) -> str:
        """What whoever changes the metadata has to know."""
        return str(self.resource["metadata"]["fingerprint"])

    def change_metadata(self, items: list[dict[str, str]]) -> None:
        """Other items; the guest agent takes the keys in a moment later, of accounts that it has made."""
        self.resource["metadata"] = {"kind": "compute#metadata", "fingerprint": fingerprint(items), "items": items}
        self.metadata = {item["key"]: item.get("value", "") for item in items}
        if vm := self.vm:
            keys = "keys " + json.dumps(users_of(self.metadata))
            self.cloud.shared.after(self.cloud.config.agent_delay, lambda: vm.order(keys))

    # MARK: Its beginning

    def provision(self, operation: Operation) -> None:
        """Its operation runs."""
        config, shared = self.cloud.config, self.cloud.shared
        if error := self._insert_error():
            self.vanish()
            operation.finish(error)
            return
        if "stuck" not in self.faults:
            shared.after(config.provisioning, lambda: self._stage(operation))

    def _insert_error(self) -> OperationError | None:
        if self.status != "PROVISIONING":
            return OperationError(
                409, "OPERATION_CANCELED_BY_USER", "Operation was cancelled: the instance is deleted."
            )
        if fault := self.faults.get("exhausted"):
            error: OperationError = self.cloud.exhausted(self, bool(fault.get("details")))
            return error
        if "internalError" in self.faults:
            return OperationError(
                500,
                "INTERNAL_ERROR",
                "Internal error. Please try again or contact Google Support. (Code: '-473FC3D0A0000')",
            )
        return None

    def _stage(self, operation: Operation) -> None:
        if self.status != "PROVISIONING":
            operation.finish(self._insert_error())
            return
        self.addresses = self.cloud.addresses.take()
        interface = self.resource["networkInterfaces"][0]
        interface["networkIP"] = self.addresses[1]
        self.set_status("STAGING")
        self.cloud.shared.after(self.cloud.config.staging, lambda: self._run(operation))

    def _run(self, operation: Operation) -> None:
        operation.finish()
        if self.status != "STAGING" or self.addresses is None:
            return
        interface = self.resource["networkInterfaces"][0]
        if "accessConfigs" in interface and "noExternalAddress" not in self.faults:
            interface["accessConfigs"][0]["natIP"] = self.addresses[0]
        self.resource["lastStartTimestamp"] = timestamp()
        self.resource["cpuPlatform"] = "Intel Broadwell"
        self.set_status("RUNNING")
        boot = self.cloud.config.boot
        if fault := self.faults.get("slowBoot"):
            boot += fault.get("seconds", 5)
        self.cloud.shared.after(boot, lambda: threading.Thread(target=self._boot, daemon=True).start())
        self._plan_end()

    def _plan_end(self) -> None:
        duration = self.resource["scheduling"].get("maxRunDuration")
        if duration:
            seconds = duration.get("seconds", 0) + duration.get("nanos", 0) / 1e9
            ending = timestamp(time.time() + seconds)
            self.resource.setdefault("resourceStatus", {}).setdefault("scheduling", {})["terminationTimestamp"] = ending
            self.cloud.shared.after(seconds, self._time_is_up)
        if fault := self.faults.get("preempted"):
            self.cloud.shared.after(fault.get("seconds", 0), lambda: self.preempt(fault.get("notice")))
        if fault := self.faults.get("dies"):
            self.cloud.shared.after(fault.get("seconds", 0), lambda: self.die(fault.get("then", "STOP")))

    def _boot(self) -> None:
        """Makes the machine, without the lock as it takes time."""
        try:
            self._power_on()
        except Exception:
            traceback.print_exc()

    def _power_on(self) -> None:
        cloud = self.cloud
        with cloud.shared.changed:
            if self.status != "RUNNING" or self.addresses is None:
                return
            external, internal = self.addresses[0] if self.external else "", self.addresses[1]
            server = cloud.serve_metadata(self, internal)
        plan = {
            "name": self.name,
            "domain": f"{self.zone}.c.{cloud.config.project}.internal",
            "internal": internal,
            "external": external,
            "port": cloud.addresses.ssh_port,
            "users": users_of(self.metadata),
            "metadataHost": f"{internal}:{cloud.addresses.metadata_port}",
            "hasSSH": "noSSH" not in self.faults,
            "docker": DOCKER.read_text(encoding="utf-8") if self._has_docker else "",
        }
        folder: pathlib.Path = cloud.folder / "vms" / f"{self.name}-{self.number}"
        vm = VirtualMachine(folder, plan, self.metadata, cloud.config.permit_root_login, self._powered_off)
        with cloud.shared.changed:
            self._on_end.append(server.shutdown)
            if self.status != "RUNNING":
                self._settle()
                vm.remove()
                return
            self.vm = vm
            vm.start()
        if plan["hasSSH"]:
            self._publish_keys(vm)

    def _publish_keys(self, vm: VirtualMachine) -> None:
        """The guest agent writes host keys once sshd runs."""
        while not vm.has_ended.is_set() and not vm.is_listening():
            time.sleep(0.005)
        with self.cloud.shared.changed:
            if self.metadata.get("enable-guest-attributes", "").lower() == "true" and "noHostKey" not in self.faults:
                kind, key = vm.host_key.split(" ")
                if "wrongHostKey" in self.faults:
                    key = key[:-12] + ("A" * 12 if not key.endswith("A" * 12) else "B" * 12)
                self.guest_attributes[f"hostkeys/{kind}"] = key
            self.cloud.shared.notify()

    @property
    def _has_docker(self) -> bool:
        """Whether its image is one of those that have docker."""
        return any("/cos-cloud/" in text for text in self.resource["disks"][0].get("licenses", []))

    # MARK: Its end

    def shut_down(self, fate: str, limit: float | None = None) -> None:
        """Turns it off in an orderly way, and then does with it what its fate is."""
        self.fate = fate
        if self.status in DONE_STATES:
            self._settle()
            return
        self.set_status("STOPPING")
        if self.vm is None or self.vm.has_ended.is_set():
            self._settle()
            return
        vm = self.vm
        vm.order("thaw")
        vm.order("off")
        limit = self.cloud.config.shutdown_limit if limit is None else limit
        self.cloud.shared.after(limit, vm.kill)

    def preempt(self, notice: float | None = None) -> None:
        """Google wants it back: first a notice, then the power goes."""
        if self.status != "RUNNING":
            return
        seconds = self.cloud.config.preemption_notice if notice is None else notice
        self.is_preempted = True
        self.fate = self.resource["scheduling"].get("instanceTerminationAction", "STOP")
        self.set_status("STOPPING")
        self.cloud.record_system(self, "compute.instances.preempted")
        if self.vm is None:
            self.cloud.shared.after(seconds, self._settle)
            return
        self.vm.order("notice")
        self.cloud.shared.after(seconds, self.vm.kill)

    def die(self, fate: str = "STOP") -> None:
        """Its host fails. Fate KEEP: the API goes on to say RUNNING."""
        if self.status != "RUNNING":
            return
        self.fate = fate
        if fate != "KEEP":
            self.cloud.record_system(self, "compute.instances.hostError")
        if self.vm:
            self.vm.kill()
        else:
            self._settle()

    def _time_is_up(self) -> None:
        if self.status == "RUNNING":
            self.cloud.record_system(self, "compute.instances.scheduledTermination")
            self.shut_down(self.resource["scheduling"]["instanceTerminationAction"])

    def _powered_off(self) -> None:
        with self.cloud.shared.changed:
            if self.fate == "KEEP":
                return
            if self.status == "RUNNING":
                self.set_status("STOPPING")
                self.cloud.record_system(self, "compute.instances.guestTerminate")
            self.cloud.shared.after(self.cloud.config.stopping, self._settle)

    def _settle(self) -> None:
        """The machine is off."""
        for action in self._on_end:
            threading.Thread(target=action, daemon=True).start()
        self._on_end = []
        if self.fate == "DELETE":
            self.vanish()
        else:
            self.resource["lastStopTimestamp"] = timestamp()
            self.resource["networkInterfaces"][0].get("accessConfigs", [{}])[0].pop("natIP", None)
            self.set_status("TERMINATED")

    def vanish(self) -> None:
        """It is no longer there."""
        if self.status == "GONE":
            return
        self.set_status("GONE")
        self.cloud.forget(self)
        if self.addresses:
            self.cloud.addresses.give_back(self.addresses[1])
        if self.vm:
            threading.Thread(target=self.vm.remove, daemon=True).start()

    def serial_output(self) -> bytes:
        """What its console showed."""
        if self.vm is None or not self.vm.serial_path.exists():
            return b""
        return self.vm.serial_path.read_bytes()
