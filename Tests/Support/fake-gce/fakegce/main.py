"""Starts everything."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import threading

from . import config as configuration
from . import guard


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="fake-gce",
        description="A fake of Google Compute Engine. It prints a line "
        'of JSON with its addresses, then "ready", and ends with its standard input.',
    )
    parser.add_argument("folder", type=pathlib.Path, help="where everything of it lies; made where it doesn't exist")
    parser.add_argument("--config", help="a JSON file of settings and faults")
    parser.add_argument("--port", type=int, default=0, help="of the API on 127.0.0.1; free ones otherwise")
    parser.add_argument("--stay", action="store_true", help="go on when the standard input ends")
    return parser.parse_args()


def _start(arguments: argparse.Namespace, config: configuration.Config) -> tuple[dict[str, object], object]:
    from . import names
    from .api import Api
    from .cloud import Cloud
    from .control import Control
    from .httpd import Server
    from .metadata import serve
    from .requestlog import RequestLog

    folder: pathlib.Path = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "vms", ignore_errors=True)
    cloud = Cloud(config, folder)
    cloud.serve_metadata = lambda instance, address: serve(cloud, address, cloud.addresses.metadata_port, instance)
    log = RequestLog(folder / "requests.jsonl")
    api = Server(("127.0.0.1", arguments.port), Api(cloud, log).answer)
    base = f"http://127.0.0.1:{api.port}"
    names.own_prefix = f"{base}/compute/v1/"
    control = Server(("127.0.0.1", 0), Control(cloud, log, f"{base}/token").answer, banner="fake-gce")
    driver = serve(cloud, cloud.addresses.metadata, cloud.addresses.metadata_port, None)
    ready = {
        "api": base,
        "compute": f"{base}/compute/v1",
        "token": f"{base}/token",
        "control": f"http://127.0.0.1:{control.port}/control",
        "metadataHost": f"{cloud.addresses.metadata}:{driver.port}",
        "accessToken": config.access_token,
        "project": config.project,
        "sshPort": cloud.addresses.ssh_port,
        "requests": str(log.path),
    }
    return ready, cloud


def _wait(until_end_of_input: bool) -> None:
    """Until a signal comes, or its standard input ends."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: os._exit(0))
    if until_end_of_input:
        while os.read(0, 4096):
            pass
        return
    threading.Event().wait()


def main() -> None:
    """Runs until it is ended; the machines end with it."""
    arguments = _arguments()
    try:
        config = configuration.load(arguments.config)
    except (OSError, ValueError) as error:
        raise SystemExit(f"fake-gce: {arguments.config}: {error}") from error
    guard.enter()
    ready, _ = _start(arguments, config)
    path = arguments.folder / "ready.json"
    path.with_suffix(".new").write_text(json.dumps(ready) + "\n", encoding="utf-8")
    path.with_suffix(".new").rename(path)
    print(json.dumps(ready), "ready", sep="\n", flush=True)
    _wait(not arguments.stay)
    sys.stdout.flush()
    os._exit(0)
