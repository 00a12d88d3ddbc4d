"""A pod's life: init containers, restarts, end, change; and that one bad manifest is its own trouble alone."""

import json
import os
import re
import time

import harness
from harness import FOREVER, container, pod, wait


class Lifecycle(harness.NodeTest):
    def test_init_containers_run_in_order_before_the_others(self):
        shared = {"volumeMounts": [{"name": "notes", "mountPath": "/notes"}]}
        note = "echo {0} >>/notes/order; sleep 0.3; echo {0}-end >>/notes/order"
        self.node.apply(pod("init", container("main", "cat /notes/order\n" + FOREVER, **shared),
                            initContainers=[container("first", note.format("first"), **shared),
                                            container("second", note.format("second"), **shared)],
                            volumes=[{"name": "notes", "emptyDir": {}}]))
        self.node.wait_running("init")
        log = self.node.wait_log("init", "main", "second-end\n")
        self.assertEqual(log.split(), ["first", "first-end", "second", "second-end"])
        for name in ("first", "second"):
            ended = self.node.container_status("init", name, "initContainerStatuses")["state"]["terminated"]
            self.assertEqual((ended["exitCode"], ended["reason"]), (0, "Completed"))

    def test_a_failing_init_container_holds_the_pod_back(self):
        self.node.apply(pod("init-bad", container("main", FOREVER), initContainers=[container("fails", "exit 7")],
                            restartPolicy="Never"))
        status = self.node.wait_state("init-bad", "fails", "terminated", kind="initContainerStatuses")
        self.assertEqual(status["state"]["terminated"]["exitCode"], 7)
        wait("the pod to have failed", lambda: self.node.pod("init-bad")["status"]["phase"] == "Failed")
        self.assertIn("waiting", self.node.container_status("init-bad", "main")["state"])

    def test_restart_policies(self):
        """What each policy makes of exit codes 0 and 3, all at once."""
        for policy in ("Always", "OnFailure", "Never"):
            for code in (0, 3):
                # The first run leaves a mark on the pod's own volume; later runs stay.
                script = f"if [ -e /d/ran ]; then {FOREVER}; fi; touch /d/ran; exit {code}"
                self.node.apply(pod(f"{policy.lower()}-{code}",
                                    container("c", script, volumeMounts=[{"name": "d", "mountPath": "/d"}]),
                                    volumes=[{"name": "d", "emptyDir": {}}], restartPolicy=policy))
        for name, phase, again in (("always-0", "Running", True), ("always-3", "Running", True),
                                   ("onfailure-0", "Succeeded", False), ("onfailure-3", "Running", True),
                                   ("never-0", "Succeeded", False), ("never-3", "Failed", False)):
            with self.subTest(name):
                code = int(name[-1])
                if again:
                    status = wait(f"{name} to run again", lambda name=name: self.restarted(name, "c"), 40)
                    self.assertEqual(status["restartCount"], 1)
                    before = status["lastState"]["terminated"]
                else:
                    status = self.node.wait_state(name, "c", "terminated")
                    self.assertEqual(status["restartCount"], 0)
                    before = status["state"]["terminated"]
                self.assertEqual((before["exitCode"], before["reason"]), (code, "Error" if code else "Completed"))
                wait(f"{name} to be {phase}",
                     lambda name=name, phase=phase: self.node.pod(name)["status"]["phase"] == phase)

    def restarted(self, name, container_name):
        status = self.node.container_status(name, container_name)
        return status if status["restartCount"] >= 1 and "running" in status["state"] else None

    def test_crash_loop_back_off(self):
        self.node.apply(pod("loops", container("c", "exit 5")))
        status = self.node.wait_state("loops", "c", "waiting", "CrashLoopBackOff", timeout=40)
        uid = self.node.pod("loops")["metadata"]["uid"]
        self.assertRegex(status["state"]["waiting"]["message"],
                         rf"^back-off \d+s restarting failed container=c pod=loops-e2e_default\({re.escape(uid)}\)$")
        self.assertEqual(status["lastState"]["terminated"]["exitCode"], 5)
        self.assertGreaterEqual(status["restartCount"], 1)
        self.assertEqual(self.node.pod("loops")["status"]["phase"], "Running")

    def test_end_with_grace(self):
        notes = f"{self.node.dir}/notes"
        os.mkdir(notes)
        mounted = {"volumeMounts": [{"name": "notes", "mountPath": "/notes"}]}
        volume = [{"name": "notes", "hostPath": {"path": notes, "type": "Directory"}}]
        polite = container("polite", None, **mounted)
        polite["command"] = ["sh", "-c", "trap 'echo ended >/notes/polite; exit 0' TERM; touch /notes/ready; " + FOREVER]
        stubborn = container("stubborn", None, **mounted)
        stubborn["command"] = ["sh", "-c", "trap 'echo asked >/notes/stubborn' TERM; touch /notes/ready2; while :; do sleep 1; done"]
        self.node.apply(pod("ends", polite, volumes=volume, terminationGracePeriodSeconds=30),
                        pod("stays", stubborn, volumes=volume, terminationGracePeriodSeconds=3))
        wait("both traps", lambda: os.path.exists(f"{notes}/ready") and os.path.exists(f"{notes}/ready2"))
        pid = self.node.pid_of("stays", "stubborn")
        began = time.monotonic()
        self.node.remove("ends")
        self.node.remove("stays")
        self.node.wait_gone("ends", 20)
        self.assertEqual(harness.read(f"{notes}/polite"), "ended\n")
        self.node.wait_gone("stays", 20)
        self.assertEqual(harness.read(f"{notes}/stubborn"), "asked\n")
        self.assertGreaterEqual(time.monotonic() - began, 3.0)
        self.assertFalse(harness.is_alive(pid))
        # Nothing of the two is left on the node: folders, logs.
        self.assertEqual([name for name in os.listdir(self.node.logs) if "_ends-" in name or "_stays-" in name], [])

    def test_a_changed_manifest_is_a_new_pod(self):
        manifest = pod("changes", container("c", "echo $WORD\n" + FOREVER, env=[{"name": "WORD", "value": "one"}]))
        self.node.apply(manifest)
        self.node.wait_running("changes")
        self.node.wait_log("changes", "c", "one\n")
        old_uid, old_id = self.node.pod("changes")["metadata"]["uid"], self.node.id_of("changes", "c")
        manifest["spec"]["containers"][0]["env"][0]["value"] = "two"
        self.node.apply(manifest)
        wait("the new pod", lambda: self.node.pod("changes")["metadata"]["uid"] != old_uid)
        self.node.wait_running("changes")
        self.assertEqual(self.node.wait_log("changes", "c", "two\n"), "two\n")
        self.assertNotIn(old_id, self.node.ids("ps", "-a", "-q"))
        self.assertEqual(self.node.container_status("changes", "c")["restartCount"], 0)

    def test_an_equal_manifest_changes_nothing(self):
        manifest = pod("same", container("c", FOREVER))
        self.node.apply(manifest)
        self.node.wait_running("same")
        before = self.node.id_of("same", "c"), self.node.pod("same")["metadata"]["uid"]
        self.node.apply(manifest)
        # Another pod's start shows that the folder was read since.
        self.node.apply(pod("after-same", container("c", FOREVER)))
        self.node.wait_running("after-same")
        self.assertEqual((self.node.id_of("same", "c"), self.node.pod("same")["metadata"]["uid"]), before)

    def test_a_bad_manifest_harms_no_other(self):
        self.node.apply(pod("bystander", container("c", FOREVER)))
        self.node.wait_running("bystander")
        before = self.node.pid_of("bystander", "c")
        bad = {"bad-yaml.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: [\n",
               "bad-kind.json": {"apiVersion": "v1", "kind": "Pid", "metadata": {"name": "x"}},
               "bad-list.json": {"apiVersion": "v1", "kind": "PodList", "items": []},
               "bad-name.json": pod("Bad_Name", container("c", FOREVER)),
               "bad-probe.json": pod("bad-lifecycle", container("c", FOREVER, lifecycle={"preStop": {"sleep": {"seconds": 1}}})),
               "bad-binary": "\x00\x01\x02"}
        for name, content in bad.items():
            harness.write(f"{self.node.manifests}/{name}", content)

        def told():
            files = [os.path.basename(p["file"]) for p in json.loads(self.node.get("/manifests"))["problems"]]
            return set(bad) <= set(files)

        wait("all bad manifests to be told", told, explain=lambda: self.node.get("/manifests"))
        self.node.apply(pod("later", container("c", FOREVER)))
        self.node.wait_running("later")
        self.assertEqual(self.node.pid_of("bystander", "c"), before)
        self.assertEqual(self.node.container_status("bystander", "c")["restartCount"], 0)
        for name in bad:
            self.assertIn(name, self.node.log_text())
            os.remove(f"{self.node.manifests}/{name}")
        wait("no bad manifest to be told", lambda: json.loads(self.node.get("/manifests"))["problems"] == [])

    def test_a_manifest_that_becomes_bad_keeps_its_pod(self):
        self.node.apply(pod("kept", container("c", FOREVER)))
        self.node.wait_running("kept")
        before = self.node.id_of("kept", "c")
        harness.write(f"{self.node.manifests}/kept.json", "{")
        wait("it to be told", lambda: [p for p in json.loads(self.node.get("/manifests"))["problems"] if p["oldPodKept"]])
        self.assertEqual(self.node.id_of("kept", "c"), before)
        self.node.apply(pod("kept", container("c", FOREVER)))
        wait("the problem to be gone", lambda: json.loads(self.node.get("/manifests"))["problems"] == [])
        self.assertEqual(self.node.id_of("kept", "c"), before)

    def test_editors_and_hidden_files(self):
        harness.write(f"{self.node.manifests}/.hidden.yaml", pod("hidden", container("c", FOREVER)))
        os.makedirs(f"{self.node.manifests}/folder", exist_ok=True)
        harness.write(f"{self.node.manifests}/backup.yaml~", pod("backup", container("c", FOREVER)))
        self.node.wait_running("backup")
        self.assertRaises(LookupError, self.node.pod, "hidden")
        os.rmdir(f"{self.node.manifests}/folder")
        os.remove(f"{self.node.manifests}/backup.yaml~")
        os.remove(f"{self.node.manifests}/.hidden.yaml")
        self.node.wait_gone("backup")

    def test_it_takes_effect_soon(self):
        # The figure that counts is the bench's; here, with room for a loaded machine, that nothing waits for a period.
        began = time.monotonic()
        self.node.apply(pod("soon", container("c", FOREVER)))
        self.node.wait_running("soon")
        started = time.monotonic() - began
        self.node.remove("soon")
        began = time.monotonic()
        wait("the end to begin", lambda: not self.node.ids("ps", "-q", "--name", "^c$", "--pod", self.sandbox("soon"))
             if self.sandbox("soon") else True)
        self.assertLess(started, 10)
        self.assertLess(time.monotonic() - began, 10)

    def sandbox(self, name):
        ids = self.node.ids("pods", "-q", "--name", f"^{name}-e2e$")
        return ids[0] if ids else ""

    def test_host_network_and_environment(self):
        self.node.apply(pod("env", container("c", "env; cat /etc/hostname; cat /proc/1/comm\n" + FOREVER, env=[
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "BOTH", "value": "$(POD)/$(IP)"}])),
            pod("host", container("c", "ls /sys/class/net; echo end\n" + FOREVER), hostNetwork=True))
        self.node.wait_running("env")
        log = self.node.wait_log("env", "c", "sh\n")
        address = self.node.pod("env")["status"]["podIP"]
        self.assertIn("POD=env-e2e\n", log)
        self.assertIn(f"BOTH=env-e2e/{address}\n", log)
        self.node.wait_running("host")
        self.assertIn(self.node.bridge, self.node.wait_log("host", "c", "end\n"))

    def test_endpoints(self):
        self.assertEqual(self.node.get("/healthz"), "ok")
        metrics = self.node.get("/metrics")
        for name in ("portcullis_build_info", "# TYPE "):
            self.assertIn(name, metrics)
        configz = json.loads(self.node.get("/configz"))
        self.assertEqual(configz["kubeletconfig"]["cgroupRoot"], self.node.cgroup)
        listening = harness.run("ss", "-Hltn", check=False).stdout
        if listening:
            self.assertIn(f"127.0.0.1:{self.node.port} ", listening)
            self.assertNotIn(f"0.0.0.0:{self.node.port} ", listening)
