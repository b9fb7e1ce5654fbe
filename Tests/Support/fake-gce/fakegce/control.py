"""The control endpoint, by which tests see and do what no customer of Google's can."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from . import config as configuration
from .cloud import Cloud
from .httpd import Reply, Request
from .machines import DONE_STATES, Instance
from .requestlog import RequestLog

Values = dict[str, Any]


class Control:
    """Answers requests to /control/... Nobody has to authenticate."""

    def __init__(self, cloud: Cloud, log: RequestLog, token_uri: str) -> None:
        self.cloud = cloud
        self.log = log
        self.token_uri = token_uri

    def answer(self, request: Request) -> Reply:
        """Answers one: POST does something, GET looks, DELETE lifts faults."""
        match = re.fullmatch(r"/control/(\w+)(?:/(\d+))?", request.path)
        verb = request.method.lower()
        action = getattr(self, f"_{verb}_{match[1].lower()}", None) if match else None
        if match is None or action is None:
            return Reply(404, {"error": f"nothing at {request.method} {request.path}"})
        try:
            values = json.loads(request.body) if request.body else {}
            values |= dict(request.query)
            if match[2]:
                values["id"] = int(match[2])
            with self.cloud.shared.changed:
                found = action(values)
                self.cloud.shared.notify()
            return Reply(200, found)
        except (ValueError, TypeError, KeyError, LookupError) as error:
            return Reply(400, {"error": f"{type(error).__name__}: {error}"})

    # MARK: Looking

    def _get_summary(self, _: Values) -> Values:
        alive = [entry for entry in self.cloud.ever if entry.status not in DONE_STATES]
        return {
            "alive": len(alive),
            "names": sorted(entry.name for entry in alive),
            "made": len(self.cloud.ever),
            "everRunning": sum("lastStartTimestamp" in entry.resource for entry in self.cloud.ever),
            "left": len(self.cloud.instances),
            "seconds": sum(entry.seconds() for entry in self.cloud.ever),
            "requests": len(self.log.entries),
            "calls": self.cloud.calls,
        }

    def _get_instances(self, _: Values) -> list[Values]:
        return [
            {
                "name": entry.name,
                "zone": entry.zone,
                "status": entry.status,
                "id": entry.identity,
                "external": entry.external,
                "internal": entry.addresses[1] if entry.addresses else "",
                "sshPort": self.cloud.addresses.ssh_port,
                "seconds": entry.seconds(),
                "preempted": entry.is_preempted,
                "hostKey": entry.vm.host_key if entry.vm else "",
                "folder": str(entry.vm.folder) if entry.vm else "",
                "isPoweredOn": bool(entry.vm and not entry.vm.has_ended.is_set()),
                "serial": entry.serial_output().decode("utf-8", "replace"),
            }
            for entry in self.cloud.ever
        ]

    def _get_requests(self, values: Values) -> list[Values]:
        return self.log.since(int(values.get("since", 0)))

    def _get_faults(self, _: Values) -> list[Values]:
        return [fault.summary() for fault in self.cloud.faults.all]

    # MARK: Faults and settings

    def _post_faults(self, values: Values) -> Values:
        return self.cloud.faults.add(values).summary()

    def _delete_faults(self, values: Values) -> Values:
        self.cloud.faults.remove(values.get("id"))
        return {}

    def _post_config(self, values: Values) -> Values:
        configuration.update(self.cloud.config, values)
        return {}

    # MARK: What happens to instances

    def _one(self, values: Values) -> Instance:
        found = [entry for entry in self.cloud.instances.values() if entry.name == values["name"]]
        if len(found) != 1:
            raise LookupError(f"{len(found)} instances are called {values['name']}")
        return found[0]

    def _post_preempt(self, values: Values) -> Values:
        notice = values.get("notice")
        self._one(values).preempt(None if notice is None else float(notice))
        return {}

    def _post_kill(self, values: Values) -> Values:
        self._one(values).die(values.get("then", "STOP"))
        return {}

    def _order(self, values: Values, order: str) -> Values:
        vm = self._one(values).vm
        if vm is None:
            raise LookupError(f"{values['name']} has not booted")
        vm.order(order)
        return {}

    def _post_freeze(self, values: Values) -> Values:
        return self._order(values, "freeze")

    def _post_thaw(self, values: Values) -> Values:
        return self._order(values, "thaw")

    def _post_wait(self, values: Values) -> Values:
        """Waits until an instance has a status, GONE for one that is no longer there; or sshd for one that answers."""

        def holds() -> bool:
            found = [entry for entry in self.cloud.ever if entry.name == values["name"]]
            if not found:
                return False
            if values["status"] == "SSH":
                vm = found[-1].vm
                return vm is not None and vm.is_listening()
            return found[-1].status == str(values["status"])

        limit = time.monotonic() + float(values.get("seconds", 30))
        while not holds():
            if time.monotonic() > limit:
                raise LookupError(f"{values['name']} is not {values['status']}")
            self.cloud.shared.changed.wait(0.05)
        return {}

    # MARK: Tokens

    def _post_token(self, values: Values) -> Values:
        scopes = set(values.get("scopes", [configuration.CLOUD_SCOPE]))
        return self.cloud.tokens.make(values.get("user", "tester@example.com"), scopes, values.get("seconds"))

    def _post_revoke(self, values: Values) -> Values:
        return {"revoked": self.cloud.tokens.revoke(values.get("token"))}

    def _post_serviceaccount(self, _: Values) -> Values:
        return self.cloud.tokens.new_service_account(self.token_uri)

    def _post_authorizeduser(self, _: Values) -> Values:
        return self.cloud.tokens.new_authorized_user()
