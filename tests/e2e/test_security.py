"""What a manifest must not be able to do, and what the kernel really enforces."""

import json
import os
import platform
import shutil
import struct
import subprocess
import unittest

import harness
from harness import FOREVER, container, pod, seccomp
from machine_code import x86_program

CLONE_NEWUSER = 0x10000000


# Each makes one system call, then exit(-result): the errno, or 0.
EXIT_WITH_ERRNO = b"\x89\xc7" + b"\xf7\xdf" + b"\xb8\x3c\x00\x00\x00" + b"\x0f\x05"  # mov edi,eax; neg edi; mov eax,60; syscall


def unshare_by(entry):
    if entry == "i386":  # mov eax,310; mov ebx,CLONE_NEWUSER; int 0x80
        call = b"\xb8" + struct.pack("<I", 310) + b"\xbb" + struct.pack("<I", CLONE_NEWUSER) + b"\xcd\x80"
    else:  # mov eax,272 (with x32's bit); mov edi,CLONE_NEWUSER; syscall
        number = 272 | (0x40000000 if entry == "x32" else 0)
        call = b"\xb8" + struct.pack("<I", number) + b"\xbf" + struct.pack("<I", CLONE_NEWUSER) + b"\x0f\x05"
    return x86_program(call + EXIT_WITH_ERRNO)


class ProfilesIgnored(unittest.TestCase):
    """An OCI runtime that takes no notice of linux.seccomp, as one that was built without it."""

    def test_the_container_is_killed(self):
        runtime = harness.Runtime()
        self.addCleanup(lambda: self.assertEqual(runtime.close(), []))
        wrapper = harness.write(f"{runtime.dir}/careless", f"""#!/bin/sh
bundle=
previous=
for word in "$@"; do
  case "$previous" in --bundle|-b) bundle=$word;; esac
  previous=$word
done
case " $* " in
  *" create "*)
    jq 'del(.linux.seccomp)' "$bundle/config.json" >"$bundle/config.new" && mv "$bundle/config.new" "$bundle/config.json";;
esac
exec {shutil.which("runc")} "$@"
""")
        os.chmod(wrapper, 0o755)
        command = runtime.command()
        command[command.index("--oci-runtime") + 1] = wrapper
        runtime.command = lambda: command
        runtime.start()
        files = {}
        for name, profile in (("filtered", 0), ("unconfined", 1)):
            files[name] = (
                harness.write(f"{runtime.dir}/{name}-container.json", {
                    "metadata": {"name": name}, "image": {"image": harness.BUSYBOX}, "command": ["sh", "-c", FOREVER],
                    "linux": {"security_context": {"seccomp": {"profile_type": profile}}}}),
                harness.write(f"{runtime.dir}/{name}-pod.json", {
                    "metadata": {"name": name, "namespace": "ignored", "uid": name},
                    "linux": {"cgroup_parent": f"{runtime.cgroup}/ignored-{name}"}}))
        done = runtime.crictl("run", *files["filtered"], check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("did not install the seccomp filter", done.stderr)
        self.assertEqual(runtime.ids("ps", "-q"), [])
        self.assertNotEqual(runtime.crictl("run", *files["unconfined"]).stdout, "")


class FilterLost(harness.NodeTest):
    ARGS = ["--feature-gates=SeccompDefault=true", "--seccomp-default"]

    def test_an_exec_without_its_filter_is_refused(self):
        """crun runs an exec unconfined when the file that it kept the filter in is gone."""
        self.node.apply(pod("lost", container("c", FOREVER)))
        self.node.wait_running("lost")
        container_id = self.node.id_of("lost", "c")
        kept = f"{self.node.run_dir}/oci/{container_id}/seccomp.bpf"
        if not os.path.exists(kept):
            self.skipTest("the OCI runtime is not crun")
        grep = ("grep", "Seccomp:", "/proc/self/status")
        self.assertEqual(self.node.exec(container_id, *grep).stdout, "Seccomp:\t2\n")
        self.assertEqual(self.node.crictl("exec", container_id, *grep).stdout, "Seccomp:\t2\n")
        os.rename(kept, kept + ".away")
        for flags in (["-s"], []):
            done = self.node.crictl("exec", *flags, container_id, *grep, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("crun has lost the container's seccomp filter", done.stderr)
            self.assertEqual(done.stdout, "")
        os.rename(kept + ".away", kept)
        self.assertEqual(self.node.exec(container_id, *grep).stdout, "Seccomp:\t2\n")


class Security(harness.NodeTest):
    ARGS = ["--feature-gates=SeccompDefault=true", "--seccomp-default"]

    def bundle(self, container_id):
        with open(f"{self.node.state_dir}/bundles/{container_id}/config.json", encoding="utf-8") as file:
            return json.load(file)

    def test_runtime_annotations_never_reach_a_bundle(self):
        dangerous = {"run.oci.handler": "krun", "run.oci.keep_original_groups": "1", "run.oci.hooks.stdout": "/tmp/x",
                     "run.oci.seccomp_fail_unknown_syscall": "0", "run.oci.seccomp.receiver": "/tmp/x",
                     "run.oci.mount_context_type": "x", "run.oci.raw.x": "y",
                     "org.systemd.property.DevicePolicy": "'auto'", "module.wasm.image/variant": "compat",
                     "run.oci.seccomp_bpf_data": "BgAAAAAA/38="}
        self.node.apply(pod("annotated", container("c", FOREVER), metadata={"annotations": {**dangerous, "harmless": "yes"}}))
        self.node.wait_running("annotated")
        sandbox = self.node.ids("pods", "-q", "--name", "^annotated-")[0]
        for bundle_id in (sandbox, self.node.id_of("annotated", "c")):
            annotations = self.bundle(bundle_id).get("annotations", {})
            # The one that is ours: the compiled filter, where the OCI runtime is crun.
            self.assertLessEqual({name for name in annotations if name in dangerous or name.startswith("run.oci.")},
                                 {"run.oci.seccomp_bpf_data"})
            self.assertNotEqual(annotations.get("run.oci.seccomp_bpf_data"), dangerous["run.oci.seccomp_bpf_data"])
        self.assertEqual(self.node.json("inspectp", sandbox)["status"]["annotations"]["harmless"], "yes")

    def test_privileged_has_no_filter(self):
        self.node.profile("deny.json", {"defaultAction": "SCMP_ACT_ALLOW",
                                        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]})
        self.node.apply(pod("privileged", container("plain", FOREVER, securityContext={"privileged": True}),
                            container("asks", FOREVER, securityContext={"privileged": True, **seccomp("Localhost", "deny.json")}),
                            container("normal", FOREVER)))
        self.node.wait_running("privileged")
        for name, mode in (("plain", "0"), ("asks", "0"), ("normal", "2")):
            with self.subTest(name):
                self.assertEqual(harness.kernel_field(self.node.pid_of("privileged", name), "Seccomp"), mode)
                linux = self.node.inspect(self.node.id_of("privileged", name))["info"]["runtimeSpec"]["linux"]
                self.assertEqual("seccomp" in linux, mode == "2")
        self.assertEqual(self.node.status()[("privileged", "plain")]["effective"], "Unconfined")

    def test_no_new_privileges(self):
        self.node.apply(pod("nnp", container("yes", FOREVER, securityContext={"allowPrivilegeEscalation": False}),
                            container("no", FOREVER), container("user", FOREVER, securityContext={
                                "runAsUser": 1234, "runAsGroup": 1235, "capabilities": {"drop": ["ALL"]}})))
        self.node.wait_running("nnp")
        for name, flag in (("yes", "1"), ("no", "0")):
            pid = self.node.pid_of("nnp", name)
            self.assertEqual(harness.kernel_field(pid, "NoNewPrivs"), flag, name)
            self.assertEqual(harness.kernel_field(pid, "Seccomp"), "2", name)
        pid = self.node.pid_of("nnp", "user")
        self.assertEqual((harness.kernel_field(pid, "Uid"), harness.kernel_field(pid, "Gid")), ("1234", "1235"))
        self.assertEqual(harness.kernel_field(pid, "CapBnd"), "0000000000000000")
        self.assertEqual(harness.kernel_field(pid, "Seccomp"), "2")

    def test_capabilities_widen_the_default_profile(self):
        self.node.apply(pod("caps", container("admin", FOREVER, securityContext={"capabilities": {"add": ["SYS_ADMIN"]}}),
                            container("none", FOREVER)))
        self.node.wait_running("caps")
        self.assertEqual(self.node.probe(self.node.id_of("caps", "none"), "unshare", "mount"),
                         {"unshare": "EPERM", "mount": "EPERM"})
        self.assertEqual(self.node.probe(self.node.id_of("caps", "admin"), "unshare", "mount"), {"unshare": "ok", "mount": "ok"})

    def test_the_sandbox_always_has_the_default(self):
        self.node.apply(pod("infra", container("c", FOREVER, securityContext=seccomp("Unconfined")),
                            securityContext=seccomp("Unconfined")))
        self.node.wait_running("infra")
        sandbox = self.node.json("inspectp", self.node.ids("pods", "-q", "--name", "^infra-")[0])["info"]
        self.assertEqual(sandbox["runtimeSpec"]["linux"]["seccomp"]["defaultAction"], "SCMP_ACT_ERRNO")
        self.assertEqual(harness.kernel_field(sandbox["pid"], "Seccomp"), "2")
        self.assertEqual(harness.kernel_field(sandbox["pid"], "NoNewPrivs"), "1")

    def test_host_files_are_out_of_reach(self):
        self.node.apply(pod("reach", container(
            "c", "cat /proc/kcore >/dev/null 2>&1 && echo kcore; echo x >/proc/sys/kernel/hostname && echo sys\n"
                 "ls /proc/acpi 2>/dev/null | grep . && echo acpi; mknod /tmp/m b 8 0 2>/dev/null; head -c1 /tmp/m && echo disk\n"
                 "echo end\n" + FOREVER)))
        self.node.wait_running("reach")
        self.assertEqual(self.node.wait_log("reach", "c", "end\n"), "end\n")
        # The state folder is root's alone; the profile of a pod is no exception.
        self.assertEqual(os.stat(f"{self.node.state_dir}/bundles").st_mode & 0o077, 0)

    def test_the_kernel_holds_what_was_meant(self):
        self.node.profile("no-mkdir.json", {"defaultAction": "SCMP_ACT_ALLOW",
                                            "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]})
        self.node.apply(pod("meant", container("default", FOREVER),
                            container("local", FOREVER, securityContext=seccomp("Localhost", "no-mkdir.json")),
                            container("unconfined", FOREVER, securityContext=seccomp("Unconfined"))))
        self.node.wait_running("meant")
        rows = self.node.status("--verify")
        for name, text in (("default", "proven as meant"), ("local", "proven as meant"), ("unconfined", "no filter, as meant")):
            row = rows[("meant", name)]
            self.assertIs(row["kernel"]["asMeant"], True, row)
            self.assertIn(text, row["kernel"]["verdict"])
            self.assertFalse(row["mismatch"])
        # The same question without the node: the process alone tells its profile.
        pid = str(self.node.inspect(self.node.id_of("meant", "default"))["info"]["pid"])
        inspect = [harness.SUITE.portcullis, "profile", "inspect", "--pid", pid]
        named = harness.run(*inspect)
        self.assertIn("equals containerd@", named.stdout)
        other = harness.run(*inspect, "docker@20.10.0", check=False)
        self.assertEqual(other.returncode, 1, other.stdout)
        self.assertIn("equals no profile that was compared", other.stdout)

    @unittest.skipUnless(platform.machine() == "x86_64", "about x86's three ways into the kernel")
    def test_no_way_around_by_another_architecture(self):
        folder = f"{self.node.dir}/programs"
        os.makedirs(folder, exist_ok=True)
        for entry in ("x86_64", "i386", "x32"):
            with open(f"{folder}/{entry}", "wb") as file:
                file.write(unshare_by(entry))
            os.chmod(f"{folder}/{entry}", 0o755)
        mounted = {"volumeMounts": [{"name": "p", "mountPath": "/p", "readOnly": True}]}
        self.node.apply(pod("ways", container("default", FOREVER, **mounted),
                            container("unconfined", FOREVER, securityContext=seccomp("Unconfined"), **mounted),
                            volumes=[{"name": "p", "hostPath": {"path": folder, "type": "Directory"}}]))
        self.node.wait_running("ways")
        profile = self.node.inspect(self.node.id_of("ways", "default"))["info"]["runtimeSpec"]["linux"]["seccomp"]
        self.assertEqual(profile["architectures"], ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"])
        eperm, enosys = 1, 38
        for entry in ("x86_64", "i386", "x32"):
            with self.subTest(entry):
                host = subprocess.run([f"{folder}/{entry}"], check=False).returncode
                if host < 0:
                    self.skipTest(f"this kernel has no {entry} calls")
                self.assertIn(host, (0, enosys))
                unconfined = self.node.exec(self.node.id_of("ways", "unconfined"), f"/p/{entry}", check=False).returncode
                self.assertEqual(unconfined, host)
                confined = self.node.exec(self.node.id_of("ways", "default"), f"/p/{entry}", check=False).returncode
                self.assertEqual(confined, eperm)
