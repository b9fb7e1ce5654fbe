"""The REST API: which request does what."""

from __future__ import annotations

import hashlib
import json
import re
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

from . import fields
from .catalogue import ACCELERATORS, DISK_TYPES
from .changes import set_labels, set_metadata
from .cloud import Cloud
from .errors import ApiError, invalid, missing_scope, not_found, rate_limited, unauthenticated
from .errors import fault as failure
from .faults import Fault
from .httpd import Reply, Request
from .listing import page, select
from .machines import Instance
from .messages import check_query, parse
from .names import link
from .operations import Operation
from .requestlog import RequestLog
from .tokens import COMPUTE_SCOPES, READ_SCOPES, Token, TokenError

Values = dict[str, Any]
Z = r"projects/(?P<project>[^/]+)/zones/(?P<zone>[^/]+)"
P = r"projects/(?P<project>[^/]+)"
# The first that fits counts.
ROUTES = [
    ("instances.insert", "POST", Z + r"/instances"),
    ("instances.list", "GET", Z + r"/instances"),
    ("instances.bulkInsert", "POST", Z + r"/instances/bulkInsert"),
    ("instances.setMetadata", "POST", Z + r"/instances/(?P<name>[^/]+)/setMetadata"),
    ("instances.setLabels", "POST", Z + r"/instances/(?P<name>[^/]+)/setLabels"),
    ("instances.getGuestAttributes", "GET", Z + r"/instances/(?P<name>[^/]+)/getGuestAttributes"),
    ("instances.getSerialPortOutput", "GET", Z + r"/instances/(?P<name>[^/]+)/serialPort"),
    ("instances.get", "GET", Z + r"/instances/(?P<name>[^/]+)"),
    ("instances.delete", "DELETE", Z + r"/instances/(?P<name>[^/]+)"),
    ("instances.aggregatedList", "GET", P + r"/aggregated/instances"),
    ("zoneOperations.wait", "POST", Z + r"/operations/(?P<name>[^/]+)/wait"),
    ("zoneOperations.get", "GET", Z + r"/operations/(?P<name>[^/]+)"),
    ("zoneOperations.list", "GET", Z + r"/operations"),
    ("machineTypes.get", "GET", Z + r"/machineTypes/(?P<name>[^/]+)"),
    ("machineTypes.list", "GET", Z + r"/machineTypes"),
    ("machineTypes.aggregatedList", "GET", P + r"/aggregated/machineTypes"),
    ("diskTypes.get", "GET", Z + r"/diskTypes/(?P<name>[^/]+)"),
    ("diskTypes.list", "GET", Z + r"/diskTypes"),
    ("acceleratorTypes.get", "GET", Z + r"/acceleratorTypes/(?P<name>[^/]+)"),
    ("acceleratorTypes.list", "GET", Z + r"/acceleratorTypes"),
    ("zones.get", "GET", Z),
    ("zones.list", "GET", P + r"/zones"),
    ("regions.get", "GET", P + r"/regions/(?P<region>[^/]+)"),
    ("regions.list", "GET", P + r"/regions"),
    ("subnetworks.get", "GET", P + r"/regions/(?P<region>[^/]+)/subnetworks/(?P<name>[^/]+)"),
    ("firewalls.list", "GET", P + r"/global/firewalls"),
    ("networks.get", "GET", P + r"/global/networks/(?P<name>[^/]+)"),
    ("images.getFromFamily", "GET", P + r"/global/images/family/(?P<name>[^/]+)"),
    ("images.get", "GET", P + r"/global/images/(?P<name>[^/]+)"),
    ("projects.get", "GET", P),
]
PATTERNS = [(operation, method, re.compile("/compute/v1/" + pattern)) for operation, method, pattern in ROUTES]
# 64-bit integers stand in JSON as strings.
LONG = {"diskSizeGb"}


def long_as_text(value: Any) -> Any:
    """The resource as JSON has it: a copy, with 64-bit integers as strings."""
    if isinstance(value, dict):
        return {
            key: str(item) if key in LONG or key == "seconds" and isinstance(item, int) else long_as_text(item)
            for key, item in value.items()
        }
    return [long_as_text(item) for item in value] if isinstance(value, list) else value


def html_not_found(path: str) -> Reply:
    """What Google's front end says where there is no such URL."""
    text = f"<!DOCTYPE html>\n<title>Error 404 (Not Found)!!1</title>\n<p>The requested URL {path} was not found.\n"
    return Reply(404, text, content_type="text/html; charset=UTF-8")


class Api:
    """Answers requests."""

    def __init__(self, cloud: Cloud, log: RequestLog) -> None:
        self.cloud = cloud
        self.log = log

    def answer(self, request: Request) -> Reply:
        """Answers one, and writes it down."""
        began = time.monotonic()
        if request.path == "/token" and request.method == "POST":
            operation, reply = "token", self._token(request)
        else:
            operation, reply = self._route(request)
        self.log.add(request, operation, reply, time.monotonic() - began)
        return reply

    def _token(self, request: Request) -> Reply:
        try:
            with self.cloud.shared.changed:
                return self._with_faults(request, "token", {}, lambda: Reply(200, self._grant(request)))
        except ApiError as error:
            return Reply(error.code, error.body(), error.headers)
        except TokenError as error:
            return Reply(error.code, error.body)

    def _grant(self, request: Request) -> Values:
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise TokenError("invalid_request", "The body must be a form.")
        return self.cloud.tokens.grant(request.form())

    def _route(self, request: Request) -> tuple[str, Reply]:
        fitting = [
            (operation, method, match)
            for operation, method, pattern in PATTERNS
            if (match := pattern.fullmatch(request.path))
        ]
        found = [(operation, match) for operation, method, match in fitting if method == request.method]
        if not found:
            return "", html_not_found(request.path)
        operation, match = found[0]
        parts = {key: urllib.parse.unquote(value) for key, value in match.groupdict().items()}
        try:
            with self.cloud.shared.changed:

                def act() -> Reply:
                    mask = self._mask(request)
                    return Reply(200, fields.select(long_as_text(self._act(operation, parts, request)), mask))

                return operation, self._with_faults(request, operation, parts, act)
        except ApiError as error:
            return operation, Reply(error.code, error.body(), error.headers)

    @staticmethod
    def _mask(request: Request) -> fields.Mask:
        text = dict(request.query).get("fields")
        return fields.parse(text) if text else {}

    # MARK: Faults

    def _with_faults(self, request: Request, operation: str, parts: Values, act: Callable[[], Reply]) -> Reply:
        facts = {
            "operation": operation,
            "path": request.path,
            "method": request.method,
            "zone": parts.get("zone", ""),
            "name": parts.get("name", ""),
        }
        fault = self.cloud.faults.of_request(facts)
        if fault is None:
            return act()
        return self._strike(fault, act)

    def _strike(self, fault: Fault, act: Callable[[], Reply]) -> Reply:
        kind = fault.rule["kind"]
        if kind == "drop":
            return Reply(0, cut=True)
        if kind == "rateLimit":
            raise rate_limited(fault.get("code", 429), fault.get("retryAfter", 1), self.cloud.config.project_number)
        if kind == "status":
            error = failure(fault.get("code", 503))
            if "retryAfter" in fault.rule:
                error.headers["Retry-After"] = f"{fault.get('retryAfter'):g}"
            raise error
        if kind == "slow":
            # Others go on meanwhile.
            self.cloud.shared.changed.wait_for(lambda: False, fault.get("seconds", 1))
        reply = act()
        if kind == "loseReply":
            reply.cut = True
        if kind == "garbage":
            reply.value = "<html>Error</html>"
        return reply

    # MARK: What is asked for

    def _authorise(self, request: Request) -> Token:
        header = request.headers.get("authorization", "")
        match = re.fullmatch(r"(?i:bearer) (\S+)", header)
        if match is None:
            raise unauthenticated(bool(header))
        token = self.cloud.tokens.find(match[1])
        if token is None:
            raise unauthenticated(True)
        if not token.scopes & (READ_SCOPES if request.method == "GET" else COMPUTE_SCOPES):
            raise missing_scope()
        return token

    def _act(self, operation: str, parts: Values, request: Request) -> Values:
        token = self._authorise(request)
        query = check_query(operation, request.query)
        for key in ("sourceInstanceTemplate", "sourceMachineImage"):
            if key in query:
                raise invalid(key, query[key], "The fake knows neither templates nor machine images.")
        if not operation.startswith("images."):
            self.cloud.catalogue.check_project(parts["project"])
        if "zone" in parts:
            self.cloud.catalogue.check_zone(parts["zone"])
        self.cloud.calls[operation] = self.cloud.calls.get(operation, 0) + 1
        if request.method in ("POST", "DELETE") and operation != "zoneOperations.wait":
            return self._mutate(operation, parts, query, request, token)
        collection, verb = operation.split(".")
        if verb in ("list", "aggregatedList"):
            return self._list(collection, verb, parts, query)
        return self._get(operation, parts, query)

    def _mutate(self, operation: str, parts: Values, query: Values, request: Request, token: Token) -> Values:
        body = self._body(operation, request)
        canonical = json.dumps([request.method, request.path, body], sort_keys=True)
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        found = self.cloud.operations.earlier(query.get("requestId"), digest)
        if found is None:
            found = self._do(operation, parts, body, token.user)
            self.cloud.operations.keep(query.get("requestId"), digest, found)
        return found.resource

    @staticmethod
    def _body(operation: str, request: Request) -> Values:
        messages = {
            "instances.insert": "Instance",
            "instances.bulkInsert": "BulkInsertInstanceResource",
            "instances.setMetadata": "Metadata",
            "instances.setLabels": "InstancesSetLabelsRequest",
        }
        if operation not in messages:
            return {}
        content_type = request.headers.get("content-type", "")
        if request.body and not content_type.startswith("application/json"):
            raise ApiError(400, "parseError", f"This API does not support parsing a body of type '{content_type}'.")
        return parse(request.body, messages[operation])

    def _do(self, operation: str, parts: Values, body: Values, user: str) -> Operation:
        if operation == "instances.insert":
            return self.cloud.insert(parts["zone"], body, user)
        if operation == "instances.bulkInsert":
            return self.cloud.bulk_insert(parts["zone"], body, user)
        if operation in ("instances.setMetadata", "instances.setLabels"):
            change = set_metadata if operation == "instances.setMetadata" else set_labels
            return change(self.cloud, self.cloud.instance(parts["zone"], parts["name"]), body, user)
        return self.cloud.delete(parts["zone"], parts["name"], user)

    def _get(self, operation: str, parts: Values, query: Values) -> Values:
        cloud, catalogue = self.cloud, self.cloud.catalogue
        zone, name, region = (parts.get(key, "") for key in ("zone", "name", "region"))
        readers: dict[str, Callable[[], Values | None]] = {
            "instances.get": lambda: cloud.instance(zone, name).resource,
            "instances.getGuestAttributes": lambda: self._guest_attributes(cloud.instance(zone, name), query),
            "instances.getSerialPortOutput": lambda: self._serial(cloud.instance(zone, name), query),
            "zoneOperations.get": lambda: cloud.operations.get(zone, name).resource,
            "zoneOperations.wait": lambda: cloud.operations.wait(zone, name).resource,
            "machineTypes.get": lambda: catalogue.machine_type(zone, name),
            "diskTypes.get": lambda: catalogue.disk_type(zone, name),
            "acceleratorTypes.get": lambda: catalogue.accelerator_type(zone, name),
            "zones.get": lambda: catalogue.zone(zone),
            "regions.get": lambda: cloud.region(region),
            "subnetworks.get": lambda: catalogue.subnetwork(region, name),
            "networks.get": lambda: catalogue.network(name),
            "images.getFromFamily": lambda: catalogue.family_image(parts["project"], name),
            "images.get": lambda: catalogue.image(parts["project"], name),
            "projects.get": cloud.project,
        }
        found = readers[operation]()
        if found is None:
            raise not_found(self._path(operation, parts))
        return found

    @staticmethod
    def _path(operation: str, parts: Values) -> str:
        pattern = next(pattern for other, _, pattern in ROUTES if other == operation)
        return re.sub(r"\(\?P<(\w+)>\[\^/\]\+\)", lambda match: str(parts[match[1]]), pattern)

    # MARK: Lists

    def _list(self, collection: str, verb: str, parts: Values, query: Values) -> Values:
        items = self._items(collection, parts)
        kind = {
            "instances": "compute#instance",
            "zoneOperations": "compute#operation",
            "zones": "compute#zone",
            "machineTypes": "compute#machineType",
            "diskTypes": "compute#diskType",
            "regions": "compute#region",
            "acceleratorTypes": "compute#acceleratorType",
            "firewalls": "compute#firewall",
        }[collection]
        path = f"projects/{self.cloud.config.project}" + (f"/zones/{parts['zone']}" if "zone" in parts else "")
        items = select([long_as_text(item) for item in items], query)
        found: Values = {"kind": kind + "List", "id": f"{path}/{collection}"}
        if verb == "aggregatedList":
            found = {"kind": kind + "AggregatedList", "id": f"{path}/aggregated/{collection}"}
            items.sort(key=lambda item: (item["zone"], item["name"]))
            items, token = page(items, query, lambda item: f"{item['zone']} {item['name']}")
            found["items"] = self._by_scope(collection, items)
        else:
            items, token = page(items, query, lambda item: str(item["name"]))
            if items:
                found["items"] = items
        found["selfLink"] = link(str(found["id"]))
        return found | ({"nextPageToken": token} if token else {})

    def _items(self, collection: str, parts: Values) -> list[Values]:
        cloud, catalogue = self.cloud, self.cloud.catalogue
        zones = [parts["zone"]] if "zone" in parts else list(catalogue.zones)
        if collection == "instances":
            return [entry.resource for zone in zones for entry in cloud.in_zone(zone)]
        if collection == "zoneOperations":
            return [entry.resource for (zone, _), entry in cloud.operations.all.items() if zone in zones]
        if collection == "machineTypes":
            return [entry for zone in zones for entry in catalogue.machine_types(zone)]
        if collection == "zones":
            return [catalogue.zone(zone) for zone in zones]
        if collection == "firewalls":
            return catalogue.firewalls()
        if collection == "regions":
            return [cloud.region(region) for region in cloud.config.regions]
        find = catalogue.disk_type if collection == "diskTypes" else catalogue.accelerator_type
        names = DISK_TYPES if collection == "diskTypes" else ACCELERATORS
        return [entry for zone in zones for name in names if (entry := find(zone, name))]

    def _by_scope(self, collection: str, items: list[Values]) -> Values:
        scopes: Values = {}
        for zone in self.cloud.catalogue.zones:
            own = [item for item in items if item["zone"].rpartition("/")[2] == zone]
            scope = f"zones/{zone}"
            scopes[scope] = (
                {collection: own}
                if own
                else {
                    "warning": {
                        "code": "NO_RESULTS_ON_PAGE",
                        "message": f"There are no results for scope '{scope}' on this page.",
                        "data": [{"key": "scope", "value": scope}],
                    }
                }
            )
        return scopes

    # MARK: What instances say

    def _guest_attributes(self, instance: Instance, query: Values) -> Values:
        path = query.get("queryPath", "")
        key = query.get("variableKey", "")
        found = {
            name: value
            for name, value in instance.guest_attributes.items()
            if name == key or not key and (name == path or name.startswith(path.rstrip("/") + "/") or not path)
        }
        if not found:
            raise ApiError(404, "notFound", f"The resource '{key or path}' of type 'Guest Attribute' was not found.")
        reply = {"kind": "compute#guestAttributes", "selfLink": link(f"{instance.path}/guestAttributes/{key or path}")}
        if key:
            return reply | {"variableKey": key, "variableValue": found[key]}
        items = [
            {"namespace": name.partition("/")[0], "key": name.partition("/")[2], "value": value}
            for name, value in sorted(found.items())
        ]
        return reply | {"queryPath": path, "queryValue": {"items": items}}

    def _serial(self, instance: Instance, query: Values) -> Values:
        port = query.get("port", 1)
        if not 1 <= port <= 4:
            raise invalid("port", port, "Must be between 1 and 4, inclusive.")
        data = instance.serial_output() if port == 1 else b""
        start = query.get("start", 0)
        start = max(0, len(data) + start) if start < 0 else start
        part = data[start : start + (1 << 20)]
        return {
            "kind": "compute#serialPortOutput",
            "contents": part.decode("utf-8", "replace"),
            "start": str(start),
            "next": str(start + len(part)),
            "selfLink": link(f"{instance.path}/serialPort"),
        }
