"""The crash matrix: the daemon is killed at its writes, one after the other, in every step of a pod's life; the next start
must leave exactly what should be there.

A run of this file takes a sample of the points (the seed is printed); PORTCULLIS_CRASH_POINTS=all takes every one, 2/5 the
second of five parts of them; PORTCULLIS_CRASH_SEED repeats a sample.
"""

import io
import mmap
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import tarfile
import tempfile
import unittest

import harness
import registries
from harness import FOREVER, SUITE, container, pod, wait

SOURCE = os.path.join(harness.REPO, "tests", "e2e", "kill_at_write.c")
POINTS_PER_STEP = 4


class Points:
    """Which of the points of a step are taken."""

    def __init__(self):
        self.seed = int(os.environ.get("PORTCULLIS_CRASH_SEED", random.randrange(1 << 30)))
        self.random = random.Random(self.seed)
        self.wanted = os.environ.get("PORTCULLIS_CRASH_POINTS", "")

    def of(self, count, sample=POINTS_PER_STEP):
        if "/" in self.wanted:
            part, parts = (int(word) for word in self.wanted.split("/"))
            return range(part, count + 1, parts)
        if self.wanted == "all" or count <= sample:
            return range(1, count + 1)
        return sorted({1, count, *self.random.sample(range(1, count + 1), sample - 2)})


class Killer:
    """The words shared with kill_at_write.c."""

    def __init__(self, folder):
        self.library = f"{folder}/kill_at_write.so"
        ready = f"{SUITE.build}/bin/kill_at_write.so"  # where there is no compiler: in the guest of scripts/vm-test
        if os.path.exists(ready):
            self.library = ready
        elif not os.path.exists(self.library):
            harness.run("cc", "-shared", "-fPIC", "-O1", "-o", self.library, SOURCE, "-ldl")
        self.file = f"{folder}/kill_at_write.words"
        with open(self.file, "wb") as file:
            file.write(bytes(12))
        self.opened = open(self.file, "r+b")  # pylint: disable=consider-using-with
        self.words = mmap.mmap(self.opened.fileno(), 12)

    def arm(self, at=0):
        self.words[:12] = struct.pack("III", 1, 0, at)

    def disarm(self):
        """How many writes there were."""
        count = struct.unpack("III", self.words[:12])[1]
        self.words[:12] = bytes(12)
        return count


class Killable:
    """Before harness.Runtime or harness.Node: the daemon runs with kill_at_write.c preloaded."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.killer = Killer(self.dir)

    def start(self, *args, wait_ready=True):
        words = {"LD_PRELOAD": self.killer.library, "KILL_AT_WRITE": self.killer.file, "KILL_AT_ROOT": self.dir}
        os.environ.update(words)
        try:
            super().start(*args, wait_ready=False)
        finally:
            for word in words:
                del os.environ[word]
        if wait_ready:
            wait(f"portcullis {self.VERB} to be ready", self.is_ready)
        return self

    def close(self):
        self.killer.disarm()
        return super().close()


class CrashRuntime(Killable, harness.Runtime):
    pass


class CrashNode(Killable, harness.Node):
    pass


def files_below(folder):
    found = []
    for where, folders, names in os.walk(folder):
        found += [os.path.join(where, name) for name in folders + names]
    return found


def is_of_daemon(pid, daemon):
    """It, or the spawner that it has for as long as it lives; a spawner that outlived its daemon is a leftover."""
    if daemon.process is None:
        return False
    is_spawner = harness.read(f"/proc/{pid}/comm").strip() == "portc-spawner"
    return pid == daemon.process.pid or (is_spawner and harness.kernel_field(pid, "PPid") == str(daemon.process.pid))


def footprint(daemon):
    """All that pods leave on the host, by name: what is there without pods must be there again after them."""
    things = {f"mount {path}" for path in SUITE.mounts() if path.startswith(daemon.dir + "/")}
    things |= {f"process {pid}" for pid in SUITE.processes() if not is_of_daemon(pid, daemon)}
    things |= {f"link {name}" for name in os.listdir("/sys/class/net") if SUITE.master_of(name) == daemon.bridge}
    things |= {f"rule {line}" for line in SUITE.rules()}
    things |= {f"cgroup {path}" for top in SUITE.cgroups() for path in files_below(top) if os.path.isdir(path)}
    for folder in (daemon.state_dir, daemon.run_dir):
        things |= {f"file {path}" for path in files_below(folder)
                   if not path.endswith(("-wal", "-shm", "last_reserved_ip.0", "/lock")) and "/filters/" not in path}
    database = sqlite3.connect(f"file:{daemon.state_dir}/state.db?mode=ro", uri=True)
    try:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        things |= {f"row in {table}: {database.execute(f'SELECT count(*) FROM {table}').fetchone()[0]}" for table in tables}
    finally:
        database.close()
    return things


class Steps:
    """A pod's life through CRI, one verb at a time."""

    NAMES = ["runp", "create", "start", "exec", "stop", "rm", "stopp", "rmp"]

    def __init__(self, runtime, name):
        self.runtime, self.name = runtime, name
        self.pod_id = self.container_id = None
        self.error = ""  # of the last verb
        self.pod_file = harness.write(f"{runtime.dir}/{name}-pod.json", {
            "metadata": {"name": name, "namespace": "crash", "uid": name}, "log_directory": f"{runtime.dir}/logs/{name}",
            "linux": {"cgroup_parent": f"{runtime.cgroup}/crash-{name}"}})
        self.container_file = harness.write(f"{runtime.dir}/{name}-container.json", {
            "metadata": {"name": "c"}, "image": {"image": harness.BUSYBOX}, "log_path": "c.log",
            "command": ["sh", "-c", 'trap "exit 0" TERM; ' + FOREVER]})

    def run(self, step):
        """Whether the verb succeeded."""
        commands = {"runp": ["runp", self.pod_file], "create": ["create", str(self.pod_id), self.container_file, self.pod_file],
                    "start": ["start", str(self.container_id)], "exec": ["exec", "-s", str(self.container_id), "true"],
                    "stop": ["stop", "--timeout", "5", str(self.container_id)], "rm": ["rm", str(self.container_id)],
                    "stopp": ["stopp", str(self.pod_id)], "rmp": ["rmp", str(self.pod_id)]}
        done = self.runtime.crictl(*commands[step], check=False)
        self.error = done.stderr
        if done.returncode == 0 and step == "runp":
            self.pod_id = done.stdout.strip()
        if done.returncode == 0 and step == "create":
            self.container_id = done.stdout.strip()
        return done.returncode == 0

    def container(self):
        """As listed now; None when it is not."""
        for item in self.runtime.json("ps", "-a", "-o", "json")["containers"]:
            if item["podSandboxId"] == self.pod_id or self.pod_id is None:
                return item
        return None


class Matrix(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.points = Points()

    def test_every_verb(self):
        runtime = CrashRuntime()
        self.addCleanup(lambda: self.assertEqual(runtime.close(), []))
        runtime.start()
        # Once, uncounted: caches (filters, unpacked layers) are filled, folders made.
        warm = Steps(runtime, "warm")
        for step in Steps.NAMES:
            self.assertTrue(warm.run(step), step)
        clean = footprint(runtime)
        counts = {}
        counting = Steps(runtime, "count")
        for step in Steps.NAMES:
            runtime.killer.arm()
            self.assertTrue(counting.run(step), step)
            counts[step] = runtime.killer.disarm()
        self.assertEqual(footprint(runtime), clean)
        killed = 0
        for step in Steps.NAMES:
            for point in self.points.of(counts[step]):
                with self.subTest(step=step, point=point, of=counts[step], seed=self.points.seed):
                    killed += self.crash_in(runtime, step, point)
                    self.assertEqual(footprint(runtime) ^ clean, set(), "there must be neither more nor less")
        print(f"     crash matrix: seed {self.points.seed}, writes {counts}, {killed} kills", flush=True)
        self.assertGreater(killed, len(Steps.NAMES))

    def crash_in(self, runtime, step, point):
        """Kills the runtime at a write of a step, starts it again and removes what there is; 1 if it came to the kill."""
        name = f"{step}{point}"
        steps = Steps(runtime, name)
        for before in Steps.NAMES[:Steps.NAMES.index(step)]:
            self.assertTrue(steps.run(before), before)
        should_run = step in ("exec", "stop", "rm") and steps.container_id
        pid = runtime.inspect(steps.container_id)["info"]["pid"] if should_run and step == "exec" else None
        runtime.killer.arm(point)
        succeeded = steps.run(step)
        dead = runtime.process.poll() is not None
        if not succeeded:
            dead = wait("the runtime to be killed", lambda: runtime.process.poll() is not None) or dead
        runtime.killer.disarm()
        if dead:
            self.assertEqual(runtime.process.returncode, -signal.SIGKILL)
            runtime.start()
        if pid is not None:
            with self.subTest("what ran runs on"):
                self.assertTrue(harness.is_alive(pid))
                self.assertEqual(steps.container()["state"], "CONTAINER_RUNNING")
                self.assertTrue(steps.run("exec"))
        # As a kubelet: the same step again where the first did not come through, then the end, with what is listed.
        if step in ("start", "stop", "rm", "stopp", "rmp"):
            self.again(steps, step)
        elif step == "runp":
            for sandbox in runtime.json("pods", "-o", "json")["items"]:
                if sandbox["metadata"]["name"] == name:
                    self.assertIn(sandbox["state"], ("SANDBOX_READY", "SANDBOX_NOTREADY"))
                    self.assertEqual(runtime.crictl("rmp", "-f", sandbox["id"]).returncode, 0)
            self.assertTrue(steps.run("runp"), "the name is free again")
        elif step == "create" and (left := steps.container()) is not None:
            self.assertIn(left["state"], ("CONTAINER_CREATED", "CONTAINER_EXITED"))
            self.assertEqual(runtime.crictl("rm", "-f", left["id"]).returncode, 0)
            self.assertTrue(steps.run("create"), "the name is free again")
        runtime.remove_pods()
        self.assertEqual(runtime.ids("pods", "-q"), [])
        self.assertEqual(runtime.ids("ps", "-a", "-q"), [])
        return 1 if dead else 0

    def again(self, steps, step):
        """Verbs that may be repeated must come through after the crash, whatever the first attempt had done."""
        if step == "start":
            state = steps.container()["state"]
            if state == "CONTAINER_CREATED":
                self.assertTrue(steps.run("start"))
            else:
                self.assertIn(state, ("CONTAINER_RUNNING", "CONTAINER_EXITED"))
            return
        listed = steps.container() is not None
        if step == "rmp" or listed or step == "stopp":
            self.assertTrue(steps.run(step) or (step == "rmp" and not steps.runtime.ids("pods", "-q")), step)

    def test_a_node_reaches_what_is_desired(self):
        node = CrashNode()
        self.addCleanup(lambda: self.assertEqual(node.close(), []))
        node.start()
        node.apply(pod("warm", container("c", FOREVER)))
        node.wait_running("warm")
        node.remove("warm")
        node.wait_gone("warm")
        counts = {}
        node.killer.arm()
        node.apply(pod("count", container("c", FOREVER)))
        node.wait_running("count")
        counts["start"] = node.killer.disarm()
        node.killer.arm()
        node.remove("count")
        node.wait_gone("count")
        counts["removal"] = node.killer.disarm()
        killed = 0
        for point in self.points.of(counts["start"]):
            with self.subTest(when="start", point=point, of=counts["start"], seed=self.points.seed):
                killed += self.killed_and_started(node, point, lambda: node.apply(pod("made", container("c", FOREVER))))
                node.wait_running("made", timeout=60)
                self.assertEqual(len(node.ids("ps", "-q", "--state", "running")), 1)
                node.remove("made")
                node.wait_gone("made")
        for point in self.points.of(counts["removal"]):
            with self.subTest(when="removal", point=point, of=counts["removal"], seed=self.points.seed):
                node.apply(pod("gone", container("c", FOREVER)))
                node.wait_running("gone")
                killed += self.killed_and_started(node, point, lambda: node.remove("gone"))
                node.wait_gone("gone")
        print(f"     crash matrix of a node: seed {self.points.seed}, writes {counts}, {killed} kills", flush=True)
        self.assertGreater(killed, 2)

    def killed_and_started(self, node, point, change):
        node.killer.arm(point)
        change()
        try:
            node.process.wait(8)
        except subprocess.TimeoutExpired:  # this time there were fewer writes
            node.killer.disarm()
            return 0
        node.killer.disarm()
        node.start()
        return 1


class Helpers(unittest.TestCase):
    """What runs beside the daemon dies, or the whole machine does."""

    def setUp(self):
        self.node = harness.Node()
        self.addCleanup(lambda: self.assertEqual(self.node.close(), []))

    def monitor_of(self, container_id):
        for pid in harness.pids():
            words = harness.read(f"/proc/{pid}/cmdline").split("\0")
            if os.path.basename(words[0]) == "conmon" and container_id in words:
                return pid
        raise LookupError(f"no monitor of {container_id}")

    def test_a_monitor_is_killed_while_the_node_is_down(self):
        self.node.start()
        self.node.apply(pod("watched", container("c", FOREVER)))
        self.node.wait_running("watched")
        first = self.node.id_of("watched", "c")
        self.node.stop(signal.SIGKILL)
        os.kill(self.monitor_of(first), signal.SIGKILL)
        self.node.start()
        # Nobody can tell this container's exit code any more: it is ended and made anew.
        again = wait("another container to run", lambda: self.restarted("watched", first))
        self.assertEqual(again["restartCount"], 1)
        self.node.remove("watched")
        self.node.wait_gone("watched")

    def test_a_monitor_is_killed_while_the_node_watches(self):
        self.node.start()
        self.node.apply(pod("always", container("c", FOREVER)),
                        pod("never", container("c", FOREVER), container("other", FOREVER), restartPolicy="Never"))
        for name in ("always", "never"):
            self.node.wait_running(name)
        firsts = {name: self.node.id_of(name, "c") for name in ("always", "never")}
        processes = [self.node.pid_of(name, "c") for name in firsts]
        other = self.node.pid_of("never", "other")
        for first in firsts.values():
            os.kill(self.monitor_of(first), signal.SIGKILL)
        again = wait("another container to run", lambda: self.restarted("always", firsts["always"]), 60)
        self.assertEqual(again["restartCount"], 1)
        ended = self.node.wait_state("never", "c", "terminated")
        self.assertEqual((ended["state"]["terminated"]["exitCode"], ended["restartCount"]), (137, 0))
        self.assertEqual([pid for pid in processes if harness.is_alive(pid)], [], "nothing of them lives on")
        self.assertEqual(self.node.pid_of("never", "other"), other)
        self.assertTrue(harness.is_alive(other))
        # The pause process has no monitor: the kernel tells that it ended.
        sandbox = self.node.inspect(self.node.id_of("always", "c"))["info"]["sandboxID"]
        pause = self.node.json("inspectp", sandbox)["info"]["pid"]
        self.assertTrue(harness.is_alive(pause))
        os.kill(pause, signal.SIGKILL)
        wait("another sandbox to be ready", lambda: [one for one in self.node.ids("pods", "-q", "--state", "ready", "--name", "always")
                                                     if one != sandbox], 60)
        self.node.wait_running("always")
        for name in firsts:
            self.node.remove(name)
            self.node.wait_gone(name)

    def restarted(self, name, before):
        status = self.node.container_status(name, "c")
        return status if "running" in status["state"] and before not in status["containerID"] else None

    def test_a_process_is_killed_while_the_node_is_down(self):
        self.node.start()
        self.node.apply(pod("killed", container("c", FOREVER), restartPolicy="Never"))
        self.node.wait_running("killed")
        pid = self.node.pid_of("killed", "c")
        self.node.stop(signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        wait("the process to end", lambda: not harness.is_alive(pid))
        self.node.start()
        ended = self.node.wait_state("killed", "c", "terminated")["state"]["terminated"]
        self.assertEqual((ended["exitCode"], ended["reason"]), (137, "Error"))
        self.assertLessEqual(ended["startedAt"], ended["finishedAt"])

    def test_the_oci_runtime_is_killed(self):
        """At its first create, start, kill and delete; the node comes through all the same."""
        real = shutil.which("runc")
        wrapper = harness.write(f"{self.node.dir}/runc-that-dies", f"""#!/bin/sh
for word in "$@"; do
  case "$word" in
    create|start|kill|delete)
      if mkdir {self.node.dir}/died-at-$word 2>/dev/null; then kill -KILL $$; fi
      break;;
  esac
done
exec {real} "$@"
""")
        os.chmod(wrapper, 0o755)
        command = self.node.command()
        command[command.index("--oci-runtime") + 1] = wrapper
        self.node.command = lambda: command
        self.node.start()
        self.node.apply(pod("tried", container("c", FOREVER)))
        self.node.wait_running("tried", timeout=90)
        self.node.remove("tried")
        self.node.wait_gone("tried", timeout=90)
        for word in ("create", "start", "delete"):
            self.assertTrue(os.path.isdir(f"{self.node.dir}/died-at-{word}"), word)

    def test_reboot(self):
        self.node.start()
        self.node.apply(pod("back", container("c", FOREVER)), pod("net", container("c", FOREVER)))
        for name in ("back", "net"):
            self.node.wait_running(name)
        before = {name: self.node.id_of(name, "c") for name in ("back", "net")}
        images = self.node.ids("images", "-q")
        self.node.stop(signal.SIGKILL)
        self.power_off()
        self.another_boot_id()
        self.node.start()
        for name in ("back", "net"):
            self.node.wait_running(name)
            self.assertNotEqual(self.node.id_of(name, "c"), before[name])
        self.assertEqual(self.node.ids("images", "-q"), images)
        reserved = [name for name in os.listdir(f"{self.node.run_dir}/cni/ipam/portcullis")
                    if name[0].isdigit()] if os.path.isdir(f"{self.node.run_dir}/cni/ipam/portcullis") else None
        if reserved is not None:
            self.assertEqual(len(reserved), 2, "the addresses of before the reboot are free again")
        for name in ("back", "net"):
            self.node.remove(name)
            self.node.wait_gone(name)
        self.assertEqual([path for path in SUITE.mounts() if path.startswith(self.node.dir + "/")], [])

    def test_reboot_with_a_run_folder_that_stays(self):
        """Where /run is no tmpfs only the kernel's boot id tells that nothing in there is true any more."""
        self.node.start()
        self.node.apply(pod("back", container("c", FOREVER)))
        self.node.wait_running("back")
        before = self.node.id_of("back", "c")
        self.node.stop(signal.SIGKILL)
        self.power_off(run_folder=False)
        self.another_boot_id()
        self.node.start()
        self.node.wait_running("back")
        self.assertNotEqual(self.node.id_of("back", "c"), before)
        self.node.remove("back")
        self.node.wait_gone("back")
        self.assertEqual([path for path in SUITE.mounts() if path.startswith(self.node.dir + "/")], [])

    def another_boot_id(self):
        """The kernel's stays; the one that the last start noted changes, which is the same difference."""
        database = sqlite3.connect(f"{self.node.state_dir}/state.db")
        with database:
            changed = database.execute("UPDATE settings SET value='of-another-boot' WHERE key='boot_id'").rowcount
        database.close()
        self.assertEqual(changed, 1)

    def power_off(self, run_folder=True):
        """All that a reboot takes: processes, mounts, links, cgroups, and the run folder, which is a tmpfs."""
        for _ in range(50):
            left = [pid for pid in SUITE.processes() if f"{self.node.cgroup}/" in harness.read(f"/proc/{pid}/cgroup")
                    or f"{self.node.dir}/" in harness.read(f"/proc/{pid}/cmdline")]
            if not left:
                break
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            wait("processes to end", lambda pids=left: not any(harness.is_alive(pid) for pid in pids))
        for path in sorted((path for path in SUITE.mounts() if path.startswith(self.node.dir + "/")), reverse=True):
            harness.run("umount", "-l", path)
        harness.run("ip", "link", "del", self.node.bridge)
        SUITE.remove_rules()
        for chain in harness.empty_cni_chains() - SUITE.empty_chains:
            harness.run("iptables", "-t", "nat", "-X", chain)
        for top in SUITE.cgroups():
            for folder, _, _ in os.walk(top, topdown=False):
                os.rmdir(folder)
        if run_folder:
            shutil.rmtree(self.node.run_dir)


class Hanging(unittest.TestCase):
    """The OCI runtime hangs at its n-th call: the verb fails by its deadline and says so, and all goes on from there."""

    DEADLINE = 4 * harness.SLOW

    def setUp(self):
        self.node = harness.Node(config={"runtimeRequestTimeout": f"{self.DEADLINE}s"})
        self.addCleanup(lambda: self.assertEqual(self.node.close(), []))
        self.calls = f"{self.node.dir}/calls"
        os.makedirs(self.calls)
        wrapper = harness.write(f"{self.node.dir}/runc-that-hangs", f"""#!/bin/sh
for word in "$@"; do
  case "$word" in
    create|start|kill|delete|exec)
      call=1
      while ! mkdir {self.calls}/$call 2>/dev/null; do call=$((call + 1)); done
      echo $word >{self.calls}/$call/word
      if [ "$call" = "$(cat {self.calls}/hang-at 2>/dev/null)" ]; then exec sleep 1000; fi
      break;;
  esac
done
exec {shutil.which("runc")} "$@"
""")
        os.chmod(wrapper, 0o755)
        command = self.node.command()
        command[command.index("--oci-runtime") + 1] = wrapper
        self.node.command = lambda: command
        self.node.start()

    def words(self):
        """Of the calls since hang_at."""
        numbers = sorted(int(name) for name in os.listdir(self.calls) if name.isdigit())
        return [harness.read(f"{self.calls}/{number}/word").strip() for number in numbers]

    def hang_at(self, call):
        shutil.rmtree(self.calls)
        os.makedirs(self.calls)
        harness.write(f"{self.calls}/hang-at", str(call))

    def test_at_every_call(self):
        warm = Steps(self.node, "warm")
        for step in Steps.NAMES:
            self.assertTrue(warm.run(step), step)
        clean = footprint(self.node)
        self.hang_at(0)
        counting = Steps(self.node, "count")
        for step in Steps.NAMES:
            self.assertTrue(counting.run(step), step)
        words = self.words()
        self.assertGreaterEqual(set(words), {"create", "start", "kill", "delete", "exec"})
        for call, word in enumerate(words, 1):
            with self.subTest(call=call, word=word):
                self.hang_at(call)
                self.life(f"hang{call}", word)
                self.hang_at(0)
                self.node.crictl("rmp", "-f", "-a")
                self.assertEqual(footprint(self.node) ^ clean, set(), "there must be neither more nor less")
        print(f"     hangs: {words}", flush=True)

    def life(self, name, word):
        """All steps; the one that meets the hang may fail, once, and only with the deadline."""
        steps = Steps(self.node, name)
        failed = []
        for step in Steps.NAMES:
            if steps.run(step):
                continue
            failed.append(step)
            self.assertRegex(steps.error, rf"(container )?{word}.* failed: the OCI runtime .* did not .* within \d+ ms", step)
            self.assertTrue(steps.run(step) or step == "start", f"{step} comes through the second time: {steps.error}")
            if step == "start":
                return  # a container that did not start is not started again
        self.assertLessEqual(len(failed), 1)
        if word != "delete":
            self.assertEqual(len(failed), 1, "somebody was told")


class Images(unittest.TestCase):
    """Killed at its writes while an image comes: the image is there whole, or not at all, and comes the next time."""

    REFERENCE = "cd /data && find . | sort && find . -type f -exec sha256sum {} + | sort"

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="pcr-")  # not in the scratch folder: the registry is no leftover
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.registry = registries.Registry(f"{cls.folder}/registry")
        cls.addClassCleanup(cls.registry.close)
        cls.name = f"{cls.registry.host}/made:1"
        cls.registry.put_image("made", "1", [cls.layer({"bin/busybox": harness.read_bytes(f"{SUITE.build}/images/busybox")},
                                                       links={"bin/sh": "busybox"}),
                                             cls.layer({f"data/{at}": os.urandom(3000) for at in range(12)}),
                                             cls.layer({"data/.wh.3": b"", "data/4": b"changed"})])
        cls.archive = f"{cls.folder}/made.tar"
        harness.run("skopeo", "copy", "--quiet", "--src-tls-verify=false", f"docker://{cls.name}", f"oci-archive:{cls.archive}:{cls.name}")

    @staticmethod
    def layer(files, links=None):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for folder in sorted({os.path.dirname(name) for name in files}):
                entry = tarfile.TarInfo(folder)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            for name, data in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(data), 0o755
                archive.addfile(entry, io.BytesIO(data))
            for name, target in (links or {}).items():
                entry = tarfile.TarInfo(name)
                entry.type, entry.linkname = tarfile.SYMTYPE, target
                archive.addfile(entry)
        return out.getvalue()

    def setUp(self):
        self.points = Points()
        self.runtime = CrashRuntime()
        self.addCleanup(lambda: self.assertEqual(self.runtime.close(), []))
        self.runtime.start()

    def is_there(self):
        listed = self.runtime.json("images", "-o", "json")["images"]
        return any(self.name in image.get("repoTags", []) for image in listed)

    def look(self):
        """What a container of the image sees."""
        folder = self.runtime.dir
        container_id = self.runtime.crictl(
            "run", harness.write(f"{folder}/look-container.json", {
                "metadata": {"name": "c"}, "image": {"image": self.name}, "log_path": "c.log",
                "command": ["/bin/sh", "-c", "while :; do /bin/busybox sleep 1000; done"]}),
            harness.write(f"{folder}/look-pod.json", {
                "metadata": {"name": "look", "namespace": "crash", "uid": "look"}, "log_directory": f"{folder}/logs/look",
                "linux": {"cgroup_parent": f"{self.runtime.cgroup}/crash-look"}})).stdout.strip()
        script = self.REFERENCE.replace("find ", "/bin/busybox find ").replace("sort", "/bin/busybox sort")
        seen = self.runtime.exec(container_id, "/bin/sh", "-c", script.replace("sha256sum", "/bin/busybox sha256sum")).stdout
        self.runtime.remove_pods()
        return seen

    def run_matrix(self, bring):
        """`bring(point)` brings the image, or is killed at that write; what it gives is whether it was killed."""
        self.look_at_busybox()
        bring(0)
        self.runtime.crictl("rmi", self.name)
        clean = footprint(self.runtime)
        bring(0)
        reference = self.look()
        self.assertIn("./11\n", reference)
        self.assertNotIn("./3\n", reference)
        self.runtime.crictl("rmi", self.name)
        self.assertEqual(footprint(self.runtime) ^ clean, set(), "nothing stays of a removed image")
        self.count = None
        bring(None)
        self.runtime.crictl("rmi", self.name)
        killed = there = 0
        for point in self.points.of(self.count, POINTS_PER_STEP + 4):
            with self.subTest(point=point, of=self.count, seed=self.points.seed):
                killed += bring(point)
                if self.is_there():
                    there += 1
                    self.assertEqual(self.look(), reference)
                bring(0)
                self.assertEqual(self.look(), reference)
                self.runtime.crictl("rmi", self.name)
                self.assertEqual(footprint(self.runtime) ^ clean, set())
        print(f"     {self._testMethodName}: seed {self.points.seed}, {self.count} writes, {killed} kills, after {there} it was there", flush=True)
        self.assertGreater(killed, 3)

    def look_at_busybox(self):
        """Once, so that folders of pods are there."""
        steps = Steps(self.runtime, "warm")
        for step in Steps.NAMES:
            self.assertTrue(steps.run(step), step)

    def test_pull(self):
        def bring(point):
            self.runtime.killer.arm(point or 0)
            done = self.runtime.crictl("pull", self.name, check=False)
            killed = point and done.returncode != 0
            if killed:
                wait("the runtime to be killed", lambda: self.runtime.process.poll() is not None)
            count = self.runtime.killer.disarm()
            if point is None:
                self.count = count
            if self.runtime.process.poll() is not None:
                self.assertEqual(self.runtime.process.returncode, -signal.SIGKILL)
                self.runtime.start()
                return 1
            self.assertEqual(done.returncode, 0, done.stderr)
            return 0

        self.run_matrix(bring)

    def test_load(self):
        def bring(point):
            killer = self.runtime.killer
            killer.arm(point or 0)
            done = harness.run(SUITE.portcullis, "image", "load", "--state-dir", self.runtime.state_dir, self.archive, check=False,
                               env={**os.environ, "LD_PRELOAD": killer.library, "KILL_AT_WRITE": killer.file,
                                    "KILL_AT_ROOT": self.runtime.dir})
            count = killer.disarm()
            if point is None:
                self.count = count
            self.assertIn(done.returncode, (0, -signal.SIGKILL), done.stderr)
            return 1 if done.returncode != 0 else 0

        # The runtime itself is not to be killed.
        self.runtime.stop()
        harness.Runtime.start(self.runtime)
        self.runtime.start = lambda: harness.Runtime.start(self.runtime)
        self.run_matrix(bring)
