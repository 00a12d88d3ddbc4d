"""Unused images are removed when their disk fills up, as a kubelet does; whoever is behind the node."""

import os
import re
import shutil
import unittest

import containerd
import harness
from harness import FOREVER, container, pod, wait

DISK_MIB = 256
PAUSE, BUSYBOX, NGINX, REDIS = "registry.k8s.io/pause:3.10", "busybox:latest", "nginx:1.21", "redis:6.2"


def named(images, name):
    return any(tag.endswith(name) for image in images for tag in image.get("repoTags") or [])


class SmallDisk(unittest.TestCase):
    """The state folder is a file system of its own."""

    def setUp(self):
        self.node = harness.Node(config={"imageGCHighThresholdPercent": 85, "imageGCLowThresholdPercent": 84})
        self.addCleanup(lambda: self.assertEqual(self.node.close(), []))
        self.mounted = self.node.state_dir
        aside = f"{self.mounted}-aside"
        os.rename(self.mounted, aside)
        os.mkdir(self.mounted)
        harness.run("mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "pce-images", self.mounted)
        harness.run("cp", "-a", f"{aside}/.", self.mounted)
        shutil.rmtree(aside)
        close = self.node.close

        def close_and_unmount():
            # Pods first: the harness counts our own mount as a leftover.
            if self.node.process is not None and self.node.process.poll() is None:
                self.node.remove_pods()
                self.node.stop()
            harness.run("umount", self.mounted)
            self.node.process = None
            return close()

        self.node.close = close_and_unmount

    def fill(self, percent):
        """Takes so much of the disk that it is that full."""
        facts = os.statvfs(self.mounted)
        used = (facts.f_blocks - facts.f_bavail) * facts.f_frsize
        with open(f"{self.mounted}/ballast", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, facts.f_blocks * facts.f_frsize * percent // 100 - used)

    def images(self):
        return self.node.json("images", "-o", "json")["images"]

    def test_what_nobody_uses_goes(self):
        self.fill(86)
        # nginx is wanted, but nothing of its pod is there when the node looks: it stays all the same.
        self.node.apply(pod("uses", container("c", FOREVER)),
                        pod("wants", container("c", FOREVER, image="nginx:1.21", imagePullPolicy="Never")))
        self.node.start()
        wait("redis to go", lambda: not named(self.images(), REDIS), explain=self.node.log_text)
        self.node.wait_running("uses")
        self.node.wait_running("wants")
        left = self.images()
        for name in (PAUSE, BUSYBOX, NGINX):
            self.assertTrue(named(left, name), name)
        self.assertRegex(self.node.log_text(), r'image removed image="[^"]*redis:6.2" id="sha256:[0-9a-f]{64}" bytes="\d+" reason="space"')
        self.assertIn('portcullis_image_garbage_collected_total{reason="space"} 1', self.node.get("/metrics"))
        self.assertEqual(self.node.get("/healthz"), "ok")

    def test_what_is_used_stays_on_a_full_disk_and_the_log_says_so(self):
        self.node.start()
        self.node.apply(pod("one", container("c", FOREVER)), pod("two", container("c", FOREVER, image="nginx:1.21")),
                        pod("three", container("c", FOREVER, image="redis:6.2")))
        for name in ("one", "two", "three"):
            self.node.wait_running(name)
        self.node.stop()
        self.fill(95)
        self.node.start()
        wait("the log to say so", lambda: "image garbage collection failed" in self.node.log_text())
        self.assertRegex(self.node.log_text(), re.escape(f'err="{self.mounted}') + r"[^ ]* is 9\d % full, and the unused images there are have "
                         r"0 of the \d+ bytes that should go")
        self.assertEqual(len(self.images()), 4)
        for name in ("one", "two", "three"):
            self.assertEqual(self.node.container_status(name, "c")["restartCount"], 0)

    def test_below_the_threshold_all_stay(self):
        self.fill(50)
        self.node.start()
        self.node.apply(pod("uses", container("c", FOREVER)))
        self.node.wait_running("uses")
        self.assertEqual(len(self.images()), 4)
        self.assertNotIn("image removed", self.node.log_text())


class BehindContainerd(unittest.TestCase):
    def test_what_nobody_uses_goes(self):
        peer = containerd.Containerd()
        peer.start("pause-3.10", "busybox", "nginx-1.21", "redis-6.2")
        # Every disk is that full.
        node = containerd.NodeOn(peer, config={"imageGCHighThresholdPercent": 1, "imageGCLowThresholdPercent": 0})
        self.addCleanup(lambda: self.assertEqual(node.close(), []))
        node.apply(pod("uses", container("c", FOREVER)), pod("wants", container("c", FOREVER, image="nginx:1.21")))
        node.start()

        def images():
            return node.json("images", "-o", "json")["images"]

        wait("redis to go", lambda: not named(images(), REDIS), explain=node.log_text)
        for name in ("uses", "wants"):
            node.wait_running(name)
        for name in (PAUSE, BUSYBOX, NGINX):
            self.assertTrue(named(images(), name), f"{name}: {images()}")
