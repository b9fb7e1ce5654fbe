"""Metadata servers: one for the machine that drives, one for each instance."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from .cloud import Cloud
from .httpd import Reply, Request, Server
from .machines import DONE_STATES, Instance

ROOT = "/computeMetadata/v1/"
HEADERS = {"Metadata-Flavor": "Google", "X-XSS-Protection": "0", "X-Frame-Options": "SAMEORIGIN"}


def _text(code: int, text: str, **headers: str) -> Reply:
    return Reply(code, text, HEADERS | headers, "application/text" if code == 200 else "text/html; charset=UTF-8")


def _as_json(tree: Any) -> Any:
    """A part of the tree as JSON has it: names in camelCase, and what is numbered as a list. Keys of users stay."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isdigit() for key in tree):
        return [_as_json(value) for value in tree.values()]
    return {
        re.sub("-(.)", lambda match: match[1].upper(), key) if "@" not in key else key: value
        if key in ("attributes", "guest-attributes")
        else _as_json(value)
        for key, value in tree.items()
    }


class MetadataServer:
    """Answers for one machine; `instance` is None for the one that drives."""

    def __init__(self, cloud: Cloud, instance: Instance | None) -> None:
        self.cloud = cloud
        self.instance = instance

    def answer(self, request: Request) -> Reply:
        """Answers one request."""
        if request.path == "/":
            return _text(200, "computeMetadata/\n")
        if not request.path.startswith(ROOT):
            return _text(404, "Not Found")
        if request.headers.get("metadata-flavor") != "Google" or "x-forwarded-for" in request.headers:
            return _text(403, "Missing Metadata-Flavor:Google header.")
        with self.cloud.shared.changed:
            if request.method == "PUT":
                return self._put(request)
            if request.method != "GET":
                return _text(405, "Method Not Allowed")
            return self._get(request)

    # MARK: Reading

    def _get(self, request: Request) -> Reply:
        path = request.path[len(ROOT) :]
        query = dict(request.query)
        if path == "instance/service-accounts/default/token":
            return self._token()
        tree = self._find(path)
        if query.get("wait_for_change") == "true":
            known = query.get("last_etag", self._etag(tree))
            limit = float(query["timeout_sec"]) if "timeout_sec" in query else None
            self.cloud.shared.changed.wait_for(lambda: self._is_off() or self._etag(self._find(path)) != known, limit)
            tree = self._find(path)
        if tree is None:
            return _text(404, "Not Found")
        return self._show(tree, path, query)

    def _show(self, tree: Any, path: str, query: dict[str, str]) -> Reply:
        etag = self._etag(tree)
        if isinstance(tree, dict) and query.get("recursive") != "true":
            if not path.endswith("/"):
                return _text(301, path + "/", Location=ROOT + path + "/")
            names = [name + "/" if isinstance(value, dict) else name for name, value in tree.items()]
            return _text(200, "".join(name + "\n" for name in names), ETag=etag)
        if isinstance(tree, dict) or query.get("alt") == "json":
            reply = _text(200, json.dumps(_as_json(tree)), ETag=etag)
            reply.content_type = "application/json"
            return reply
        return _text(200, "".join(item + "\n" for item in tree) if isinstance(tree, list) else str(tree), ETag=etag)

    def _is_off(self) -> bool:
        return self.instance is not None and self.instance.status in DONE_STATES

    @staticmethod
    def _etag(tree: Any) -> str:
        return hashlib.sha256(json.dumps(tree).encode()).hexdigest()[:16]

    def _find(self, path: str) -> Any:
        tree: Any = self._tree()
        for part in path.strip("/").split("/"):
            if part and (not isinstance(tree, dict) or part not in tree):
                return None
            tree = tree[part] if part else tree
        return tree

    def _tree(self) -> dict[str, Any]:
        config = self.cloud.config
        project = {"project-id": config.project, "numeric-project-id": config.project_number, "attributes": {}}
        return {"instance": self._instance_tree(), "project": project}

    def _instance_tree(self) -> dict[str, Any]:
        config = self.cloud.config
        number = config.project_number
        if self.instance is None:
            zone = next(iter(self.cloud.catalogue.zones))
            return {
                "name": "driver",
                "id": "1",
                "zone": f"projects/{number}/zones/{zone}",
                "preempted": "FALSE",
                "hostname": f"driver.{zone}.c.{config.project}.internal",
                "attributes": {},
                "machine-type": f"projects/{number}/machineTypes/e2-standard-2",
                "service-accounts": self._accounts(config.driver_service_account, config.driver_scopes),
            }
        resource = self.instance.resource
        interface = resource["networkInterfaces"][0]
        account = (resource.get("serviceAccounts") or [{}])[0]
        machine = resource["machineType"].rpartition("/")[2]
        return {
            "name": self.instance.name,
            "id": self.instance.identity,
            "zone": f"projects/{number}/zones/{self.instance.zone}",
            "hostname": f"{self.instance.name}.{self.instance.zone}.c.{config.project}.internal",
            "machine-type": f"projects/{number}/machineTypes/{machine}",
            "preempted": "TRUE" if self.instance.is_preempted else "FALSE",
            "maintenance-event": "NONE",
            "scheduling": {
                "preemptible": str(resource["scheduling"]["preemptible"]).upper(),
                "automatic-restart": str(resource["scheduling"]["automaticRestart"]).upper(),
                "on-host-maintenance": resource["scheduling"]["onHostMaintenance"],
            },
            "attributes": self.instance.metadata,
            "guest-attributes": self._guest_tree(),
            "network-interfaces": {
                "0": {
                    "ip": interface.get("networkIP", ""),
                    "access-configs": {"0": {"external-ip": self.instance.external, "type": "ONE_TO_ONE_NAT"}},
                }
            },
            "service-accounts": self._accounts(account["email"], account.get("scopes", [])) if account else {},
        }

    def _guest_tree(self) -> dict[str, Any]:
        tree: dict[str, Any] = {}
        for path, value in (self.instance.guest_attributes if self.instance else {}).items():
            namespace, _, key = path.partition("/")
            tree.setdefault(namespace, {})[key] = value
        return tree

    def _accounts(self, email: str, scopes: list[str]) -> dict[str, Any]:
        if email == "default":
            email = str(self.cloud.project()["defaultServiceAccount"])
        one = {"aliases": ["default"], "email": email, "scopes": scopes}
        return {"default": one, email: one}

    # MARK: Tokens and guest attributes

    def _token(self) -> Reply:
        if self._find("instance/service-accounts/default") is None:
            return _text(404, "Not Found")
        account = self._find("instance/service-accounts/default")
        token = self.cloud.tokens.make(account["email"], set(account["scopes"]))
        reply = Reply(200, token, dict(HEADERS))
        reply.content_type = "application/json"
        return reply

    def _put(self, request: Request) -> Reply:
        prefix = ROOT + "instance/guest-attributes/"
        path = request.path[len(prefix) :]
        if not request.path.startswith(prefix) or path.count("/") != 1 or not all(path.split("/")):
            return _text(404, "Not Found")
        if self.instance is None or self.instance.metadata.get("enable-guest-attributes", "").lower() != "true":
            return _text(403, "Guest attributes endpoint access is disabled.")
        if len(request.body) > 256 << 10:
            return _text(400, "Value is too long.")
        self.instance.guest_attributes[path] = request.body.decode("utf-8", "replace")
        self.cloud.shared.notify()
        return _text(200, "")


def serve(cloud: Cloud, address: str, port: int, instance: Instance | None) -> Server:
    """Starts one."""
    return Server((address, port), MetadataServer(cloud, instance).answer, banner="Metadata Server for VM")
