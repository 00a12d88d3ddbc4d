"""Profiles in files: what they say holds, whatever is wrong with them stops only their own container."""

import json
import os

import harness
from harness import FOREVER, container, pod, seccomp, wait

DENY_MKDIR_AND_CHMOD = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"],
    "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"},
        {"names": ["chmod", "fchmod", "fchmodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95},
    ],
}

# As in moby's default.json: everything is allowed but chmod, and that only to those who have CAP_SYS_ADMIN; and a
# condition on an argument (mode 0700) that holds for all.
DOCKER_DIALECT = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
                {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
    "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 0o700, "op": "SCMP_CMP_EQ"}]},
        {"names": ["fchmodat"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 2, "value": 0o700, "op": "SCMP_CMP_EQ"}]},
        {"names": ["symlink", "symlinkat"], "action": "SCMP_ACT_ERRNO", "includes": {"arches": ["s390x"]}},
        {"names": ["link", "linkat"], "action": "SCMP_ACT_ERRNO", "includes": {"minKernel": "200.0"}},
    ],
}

TRY_ALL = """\
mkdir /tmp/d && echo mkdir works
chmod 0700 /etc/passwd && echo chmod 700 works
chmod 0600 /etc/passwd && echo chmod 600 works
ln -s x /tmp/s && echo symlink works
ln /etc/passwd /tmp/l && echo link works
echo end
""" + FOREVER


class Profiles(harness.NodeTest):
    def run_pod(self, name, script=TRY_ALL, security=None):
        self.node.apply(pod(name, container("c", script + "\n", securityContext=security)))
        self.node.wait_running(name)
        return self.node.wait_log(name, "c", "end\n")

    def test_the_file_decides(self):
        path = self.node.profile("deny/mkdir.json", DENY_MKDIR_AND_CHMOD)
        log = self.run_pod("denies", security=seccomp("Localhost", "deny/mkdir.json"))
        self.assertNotIn("mkdir works", log)
        self.assertNotIn("chmod", log.replace("chmod:", ""))
        self.assertIn("symlink works", log)
        found = self.node.inspect(self.node.id_of("denies", "c"))["info"]["runtimeSpec"]["linux"]["seccomp"]
        self.assertEqual(found["defaultAction"], "SCMP_ACT_ALLOW")
        self.assertEqual([rule["names"] for rule in found["syscalls"]],
                         [rule["names"] for rule in DENY_MKDIR_AND_CHMOD["syscalls"]])
        self.assertEqual(found["syscalls"][1]["errnoRet"], 95)
        both = self.node.crictl("logs", self.node.id_of("denies", "c"))
        self.assertIn("mkdir: can't create directory '/tmp/d': Operation not permitted", both.stderr)
        self.assertIn("chmod: /etc/passwd: Operation not supported", both.stderr)
        row = self.node.status()[("denies", "c")]
        self.assertEqual((row["declared"], row["effective"], row["decidedBy"]),
                         ("Localhost/deny/mkdir.json", "Localhost " + path, "container"))

    def test_conditions_of_dockers_dialect(self):
        self.node.profile("docker.json", DOCKER_DIALECT)
        plain = self.run_pod("docker-plain", security=seccomp("Localhost", "docker.json"))
        self.assertEqual(plain.split("\n")[:-1], ["chmod 600 works", "symlink works", "link works", "end"])
        admin = self.run_pod("docker-admin", security={**seccomp("Localhost", "docker.json"),
                                                       "capabilities": {"add": ["SYS_ADMIN"]}})
        self.assertEqual(admin.split("\n")[:-1],
                         ["mkdir works", "chmod 600 works", "symlink works", "link works", "end"])

    def test_pod_level_profile_holds_for_containers_that_say_nothing(self):
        self.node.profile("deny.json", DENY_MKDIR_AND_CHMOD)
        self.node.apply(pod("levels", container("inherits", "mkdir /tmp/d && echo works; echo end\n" + FOREVER),
                            container("own", "mkdir /tmp/d && echo works; echo end\n" + FOREVER,
                                      securityContext=seccomp("Unconfined")),
                            securityContext=seccomp("Localhost", "deny.json")))
        self.node.wait_running("levels")
        self.assertEqual(self.node.wait_log("levels", "inherits", "end\n"), "end\n")
        self.assertEqual(self.node.wait_log("levels", "own", "end\n"), "works\nend\n")
        rows = self.node.status()
        self.assertEqual(rows[("levels", "inherits")]["decidedBy"], "pod")
        self.assertEqual(rows[("levels", "own")]["decidedBy"], "container")


class BadProfiles(harness.NodeTest):
    """One pod with a container per fault, and a good one."""

    FAULTS = {
        # container name: localhostProfile, words of the message
        "missing": ("missing.json", ["cannot load seccomp profile", "missing.json: no such file or directory"]),
        "folder": ("folder", ["cannot load seccomp profile", "is a directory"]),
        "root": (".", ["cannot load seccomp profile", "is a directory"]),
        "link-out": ("link-out.json", ["cannot load seccomp profile", "outside of the profile folder"]),
        "link-abs": ("link-abs.json", ["cannot load seccomp profile", "outside of the profile folder"]),
        "link-dir": ("link-dir/good.json", ["cannot load seccomp profile", "outside of the profile folder"]),
        "fifo": ("fifo", ["cannot load seccomp profile", "not a regular file"]),
        "large": ("large.json", ["cannot load seccomp profile", "bytes"]),
        "not-json": ("not-json", ["cannot load seccomp profile"]),
        "empty-file": ("empty-file", ["cannot load seccomp profile"]),
        "empty-object": ("empty-object", ["cannot load seccomp profile", "defaultAction"]),
        "array": ("array", ["cannot load seccomp profile"]),
        "bad-action": ("bad-action", ["cannot load seccomp profile", "SCMP_ACT_DENY"]),
        "bad-case": ("bad-case", ["cannot load seccomp profile", "defaultaction"]),
        "bad-arch": ("bad-arch", ["cannot load seccomp profile", "SCMP_ARCH_PDP11"]),
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        node = cls.node
        root = f"{node.root_dir}/seccomp"
        outside = harness.write(f"{node.dir}/outside/good.json", {"defaultAction": "SCMP_ACT_ALLOW"})
        node.profile("good.json", {"defaultAction": "SCMP_ACT_ALLOW"})
        os.mkdir(f"{root}/folder")
        os.symlink("../../outside/good.json", f"{root}/link-out.json")
        os.symlink(outside, f"{root}/link-abs.json")
        os.symlink(os.path.dirname(outside), f"{root}/link-dir")
        os.symlink("good.json", f"{root}/link-in.json")
        os.mkfifo(f"{root}/fifo")
        node.profile("large.json", json.dumps({"defaultAction": "SCMP_ACT_ALLOW"}) + " " * (1 << 20))
        node.profile("not-json", "defaultAction: SCMP_ACT_ALLOW\n")
        node.profile("empty-file", "")
        node.profile("empty-object", "{}")
        node.profile("array", "[]")
        node.profile("bad-action", {"defaultAction": "SCMP_ACT_DENY"})
        node.profile("bad-case", {"defaultaction": "SCMP_ACT_ERRNO"})
        node.profile("bad-arch", {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_PDP11"]})
        containers = [container(name, FOREVER, securityContext=seccomp("Localhost", profile))
                      for name, (profile, _) in cls.FAULTS.items()]
        node.apply(pod("bad", *containers, container("good", FOREVER, securityContext=seccomp("Localhost", "good.json")),
                       container("link-in", FOREVER, securityContext=seccomp("Localhost", "link-in.json")),
                       container("no-path", FOREVER, securityContext=seccomp("Localhost", "")),
                       container("no-field", FOREVER, securityContext=seccomp("Localhost", "good.json"))))
        node.wait_running("bad", "good", "link-in", "no-field")

    def test_each_fault_is_told(self):
        for name, (_, words) in self.FAULTS.items():
            with self.subTest(name):
                status = self.node.wait_state("bad", name, "waiting", "CreateContainerError")
                for word in words:
                    self.assertIn(word, status["state"]["waiting"]["message"])
                self.assertEqual(status["restartCount"], 0)
                self.assertNotIn("containerID", status)

    def test_kubernetes_text_for_a_missing_file(self):
        path = f"{self.node.root_dir}/seccomp/missing.json"
        status = self.node.wait_state("bad", "missing", "waiting", "CreateContainerError")
        self.assertIn(f'cannot load seccomp profile "{path}": open {path}: no such file or directory',
                      status["state"]["waiting"]["message"])

    def test_no_container_was_made(self):
        names = {c["metadata"]["name"] for c in self.node.json("ps", "-a", "-o", "json")["containers"]}
        self.assertEqual(names, {"good", "link-in", "no-field"})

    def test_empty_path_is_a_configuration_error(self):
        status = self.node.wait_state("bad", "no-path", "waiting", "CreateContainerConfigError")
        self.assertEqual(status["state"]["waiting"]["message"],
                         "localhostProfile must be set if seccompProfile type is Localhost.")

    def test_the_pod_is_pending_and_keeps_its_address(self):
        status = self.node.pod("bad")["status"]
        self.assertEqual(status["phase"], "Pending")
        self.assertTrue(status["podIP"])

    def test_refused_by_validation(self):
        for name, profile, text in (
            ("dotdot", "../good.json", "must not contain '..'"),
            ("inner", "a/../../good.json", "must not contain '..'"),
            ("absolute", "/etc/good.json", "must be a relative path"),
        ):
            self.node.apply(pod("v-" + name, container("c", FOREVER, securityContext=seccomp("Localhost", profile))))
        self.node.apply(pod("v-type", container("c", FOREVER, securityContext=seccomp("runtimeDefault"))))
        self.node.apply(pod("v-none", container("c", FOREVER, securityContext={"seccompProfile": {}})))
        expected = {
            "v-dotdot": "spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: "
                        "\"../good.json\": must not contain '..'",
            "v-inner": "must not contain '..'",
            "v-absolute": "Invalid value: \"/etc/good.json\": must be a relative path",
            "v-type": 'type: Unsupported value: "runtimeDefault": supported values: "Localhost", "RuntimeDefault", "Unconfined"',
            "v-none": "seccompProfile.type: Required value: type is required when seccompProfile is set",
        }

        def problems():
            told = json.loads(self.node.get("/manifests"))["problems"]
            found = {os.path.basename(p["file"]).removesuffix(".json"): p for p in told}
            return found if set(expected) <= set(found) else None

        found = wait("the manifests to be refused", problems)
        for name, text in expected.items():
            with self.subTest(name):
                self.assertIn(text, found[name]["error"])
                self.assertRaises(LookupError, self.node.pod, name)
        self.assertIn("Could not process manifest file", self.node.log_text())

    def test_the_file_appears_and_the_container_starts(self):
        self.node.apply(pod("later", container("c", FOREVER, securityContext=seccomp("Localhost", "later.json"))))
        self.node.wait_state("later", "c", "waiting", "CreateContainerError")
        self.node.profile("later.json", {"defaultAction": "SCMP_ACT_ALLOW"})
        status = self.node.wait_running("later", timeout=40)["c"]
        self.assertEqual(status["restartCount"], 0)
