"""What can be configured, and what holds where nothing is said."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
from typing import Any

CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@dataclasses.dataclass
class Config:
    """The names in the JSON file are these in camelCase. Times are in seconds."""

    project: str = "test-project"
    project_number: str = "123456789012"
    # Letters of zones by region.
    regions: dict[str, str] = dataclasses.field(
        default_factory=lambda: {"us-central1": "abcf", "us-east1": "bcd", "europe-west4": "abc"}
    )
    networks: list[str] = dataclasses.field(default_factory=lambda: ["default"])
    # The project's own: family, name, GB.
    images: list[list[Any]] = dataclasses.field(default_factory=list)
    missing_machine_types: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    missing_accelerator_types: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    # Limits by region and metric that are really counted: CPUS, PREEMPTIBLE_CPUS, INSTANCES, IN_USE_ADDRESSES,
    # NVIDIA_T4_GPUS and the like. Those not given here are ample.
    quotas: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict)
    # Whether an insert beyond a quota is refused with 403, or its operation fails.
    quota_refused_at_once: bool = False

    operation_pending: float = 0.02
    operation_running: float = 0.03
    provisioning: float = 0.0
    staging: float = 0.0
    # From RUNNING until sshd answers.
    boot: float = 0.0
    # From a change of an instance's keys until its guest agent has taken it in.
    agent_delay: float = 0.05
    # From the last step of an instance's shutdown until it is gone.
    stopping: float = 0.0
    # From notice of preemption until power is off.
    preemption_notice: float = 30.0
    # How long the guest may take to shut down where nobody preempts it.
    shutdown_limit: float = 90.0
    # Values of maxRunDuration, in seconds, that are taken though Google refuses them as too short.
    short_run_durations: list[int] = dataclasses.field(default_factory=list)
    # How long `wait` blocks at most.
    wait_limit: float = 120.0

    token_lifetime: float = 3599.0
    # A token that holds from the start, for clients that are given one.
    access_token: str = "ya29.test-token"
    # What the metadata server of the machine that drives says.
    driver_service_account: str = "driver@test-project.iam.gserviceaccount.com"
    driver_scopes: list[str] = dataclasses.field(default_factory=lambda: [CLOUD_SCOPE])
    # Whether root may log in to machines; Google's images refuse it.
    permit_root_login: bool = False
    faults: list[dict[str, Any]] = dataclasses.field(default_factory=list)


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), name)


def load(path: str | None) -> Config:
    """The configuration of a JSON file; without one, what holds by default.

    Raises ValueError, which says what is wrong.
    """
    config = Config()
    if path is None:
        return config
    update(config, json.loads(pathlib.Path(path).read_text(encoding="utf-8")))
    return config


def update(config: Config, values: dict[str, Any]) -> None:
    """Sets what is given."""
    kinds = {field.name: type(getattr(config, field.name)) for field in dataclasses.fields(config)}
    for key, value in values.items():
        kind = kinds.get(_snake(key))
        if kind is None or key != "".join(w if i == 0 else w.title() for i, w in enumerate(_snake(key).split("_"))):
            raise ValueError(f"unknown setting: {key}")
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        given = float(value) if kind is float and is_whole else value
        if not isinstance(given, kind):
            raise ValueError(f"{key}: a {kind.__name__} is expected")
        setattr(config, _snake(key), given)
