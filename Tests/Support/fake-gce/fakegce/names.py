"""Names of resources, and the forms of URLs in which Google takes them."""

from __future__ import annotations

import re

from .errors import invalid

NAME = r"(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)"
ORIGIN = re.compile(r"https://(www\.googleapis\.com|compute\.googleapis\.com)/compute/(v1|beta|alpha)/")
# Where this fake listens, once it does: to who was led here it is what Google's own hosts are to others.
own_prefix = ""
PREFIX = "https://www.googleapis.com/compute/v1/"
PROJECT = r"(?:[a-z0-9.-]+:)?[a-z][-a-z0-9]{4,28}[a-z0-9]"


def is_name(text: str) -> bool:
    """Whether Google takes this as a resource's name."""
    return re.fullmatch(NAME, text) is not None


def check_name(field: str, text: str) -> str:
    """The name, which is refused where it isn't one."""
    if not is_name(text):
        raise invalid(field, text, f"Must be a match of regex '{NAME}'")
    return text


def partial(field: str, url: str, project: str) -> str:
    """A full or partial URL as a path from projects/ on."""
    path = url.removeprefix(own_prefix) if own_prefix else url
    path = ORIGIN.sub("", path, count=1)
    if re.match(r"(global|zones/[^/]+|regions/[^/]+)/", path):
        path = f"projects/{project}/{path}"
    if path == url and url.startswith("http") or not re.fullmatch(r"projects/[^/]+(/[-a-zA-Z0-9_.]+)+", path):
        raise invalid(field, url, "The URL is malformed.")
    return path


def zonal(field: str, url: str, project: str, zone: str, collection: str) -> str:
    """The name of a resource of this zone, of its URL."""
    path = partial(field, url, project)
    match = re.fullmatch(rf"projects/([^/]+)/zones/([^/]+)/{collection}/([^/]+)", path)
    if match is None:
        raise invalid(field, url, "The URL is malformed.")
    if match[2] != zone:
        raise invalid(
            field, url, f"The referenced resource is in zone {match[2]}, which is not the zone of the request: {zone}."
        )
    if match[1] != project:
        raise invalid(field, url, "Cross project referencing is not allowed for this resource.")
    return match[3]


def link(path: str) -> str:
    """The full URL of a path that begins with projects/, as it stands in replies."""
    return PREFIX + path
