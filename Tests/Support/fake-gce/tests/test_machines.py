"""Machines: logging in, what they see, and how they end."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import tempfile
import time

from .support import ZONE, Body, Fake, FakeTest, instance

SSH = [
    "ssh",
    "-F",
    "none",
    "-o",
    "BatchMode=yes",
    "-o",
    "IdentitiesOnly=yes",
    "-o",
    "GlobalKnownHostsFile=none",
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    "ConnectTimeout=10",
    "-o",
    "LogLevel=error",
]
QUERY = "curl -sH Metadata-Flavor:Google http://metadata.google.internal/computeMetadata/v1/instance/"


class MachineTest(FakeTest):
    """Over ssh, with a key made here."""

    settings = {"preemptionNotice": 0.3, "shortRunDurations": [1]}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.path = pathlib.Path(folder.name)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(cls.path / "id")], check=True)
        cls.key = (cls.path / "id.pub").read_text(encoding="ascii").strip()

    def make(self, name: str, metadata: dict[str, str] | None = None, **others: object) -> Body:
        """A machine that lets the user `worker` in."""
        items = {"ssh-keys": f"worker:{self.key}", "enable-guest-attributes": "TRUE"} | (metadata or {})
        body = instance(name, **others)
        body["metadata"] = {"items": [{"key": key, "value": value} for key, value in items.items()]}
        return self.fake.make(body)

    def host_key(self, name: str) -> str:
        """The host key that the guest attributes give, once they do."""
        path = f"zones/{ZONE}/instances/{name}/getGuestAttributes?queryPath=hostkeys/"
        self.eventually(lambda: self.fake.api("GET", path)[0] == 200)
        item = self.fake.api("GET", path)[1]["queryValue"]["items"][0]
        return f"{item['key']} {item['value']}"

    def command(self, machine: Body, user: str = "worker", address: str = "external") -> list[str]:
        """What logs in."""
        port = machine["sshPort"]
        host = machine[address] if port == 22 else f"[{machine[address]}]:{port}"
        known = self.path / f"known-{machine['name']}"
        known.write_text(f"{host} {self.host_key(machine['name'])}\n", encoding="ascii")
        return SSH + [
            "-i",
            str(self.path / "id"),
            "-o",
            f"UserKnownHostsFile={known}",
            "-p",
            str(port),
            f"{user}@{machine[address]}",
        ]

    def ssh(self, machine: Body, command: str, user: str = "worker", address: str = "external") -> tuple[int, str]:
        """Runs a command there."""
        done = subprocess.run(
            self.command(machine, user, address) + [command],
            stdin=subprocess.DEVNULL,
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout.strip()

    def test_own_world(self) -> None:
        """A name, files and processes of its own; only the users that the metadata name."""
        one, two = self.make("own-one"), self.make("own-two")
        self.assertEqual(
            self.ssh(one, "hostname; whoami; pwd; touch /tmp/here; ls /tmp"), (0, "own-one\nworker\n/home/worker\nhere")
        )
        self.assertEqual(
            self.ssh(two, "ls /tmp; hostname -f", address="internal"), (0, f"own-two.{ZONE}.c.test-project.internal")
        )
        self.assertFalse(pathlib.Path("/tmp/here").exists())
        self.assertEqual(self.ssh(one, "cat /proc/1/comm")[1], "python3")
        self.assertEqual(self.ssh(one, "true", user="root")[0], 255)
        self.assertEqual(self.ssh(one, "true", user="nobody")[0], 255)
        self.assertEqual(self.ssh(one, f"{QUERY}name"), (0, "own-one"))
        self.assertEqual(self.ssh(two, f"{QUERY}preempted"), (0, "FALSE"))

    def test_docker(self) -> None:
        """The stand-in is there where the image has docker, and refuses what docker refuses."""
        plain = self.make("docker-none")
        self.assertNotEqual(self.ssh(plain, "command -v docker")[0], 0)
        disk = {
            "boot": True,
            "autoDelete": True,
            "initializeParams": {"sourceImage": "projects/cos-cloud/global/images/family/cos-stable"},
        }
        script = "docker pull -q debian; usermod -a -G docker worker; docker pull -q nobody/has; echo $? >/tmp/status"
        machine = self.make("docker-cos", {"startup-script": script}, disks=[disk])
        self.eventually(lambda: self.ssh(machine, "cat /tmp/status")[1] == "1")
        good = "docker run --rm -i -w /tmp -v /tmp:/tmp -e A=b --entrypoint '' debian"
        self.assertEqual(self.ssh(machine, good + " sh -c 'echo $A $CONTAINER; pwd'"), (0, "b debian\n/tmp"))
        for wrong in (
            "run debian",
            "run --rm nothing true",
            "run --colour debian true",
            "run -v x:/y debian true",
            "run -w x debian true",
            "run -w /srv debian true",
            "run --gpus all debian true",
            "ps",
            "run --entrypoint debian true",
            "run debian no-such-program",
        ):
            with self.subTest(wrong):
                self.assertIn(self.ssh(machine, f"docker {wrong}")[0], (1, 125, 127))

    def test_changed_metadata(self) -> None:
        """The fingerprint lets one of two changes in; other keys let others in."""
        machine = self.make("changes")
        path = f"zones/{ZONE}/instances/changes"
        self.assertEqual(self.ssh(machine, "true")[0], 0)
        before = self.fake.api("GET", path)[1]
        items = [item for item in before["metadata"]["items"] if item["key"] != "ssh-keys"]
        body = {"fingerprint": before["metadata"]["fingerprint"], "items": items}
        self.assertEqual(self.fake.api("POST", f"{path}/setMetadata", body | {"fingerprint": "x"})[0], 412)
        self.assertEqual(self.fake.api("POST", f"{path}/setMetadata", {"items": items})[0], 412)
        # Both are taken before either is done.
        changes = [self.fake.api("POST", f"{path}/setMetadata", body)[1] for _ in range(2)]
        first, second = (self.fake.done(operation) for operation in changes)
        self.assertNotIn("error", first)
        self.assertEqual(second["error"]["errors"][0]["code"], "CONDITION_NOT_MET")
        self.eventually(lambda: self.ssh(machine, "true")[0] == 255)
        labels = {"labelFingerprint": before["labelFingerprint"], "labels": {"k": "v"}}
        self.fake.done(self.fake.api("POST", f"{path}/setLabels", labels)[1])
        self.assertEqual(self.fake.api("GET", path)[1]["labels"], {"k": "v"})
        status, reply = self.fake.api("POST", f"{path}/setLabels", labels)
        self.assertEqual((status, reply["error"]["errors"][0]["reason"]), (412, "conditionNotMet"))
        status, _ = self.fake.api("POST", f"{path}/setLabels", {"labels": {"k": "v"}})
        self.assertEqual(status, 400)

    def test_startup_script_and_guest_attributes(self) -> None:
        """The script runs, its output is on the console, and what it puts is in the guest attributes."""
        script = f"#!/bin/sh\necho started as $(id -un)\n{QUERY}guest-attributes/test/key -X PUT --data value\nexit 3\n"
        self.make("script", {"startup-script": script})
        base = f"zones/{ZONE}/instances/script"
        self.eventually(lambda: "startup-script: exit status 3" in self.fake.known("script")["serial"])
        contents = self.fake.api("GET", f"{base}/serialPort")[1]["contents"]
        self.assertIn("startup-script: started as root\n", contents)
        found = self.fake.api("GET", f"{base}/getGuestAttributes?queryPath=test/")[1]["queryValue"]["items"]
        self.assertEqual(found, [{"namespace": "test", "key": "key", "value": "value"}])

    def test_powers_itself_off(self) -> None:
        """The guest's shutdown ends this machine alone."""
        other = self.make("stays")
        machine = self.make("goes", {"startup-script": "#!/bin/sh\nsleep 0.2\nexec shutdown -h now\n"})
        self.fake.control("wait", {"name": "goes", "status": "TERMINATED"})
        self.assertFalse(self.fake.known(machine["name"])["isPoweredOn"])
        self.assertEqual(self.ssh(other, "/sbin/shutdown -h now")[0], 1)
        self.assertEqual(self.fake.status("stays"), "RUNNING")

    def test_powers_itself_off_later(self) -> None:
        """A shutdown that is minutes away can be called off."""
        script = "#!/bin/sh\nshutdown -h +1\ncat /run/fake-gce/pending\nshutdown -c\nls /run/fake-gce/pending\n"
        self.make("later", {"startup-script": script})
        self.eventually(lambda: "startup-script: exit status 2" in self.fake.known("later")["serial"])
        self.assertRegex(self.fake.known("later")["serial"], r"startup-script: \d+\n")
        self.assertEqual(self.fake.status("later"), "RUNNING")

    def test_preemption(self) -> None:
        """A notice in the metadata, then the end of all that runs."""
        scheduling = {"provisioningModel": "SPOT", "instanceTerminationAction": "DELETE"}
        machine = self.make("spot", {"shutdown-script": "echo farewell"}, scheduling=scheduling)
        watch = subprocess.Popen(
            self.command(machine) + [f"echo begun; {QUERY}preempted?wait_for_change=true; echo; sleep 1000"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.assertEqual(watch.stdout.readline(), "begun\n")
        time.sleep(0.05)
        began = time.monotonic()
        self.fake.control("preempt", {"name": "spot", "notice": 0.6})
        self.assertEqual(self.fake.status("spot"), "STOPPING")
        self.assertEqual(watch.stdout.read(), "TRUE\n")
        watch.stdout.close()
        self.assertNotEqual(watch.wait(20), 0)
        self.assertGreater(time.monotonic() - began, 0.6)
        self.fake.control("wait", {"name": "spot", "status": "GONE"})
        operations = self.fake.api("GET", f"zones/{ZONE}/operations?filter=operationType=compute.instances.preempted")
        self.assertEqual(operations[1]["items"][0]["targetLink"].rpartition("/")[2], "spot")

    def test_run_duration(self) -> None:
        """maxRunDuration deletes or stops."""
        for action, status in [("DELETE", "GONE"), ("STOP", "TERMINATED")]:
            name = action.lower()
            self.make(name, scheduling={"instanceTerminationAction": action, "maxRunDuration": {"seconds": "1"}})
            self.fake.control("wait", {"name": name, "status": status})

    def test_delete_kills(self) -> None:
        """Deleting ends sessions, also what ignores signals; the shutdown script runs first."""
        machine = self.make("killed", {"shutdown-script": "#!/bin/sh\necho asked to end\n"})
        loop = "trap '' TERM HUP; echo begun; while :; do sleep 1000; done"
        session = subprocess.Popen(
            self.command(machine) + [loop], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        self.assertEqual(session.stdout.readline(), "begun\n")
        serial = pathlib.Path(machine["folder"]) / "serial"
        with open(serial, encoding="utf-8") as console:
            self.fake.done(self.fake.api("DELETE", f"zones/{ZONE}/instances/killed")[1])
            self.assertIn("shutdown-script: asked to end", console.read())
        self.assertNotEqual(session.wait(20), 0)
        session.stdout.close()
        self.assertEqual(self.fake.status("killed"), "GONE")

    def test_sudden_death_and_silence(self) -> None:
        """Killed: TERMINATED, or nobody notices. Frozen: it says nothing until it thaws."""
        self.make("dead")
        self.fake.control("kill", {"name": "dead"})
        self.fake.control("wait", {"name": "dead", "status": "TERMINATED"})
        self.make("crashed")
        self.fake.control("kill", {"name": "crashed", "then": "KEEP"})
        self.eventually(lambda: not self.fake.known("crashed")["isPoweredOn"])
        self.assertEqual(self.fake.status("crashed"), "RUNNING")
        machine = self.make("silent")
        command = self.command(machine)
        self.fake.control("freeze", {"name": "silent"})
        session = subprocess.Popen(
            command + ["echo awake"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        with self.assertRaises(subprocess.TimeoutExpired):
            session.wait(0.5)
        self.fake.control("thaw", {"name": "silent"})
        self.assertEqual(session.communicate(timeout=20)[0], "awake\n")

    def test_faults_of_machines(self) -> None:
        """No sshd, another host key, no address."""
        self.fake.control("faults", {"kind": "wrongHostKey", "name": "^liar$"})
        machine = self.make("liar")
        self.assertNotEqual(self.host_key("liar"), machine["hostKey"])
        self.assertEqual(self.ssh(machine, "true")[0], 255)
        self.fake.control("faults", {"kind": "noExternalAddress", "name": "^inner$"})
        self.assertEqual(self.make("inner")["external"], "")
        self.fake.control("faults", {"kind": "noSSH", "name": "^deaf$"})
        operation = self.fake.done(self.fake.insert(instance("deaf"))[1])
        self.assertNotIn("error", operation)
        self.eventually(lambda: self.fake.known("deaf")["isPoweredOn"])
        known = self.fake.known("deaf")
        done = subprocess.run(
            SSH + ["-p", str(known["sshPort"]), f"worker@{known['external']}", "true"],
            check=False,
            stderr=subprocess.DEVNULL,
        )
        self.assertEqual(done.returncode, 255)
        self.fake.control("faults", method="DELETE")

    def test_private_machine(self) -> None:
        """Without an access config there is only the internal address, and it answers."""
        machine = self.make("private", networkInterfaces=[{"network": "global/networks/default"}])
        self.assertEqual(machine["external"], "")
        self.assertEqual(self.ssh(machine, "hostname", address="internal"), (0, "private"))


class EndTest(FakeTest):
    """Nothing is left when the fake ends."""

    def machines_of(self, fake: Fake) -> list[int]:
        """The processes that have the fake's machines' folder among their mounts."""
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if str(fake.folder) in (entry / "mountinfo").read_text(encoding="utf-8"):
                    found.append(int(entry.name))
            except OSError:
                pass
        return found

    def test_ends(self) -> None:
        """By the end of its input, by SIGTERM, and by SIGKILL."""
        for way in ("input", signal.SIGTERM, signal.SIGKILL):
            with self.subTest(way):
                fake = Fake()
                script = {"items": [{"key": "startup-script", "value": "trap '' TERM HUP; sleep 1000"}]}
                fake.make(instance("one", metadata=script))
                self.assertGreaterEqual(len(self.machines_of(fake)), 3)
                if way == "input":
                    fake.process.stdin.close()
                else:
                    os.kill(fake.process.pid, way)
                fake.process.wait(20)
                self.eventually(lambda fake=fake: not self.machines_of(fake))
                fake.end()
