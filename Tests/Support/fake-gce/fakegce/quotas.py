"""What may be used in a region, and what is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .config import Config

AMPLE = {
    "CPUS": 2400.0,
    "INSTANCES": 24000.0,
    "IN_USE_ADDRESSES": 2300.0,
    "SSD_TOTAL_GB": 500000.0,
    "DISKS_TOTAL_GB": 500000.0,
    "LOCAL_SSD_TOTAL_GB": 100000.0,
    "PREEMPTIBLE_CPUS": 0.0,
}
FAMILIES = {
    "n2-": "N2_CPUS",
    "n2d-": "N2D_CPUS",
    "c2-": "C2_CPUS",
    "c3-": "C3_CPUS",
    "t2d-": "T2D_CPUS",
    "a2-": "A2_CPUS",
}


class QuotaExceeded(Exception):
    """A metric that an instance would take beyond its limit."""

    def __init__(self, metric: str, limit: float, region: str) -> None:
        super().__init__(f"Quota '{metric}' exceeded.  Limit: {limit:.1f} in region {region}.")
        self.metric = metric
        self.limit = limit
        self.region = region

    def details(self) -> list[dict[str, Any]]:
        """What the operation's error says beside the message."""
        return [
            {
                "quotaInfo": {
                    "metricName": f"compute.googleapis.com/{self.metric.lower()}",
                    "limitName": f"{self.metric}-per-project-region",
                    "dimensions": {"region": self.region},
                    "limit": self.limit,
                }
            }
        ]


def needs(resource: dict[str, Any], cpus: int, has_preemptible: bool) -> dict[str, float]:
    """What an instance uses, by metric."""
    machine = resource["machineType"].rpartition("/")[2]
    metric = next((name for prefix, name in FAMILIES.items() if machine.startswith(prefix)), "CPUS")
    is_spot = resource["scheduling"]["provisioningModel"] == "SPOT"
    if is_spot and has_preemptible:
        metric = "PREEMPTIBLE_CPUS"
    found: dict[str, float] = {"INSTANCES": 1, metric: cpus}
    found["IN_USE_ADDRESSES"] = sum("accessConfigs" in entry for entry in resource["networkInterfaces"])
    for disk in resource["disks"]:
        name = "LOCAL_SSD_TOTAL_GB" if disk["type"] == "SCRATCH" else "DISKS_TOTAL_GB"
        found[name] = found.get(name, 0) + disk["diskSizeGb"]
    for entry in resource.get("guestAccelerators", []):
        model = entry["acceleratorType"].rpartition("-")[2].upper()
        name = f"{'PREEMPTIBLE_' if is_spot else ''}NVIDIA_{model}_GPUS"
        found[name] = found.get(name, 0) + entry["acceleratorCount"]
    return found


class Quotas:
    """Limits by region."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def limits(self, region: str) -> dict[str, float]:
        """All limits of a region."""
        return AMPLE | self.config.quotas.get(region, {})

    def has_preemptible(self, region: str) -> bool:
        """Whether Spot machines count by themselves here."""
        return self.limits(region)["PREEMPTIBLE_CPUS"] > 0

    def check(self, region: str, used: Iterable[dict[str, float]], wanted: dict[str, float]) -> None:
        """Raises QuotaExceeded where the wanted doesn't fit beside what is used."""
        limits = self.limits(region)
        total = sum_up(used)
        for metric, amount in wanted.items():
            if total.get(metric, 0) + amount > limits.get(metric, float("inf")):
                raise QuotaExceeded(metric, limits[metric], region)

    def usage(self, region: str, used: Iterable[dict[str, float]]) -> list[dict[str, Any]]:
        """As a region's `quotas` show it."""
        total = sum_up(used)
        return [
            {"metric": metric, "limit": limit, "usage": float(total.get(metric, 0))}
            for metric, limit in sorted(self.limits(region).items())
        ]


def sum_up(used: Iterable[dict[str, float]]) -> dict[str, float]:
    """The sum, metric by metric."""
    total: dict[str, float] = {}
    for entry in used:
        for metric, amount in entry.items():
            total[metric] = total.get(metric, 0) + amount
    return total
