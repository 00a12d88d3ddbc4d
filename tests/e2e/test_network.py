"""The pods' network: host ports, both address families, changing and broken configurations, plugins that fail."""

import os
import re
import signal
import unittest

import cri_client
import harness
from harness import FOREVER, SUITE, container, pod, wait
from netpeers import Neighbour, Peer, ask, family

PLUGINS = "/usr/lib/cni"


def sandbox_of(daemon, name):
    """The ready sandbox of a pod, as `crictl inspectp` has it."""
    found = [item["id"] for item in daemon.json("pods", "-o", "json", "--state", "Ready")["items"]
             if item["metadata"]["name"] in (name, f"{name}-{harness.NODE_NAME}")]
    if not found:
        raise LookupError(f"no sandbox of {name}")
    return daemon.json("inspectp", found[0])


def netns_of(daemon, name):
    return sandbox_of(daemon, name)["info"]["netNamespace"]


def nat(tool="iptables"):
    return harness.run(f"{tool}-save", "-t", "nat").stdout


class HostPorts(harness.NodeTest):
    def serving(self, name, ports):
        self.node.apply(pod(name, container("c", FOREVER, ports=ports)))
        self.node.wait_running(name)
        return netns_of(self.node, name)

    def test_reached_from_the_host_and_from_beyond(self):
        with Neighbour() as neighbour:
            netns = self.serving("served", [
                {"containerPort": 80, "hostPort": 31080}, {"containerPort": 53, "hostPort": 31053, "protocol": "UDP"},
                {"containerPort": 81, "hostPort": 31081, "hostIP": neighbour.node}])
            with Peer("tcp", 80, netns), Peer("udp", 53, netns), Peer("tcp", 81, netns):
                self.assertIsNotNone(ask("tcp", "127.0.0.1", 31080))
                self.assertIsNotNone(ask("tcp", neighbour.node, 31080))
                self.assertIsNotNone(ask("udp", neighbour.node, 31053))
                self.assertEqual(neighbour.ask("tcp", neighbour.node, 31080), neighbour.own, "the caller's own address")
                self.assertEqual(neighbour.ask("udp", neighbour.node, 31053), neighbour.own)
                self.assertEqual(neighbour.ask("tcp", neighbour.node, 31081), neighbour.own)
                self.assertIsNone(ask("tcp", "127.0.0.1", 31081), "its hostIP is another")

                # The daemon is not needed for it, nor does its restart change it.
                rules = [line for line in nat().splitlines() if "31080" in line]
                self.node.stop(signal.SIGKILL)
                self.assertEqual(neighbour.ask("tcp", neighbour.node, 31080), neighbour.own)
                self.node.start()
                self.node.wait_running("served")
                self.assertEqual([line for line in nat().splitlines() if "31080" in line], rules)
                self.assertEqual(neighbour.ask("udp", neighbour.node, 31053), neighbour.own)
        # Removed by another process than the one that made it.
        self.node.remove("served")
        self.node.wait_gone("served")
        for port in ("31080", "31053", "31081"):
            self.assertNotIn(port, nat())

    def test_a_port_has_one_pod(self):
        self.serving("first", [{"containerPort": 80, "hostPort": 31090}])
        self.node.apply(pod("second", container("c", FOREVER, ports=[{"containerPort": 81, "hostPort": 31090}])))
        status = wait("the second to be refused", lambda: self.node.pod("second")["status"].get("reason") and
                      self.node.pod("second")["status"])
        self.assertEqual((status["phase"], status["reason"]), ("Failed", "NodePorts"))
        # Past the node's own check, the runtime says which pod has it; the other protocol is free.
        request = {"metadata": {"name": "third", "namespace": "default", "uid": "u3"}, "linux": {},
                   "port_mappings": [{"protocol": 0, "container_port": 80, "host_port": 31090}]}
        refused = self.node.crictl("runp", harness.write(f"{self.node.dir}/third.json", request), check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(f"host port 31090/tcp of pod default/third is taken by pod default/first-{harness.NODE_NAME}",
                      refused.stderr)
        self.assertEqual(self.node.ids("pods", "-q", "--name", "third"), [])
        request["port_mappings"][0]["protocol"] = 1
        allowed = self.node.crictl("runp", harness.write(f"{self.node.dir}/third.json", request)).stdout.strip()
        self.node.crictl("rmp", "-f", allowed)
        for name in ("second", "first"):
            self.node.remove(name)
            self.node.wait_gone(name)
        self.assertNotIn("31090", nat())


class Families(harness.NodeTest):
    """IPv4 and IPv6, in this order."""

    @classmethod
    def make(cls):
        cls.node = harness.Node()
        cls.subnet4, cls.subnet6 = cls.node.subnet, SUITE.subnet6()
        cls.node.subnet = f"{cls.subnet4},{cls.subnet6}"
        return cls.node

    def test_addresses_of_both_everywhere(self):
        self.node.apply(pod("dual", container("c", "cat /etc/hosts; echo ips=$IPS ip=$IP\n" + FOREVER, env=[
            {"name": "IPS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIPs"}}},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}])))
        self.node.wait_running("dual")
        status = self.node.pod("dual")["status"]
        ips = [entry["ip"] for entry in status["podIPs"]]
        self.assertEqual([family(ip) for ip in ips], [4, 6])
        self.assertEqual(status["podIP"], ips[0])
        self.assertTrue(ips[1].startswith(self.subnet6.split("::")[0]), ips)
        log = self.node.wait_log("dual", "c", "ips=")
        self.assertIn(f"ips={ips[0]},{ips[1]} ip={ips[0]}", log)
        for ip in ips:
            self.assertRegex(log, rf"(?m)^{re.escape(ip)}\s+dual-{harness.NODE_NAME}$")
        network = sandbox_of(self.node, "dual")["status"]["network"]
        self.assertEqual((network["ip"], network["additionalIps"]), (ips[0], [{"ip": ips[1]}]))
        self.node.apply(pod("other", container("c", FOREVER)))
        self.node.wait_running("other")
        with Neighbour() as neighbour:
            for v6, (ip, beyond, node) in enumerate(((ips[0], neighbour.own, neighbour.node),
                                                     (ips[1], neighbour.own6, neighbour.node6))):
                with self.subTest(ip), Peer("tcp", 80, netns_of(self.node, "dual"), bool(v6)):
                    wait(f"{ip} to answer the host", lambda ip=ip: ask("tcp", ip, 80))
                    other = [entry["ip"] for entry in self.node.pod("other")["status"]["podIPs"]][v6]
                    self.assertEqual(ask("tcp", ip, 80, netns_of(self.node, "other")), other, "pods see each other's")
                    with neighbour.serve("tcp", 90, bool(v6)):
                        self.assertEqual(ask("tcp", beyond, 90, netns_of(self.node, "other")), node,
                                         "beyond the node it is the node's")
        for name in ("dual", "other"):
            self.node.remove(name)
            self.node.wait_gone(name)

    def test_host_ports_of_both(self):
        self.node.apply(pod("ports", container("c", FOREVER, ports=[{"containerPort": 80, "hostPort": 31180},
                                                                    {"containerPort": 53, "hostPort": 31153, "protocol": "UDP"}])))
        self.node.wait_running("ports")
        netns = netns_of(self.node, "ports")
        with Neighbour() as neighbour:
            for v6, node, own in ((False, neighbour.node, neighbour.own), (True, neighbour.node6, neighbour.own6)):
                with Peer("tcp", 80, netns, v6), Peer("udp", 53, netns, v6):
                    self.assertEqual(neighbour.ask("tcp", node, 31180), own)
                    self.assertEqual(neighbour.ask("udp", node, 31153), own)
                    self.assertIsNotNone(ask("tcp", node, 31180), "from the host")
        self.node.remove("ports")
        self.node.wait_gone("ports")
        for tool in ("iptables", "ip6tables"):
            self.assertNotIn("31180", nat(tool))

    def test_the_masquerade_rule_is_the_nodes_own(self):
        """One for all pods; made again after it was lost at a restart, gone with the last pod's node."""

        def rules(tool):
            return [line for line in nat(tool).splitlines() if line.startswith("-A") and self.node.bridge in line]

        def both():
            return [sorted(rules(tool)) for tool in ("iptables", "ip6tables")]

        before = both()
        self.assertEqual([len(lines) for lines in before], [2, 2], before)
        self.node.apply(pod("masked", container("c", FOREVER)))
        self.node.wait_running("masked")
        self.assertEqual(both(), before, "a pod needs none of its own")
        self.assertEqual(self.node.stop(), 0)
        self.assertEqual(both(), before, "a pod is there")
        SUITE.remove_rules()
        self.node.start()
        self.assertEqual(both(), before)
        self.node.stop(signal.SIGKILL)
        self.node.start()
        self.assertEqual(both(), before, "not twice")
        self.node.remove("masked")
        self.node.wait_gone("masked")
        self.assertEqual(self.node.stop(), 0)
        self.assertEqual(both(), [[], []])
        self.assertNotIn(self.node.bridge, nat())
        self.node.start()


class SixOnly(harness.NodeTest):
    @classmethod
    def make(cls):
        cls.node = harness.Node()
        cls.node.subnet = SUITE.subnet6()
        return cls.node

    def test_a_pod_has_an_ipv6_address_alone(self):
        self.node.apply(pod("six", container("c", FOREVER, ports=[{"containerPort": 80, "hostPort": 31680}])))
        self.node.wait_running("six")
        status = self.node.pod("six")["status"]
        self.assertEqual([family(entry["ip"]) for entry in status["podIPs"]], [6])
        netns = netns_of(self.node, "six")
        with Neighbour() as neighbour, Peer("tcp", 80, netns, v6=True):
            # The bridge's own address is checked for duplicates for a second or two after it was made.
            wait("the bridge to speak IPv6", lambda: ask("tcp", status["podIP"], 80))
            self.assertEqual(neighbour.ask("tcp", neighbour.node6, 31680), neighbour.own6)
        self.node.remove("six")
        self.node.wait_gone("six")


@unittest.skipIf(cri_client.grpc is None, "python3-grpcio is not installed")
class PodCidr(harness.RuntimeTest):
    """A kubelet tells the node's pod CIDR, once."""

    def call(self, method, **fields):
        client = cri_client.Client(self.runtime.socket)
        try:
            return client.call("RuntimeService", method, **fields)
        finally:
            client.close()

    def address(self, name):
        config = {"metadata": {"name": name, "namespace": "cidr", "uid": name},
                  "linux": {"cgroup_parent": f"{self.runtime.cgroup}/cidr"}}
        self.call("RunPodSandbox", config=config)
        return sandbox_of(self.runtime, name)["status"]["network"]["ip"]

    def test_it_is_that_of_the_default_network(self):
        prefix = self.runtime.subnet.rsplit(".", 1)[0] + "."
        self.assertTrue(self.address("before").startswith(prefix), "the bridge has the old subnet's address")
        cidr = SUITE.subnet()
        told = {"network_config": {"pod_cidr": cidr}}
        self.call("UpdateRuntimeConfig", runtime_config=told)
        prefix = cidr.rsplit(".", 1)[0] + "."
        self.assertTrue(self.address("after").startswith(prefix))
        self.assertEqual(len([line for line in nat().splitlines() if f"-s {cidr}" in line and "MASQUERADE" in line]), 1)
        self.runtime.stop(signal.SIGKILL)
        self.runtime.start()
        self.assertTrue(self.address("restarted").startswith(prefix), "nobody tells it again")
        self.call("UpdateRuntimeConfig", runtime_config=told)
        self.assertTrue(self.address("again").startswith(prefix))


class OwnConfiguration(harness.Runtime):
    """A runtime without --cni-default: the folder is the test's."""

    def runtime_flags(self):
        flags = super().runtime_flags()
        flags.remove("--cni-default")
        return flags

    def conf(self, name, content):
        return harness.write(f"{self.dir}/cni/{name}", content)

    def bridge_list(self, name, version="1.0.0", *more, **bridge):
        """A conflist of Debian's bridge plugin on this runtime's own bridge and subnet, as podman writes it."""
        plugins = [{"type": "bridge", "bridge": self.bridge, "isGateway": True, "ipMasq": True, "hairpinMode": True,
                    "ipam": {"type": "host-local", "dataDir": f"{self.run_dir}/ipam",
                             "routes": [{"dst": "0.0.0.0/0"}], "ranges": [[{"subnet": self.subnet}]]}, **bridge}]
        return {"cniVersion": version, "name": name, "plugins": plugins + list(more)}

    def condition(self):
        conditions = {item["type"]: item for item in self.json("info")["status"]["conditions"]}
        return conditions["NetworkReady"]

    def pod_file(self, name, **more):
        return harness.write(f"{self.dir}/{name}.json", {
            "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"}, "linux": {}, **more})

    def leases(self, network):
        folder = f"{self.run_dir}/ipam/{network}"
        return [name for name in os.listdir(folder) if name[0].isdigit()] if os.path.isdir(folder) else []


class OwnConfigurationTest(harness.DaemonTest):
    @classmethod
    def make(cls):
        cls.runtime = OwnConfiguration(*cls.ARGS)
        os.makedirs(f"{cls.runtime.dir}/cni", exist_ok=True)
        return cls.runtime

    def tearDown(self):
        self.runtime.remove_pods()

    def run_pod(self, name, **more):
        return self.runtime.crictl("runp", self.runtime.pod_file(name, **more)).stdout.strip()

    def refused(self, name, **more):
        done = self.runtime.crictl("runp", self.runtime.pod_file(name, **more), check=False)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def nothing_is_held(self, network):
        self.assertEqual(self.runtime.ids("pods", "-q"), [])
        self.assertEqual(os.listdir(f"{self.runtime.state_dir}/cni"), [])
        self.assertEqual(os.listdir(f"{self.runtime.run_dir}/netns"), [])
        self.assertEqual(self.runtime.leases(network), [])
        self.assertEqual([link for link in os.listdir("/sys/class/net") if SUITE.master_of(link) == self.runtime.bridge], [])
        self.assertEqual([line for line in SUITE.rules() if not line.startswith(":")], [])


class Configurations(OwnConfigurationTest):
    def tearDown(self):
        super().tearDown()
        for name in os.listdir(f"{self.runtime.dir}/cni"):
            os.remove(f"{self.runtime.dir}/cni/{name}")

    def test_the_folder_changes_while_the_daemon_runs(self):
        ready = self.runtime.condition()
        self.assertEqual((ready["status"], ready["reason"]), (False, "NetworkPluginNotReady"))
        self.assertIn(f"no network configuration in {self.runtime.dir}/cni", ready["message"])
        self.assertIn("no network configuration in", self.refused("early"))

        broken = self.runtime.conf("10-broken.conflist", "{")
        self.assertIn("10-broken.conflist", self.runtime.condition()["message"])
        # As Debian's podman leaves it: cniVersion 0.4.0, portmap, firewall and tuning behind the bridge.
        podman = self.runtime.conf("87-podman-bridge.conflist", self.runtime.bridge_list(
            "podman", "0.4.0", {"type": "portmap", "capabilities": {"portMappings": True}}, {"type": "firewall"},
            {"type": "tuning"}))
        self.assertTrue(self.runtime.condition()["status"])
        used = self.runtime.json("info")["info"]["cniNetwork"]
        self.assertEqual((used["name"], used["file"], used["cniVersion"]), ("podman", podman, "0.4.0"))
        self.assertEqual(len(used["skipped"]), 1)
        self.assertIn(broken, self.runtime.log_text())
        first = self.run_pod("first")
        inspected = self.runtime.json("inspectp", first)
        self.assertEqual(inspected["info"]["cniResult"]["cniVersion"], "0.4.0")
        self.assertIn(inspected["status"]["network"]["ip"], self.runtime.leases("podman"))

        # Another one comes first now: for new pods; the old one keeps its own and is deleted with it.
        self.runtime.conf("05-newer.conflist", self.runtime.bridge_list("newer", "0.3.1"))
        second = self.run_pod("second")
        self.assertIn(self.runtime.json("inspectp", second)["status"]["network"]["ip"], self.runtime.leases("newer"))
        for name in os.listdir(f"{self.runtime.dir}/cni"):
            os.remove(f"{self.runtime.dir}/cni/{name}")
        self.assertFalse(self.runtime.condition()["status"])
        self.assertIn("no network configuration in", self.refused("late"))
        self.runtime.stop(signal.SIGKILL)
        self.runtime.start()
        for made in (first, second):
            self.runtime.crictl("rmp", "-f", made)
        self.nothing_is_held("podman")
        self.nothing_is_held("newer")

    def test_a_version_that_a_plugin_does_not_speak(self):
        file = self.runtime.conf("10-new.conflist", self.runtime.bridge_list("new", "1.1.0"))
        ready = self.runtime.condition()
        self.assertFalse(ready["status"])
        self.assertIn(f"network plugin bridge does not speak cniVersion 1.1.0 of {file}; it speaks ", ready["message"])
        both = {**self.runtime.bridge_list("new", "1.1.0"), "cniVersions": ["0.4.0", "1.0.0", "1.1.0"]}
        self.runtime.conf("10-new.conflist", both)
        self.assertTrue(self.runtime.condition()["status"])
        made = self.run_pod("new")
        self.assertEqual(self.runtime.json("inspectp", made)["info"]["cniResult"]["cniVersion"], "1.0.0")
        self.runtime.crictl("rmp", "-f", made)
        os.remove(file)
        self.nothing_is_held("new")

    def test_bandwidth(self):
        file = self.runtime.conf("10-slow.conflist", self.runtime.bridge_list(
            "slow", "1.0.0", {"type": "bandwidth", "capabilities": {"bandwidth": True}}))
        self.assertIn("annotation kubernetes.io/ingress-bandwidth: \"1\" is unreasonably small",
                      self.refused("bad", annotations={"kubernetes.io/ingress-bandwidth": "1"}))
        made = self.run_pod("slow", annotations={"kubernetes.io/ingress-bandwidth": "10M",
                                                 "kubernetes.io/egress-bandwidth": "5M"})
        limits = harness.run("tc", "qdisc", "show").stdout
        veth = [link for link in os.listdir("/sys/class/net") if SUITE.master_of(link) == self.runtime.bridge]
        self.assertEqual(len(veth), 1)
        self.assertRegex(limits, rf"qdisc tbf .* dev {veth[0]} root .*rate 10Mbit")
        self.assertRegex(limits, r"qdisc tbf .*rate 5Mbit")
        self.runtime.crictl("rmp", "-f", made)
        os.remove(file)
        self.assertNotRegex(harness.run("tc", "qdisc", "show").stdout, r"rate 5Mbit")
        self.nothing_is_held("slow")

    def test_name_servers_of_the_network(self):
        file = self.runtime.conf("10-named.conflist", self.runtime.bridge_list(
            "named", dns={"nameservers": ["192.0.2.53"], "domain": "net.example"}))
        made = self.run_pod("named")
        text = harness.read(f"{self.runtime.state_dir}/sandboxes/{made}/resolv.conf")
        self.assertEqual(text, "search net.example\nnameserver 192.0.2.53\n")
        self.runtime.crictl("rmp", "-f", made)
        made = self.run_pod("own", dns_config={"servers": ["192.0.2.1"]})
        self.assertEqual(harness.read(f"{self.runtime.state_dir}/sandboxes/{made}/resolv.conf"), "nameserver 192.0.2.1\n")
        self.runtime.crictl("rmp", "-f", made)
        os.remove(file)


FAULTY = """#!/bin/sh
# Passes prevResult on, as a plugin late in a chain does; what it does else is in the file `mode`.
input=$(cat)
case $CNI_COMMAND-$(cat {folder}/mode) in
  VERSION-*) echo '{{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}}'; exit ;;
  ADD-add-fails|DEL-del-fails) echo '{{"cniVersion":"1.0.0","code":100,"msg":"no luck","details":"on purpose"}}'; exit 1 ;;
  ADD-garbage) echo 'Segmentation fault (core dumped)'; exit ;;
  ADD-dies) kill -KILL $$ ;;
esac
[ $CNI_COMMAND = ADD ] && printf '%s' "$input" | jq -c .prevResult
exit 0
"""


class Failures(OwnConfigurationTest):
    """A plugin of ours is second in the chain, behind Debian's bridge, whose doings must not stay."""

    @classmethod
    def make(cls):
        super().make()
        cls.bin = f"{cls.runtime.dir}/bin"
        cls.runtime.args += ["--cni-bin-dir", cls.bin, "--cni-bin-dir", PLUGINS]
        harness.write(f"{cls.bin}/faulty", FAULTY.format(folder=cls.runtime.dir))
        cls.mode("fine")
        os.chmod(f"{cls.bin}/faulty", 0o755)
        cls.file = cls.runtime.conf("10-chain.conflist", cls.runtime.bridge_list("chain", "1.0.0", {"type": "faulty"}))
        return cls.runtime

    @classmethod
    def mode(cls, word):
        harness.write(f"{cls.runtime.dir}/mode", word)

    def tearDown(self):
        self.mode("fine")
        super().tearDown()

    def test_a_failing_add_leaves_nothing(self):
        for mode, said in (("add-fails", "no luck; on purpose (code 100)"),
                           ("garbage", "result of network plugin faulty"), ("dies", "killed by signal 9 (SIGKILL)")):
            with self.subTest(mode):
                self.mode(mode)
                message = self.refused("unlucky")
                for part in (said, f"network chain ({self.file})", "faulty", 'pod "default/unlucky"'):
                    self.assertIn(part, message)
                self.nothing_is_held("chain")

    def test_a_missing_plugin(self):
        os.rename(f"{self.bin}/faulty", f"{self.bin}/away")
        try:
            ready = self.runtime.condition()
            self.assertFalse(ready["status"])
            for text in (ready["message"], self.refused("unlucky")):
                self.assertIn(f"network chain ({self.file}): network plugin faulty not found in {self.bin}, {PLUGINS}", text)
        finally:
            os.rename(f"{self.bin}/away", f"{self.bin}/faulty")
        self.assertTrue(self.runtime.condition()["status"])
        self.nothing_is_held("chain")

    def test_a_failing_del_is_tried_again_and_holds_the_pod_until_then(self):
        made = self.run_pod("sticky")
        self.mode("del-fails")
        for _ in range(2):
            stopped = self.runtime.crictl("stopp", made, check=False)
            self.assertNotEqual(stopped.returncode, 0)
            self.assertIn(f"detach container {made} from network chain ({self.file}): ", stopped.stderr)
            self.assertIn("no luck", stopped.stderr)
        self.assertEqual(os.listdir(f"{self.runtime.run_dir}/netns"), [made], "DEL needs it")
        self.runtime.stop(signal.SIGKILL)
        self.runtime.start()
        self.assertEqual(self.runtime.ids("pods", "-q"), [made])
        self.mode("fine")
        self.runtime.crictl("stopp", made)
        self.runtime.crictl("rmp", made)
        self.nothing_is_held("chain")

    def test_a_pod_whose_plugin_is_gone_for_good_can_be_removed(self):
        made = self.run_pod("orphan")
        self.mode("del-fails")
        for _ in ("stopping it", "removing it"):
            failed = self.runtime.crictl("rmp", "-f", made, check=False)
            self.assertNotEqual(failed.returncode, 0)
            self.assertIn("no luck", failed.stderr)
        self.runtime.crictl("rmp", "-f", made)
        self.assertIn("network attachment is forgotten", self.runtime.log_text())
        self.nothing_is_held("chain")


class NodeWithFaultyPlugin(harness.NodeTest):
    """What the kubelet's role makes of it: it tries again, both ways."""

    @classmethod
    def make(cls):
        cls.node = harness.Node()
        cls.bin = f"{cls.node.dir}/bin"
        harness.write(f"{cls.bin}/faulty", FAULTY.format(folder=cls.node.dir))
        os.chmod(f"{cls.bin}/faulty", 0o755)
        cls.mode("fine")
        network = {"cniVersion": "1.0.0", "name": "chain", "plugins": [
            {"type": "bridge", "bridge": cls.node.bridge, "isGateway": True, "ipMasq": True,
             "ipam": {"type": "host-local", "dataDir": f"{cls.node.run_dir}/ipam", "ranges": [[{"subnet": cls.node.subnet}]]}},
            {"type": "faulty"}]}
        harness.write(f"{cls.node.dir}/cni/10-chain.conflist", network)
        cls.node.args += ["--cni-bin-dir", cls.bin, "--cni-bin-dir", PLUGINS]
        return cls.node

    @classmethod
    def mode(cls, word):
        harness.write(f"{cls.node.dir}/mode", word)

    def test_it_tries_again(self):
        self.mode("add-fails")
        self.node.apply(pod("patient", container("c", FOREVER)))
        wait("the failure to be told", lambda: "no luck" in self.node.log_text())
        self.assertEqual(os.listdir(f"{self.node.run_dir}/netns"), [])
        self.mode("fine")
        self.node.wait_running("patient", timeout=60)
        self.mode("del-fails")
        self.node.remove("patient")
        wait("the failing DEL to be told", lambda: "detach container" in self.node.log_text(), 60)
        self.assertNotEqual(self.node.ids("pods", "-q"), [])
        self.mode("fine")
        self.node.wait_gone("patient")

