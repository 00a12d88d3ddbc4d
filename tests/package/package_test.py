#!/usr/bin/env python3
"""The Debian package: what is in it, its scripts, its units, its words; installed and run within an overlay of this machine.

usage: package_test.py BUILD_DIR SOURCE_DIR      (as root; scripts/package has made BUILD_DIR/package/*.deb)

Nothing is installed on the machine itself: dpkg runs in a mount namespace of its own, with / an overlay on a scratch folder.
"""
import glob
import gzip
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = SOURCE = DEB = ""
# What docs/installation.md says of the units; a unit may get better, not worse.
DOCUMENTED = re.compile(r"exposure figure of `(\S+)`: ([0-9.]+)")


def run(*command, check=True, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


# What stands in the line when TAB is pressed, and what may come of it, in every shell.
COMPLETED = (("portcullis no", {"node"}), ("portcullis node --self", {"--self-seccomp"}), ("portcullis profile co", {"compile"}),
             ("portcullis crictl inspect", {"inspect", "inspectp", "inspecti"}))


class Zsh:
    """An interactive zsh on a terminal, for its completion works nowhere else."""

    MARK = "@end@"
    DONE = "@done@"

    def __init__(self, completions, programs):
        self.folder = tempfile.mkdtemp(prefix="portcullis-zsh-")
        self.told = f"{self.folder}/candidates"
        with open(f"{self.folder}/.zshrc", "w", encoding="utf-8") as file:
            # What the completion system is given goes to a file as well, one candidate a line.
            file.write(f"""PROMPT= RPROMPT= PS2=
unset zle_bracketed_paste
fpath=({completions} $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {{
  local -a candidates
  builtin compadd -O candidates "$@"
  print -l -- $candidates >>{self.told}
  builtin compadd "$@"
}}
complete-and-tell() {{ zle expand-or-complete; print -- {self.DONE} >>{self.told} }}
zle -N complete-and-tell
bindkey '^I' complete-and-tell
""")
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe("zsh", ["zsh", "-i"], {"PATH": f"{programs}:{os.environ['PATH']}", "TERM": "dumb", "ZDOTDIR": self.folder,
                                              "HOME": self.folder})
        self.mark()

    def send(self, text):
        os.write(self.terminal, text.encode())

    def mark(self):
        """Waits until all that was sent is done; the mark is made by the shell, so its echo does not count."""
        self.send(f"print {self.MARK[:3]}''{self.MARK[3:]}\n")
        text = ""
        until = time.monotonic() + 60
        while self.MARK not in text:
            ready, _, _ = select.select([self.terminal], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise AssertionError(f"zsh did not say {self.MARK}; it said {text!r}")
            text += os.read(self.terminal, 65536).decode(errors="replace")

    def complete(self, line):
        with open(self.told, "w", encoding="utf-8"):
            pass
        # What is typed meanwhile would end the completion.
        self.send(f"{line}\t")
        until = time.monotonic() + 60
        while self.DONE not in read(self.told):
            if time.monotonic() > until:
                raise AssertionError(f"zsh did not complete {line!r}; it gave {read(self.told)!r}")
            time.sleep(0.01)
        self.send("\x15")  # the line is dropped
        self.mark()
        return set(read(self.told).split()) - {self.DONE}

    def close(self):
        os.close(self.terminal)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        shutil.rmtree(self.folder)


class Contents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="portcullis-package-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        run("dpkg-deb", "--raw-extract", DEB, cls.folder)
        cls.program = f"{cls.folder}/usr/bin/portcullis"

    def test_control(self):
        def field(name):
            return run("dpkg-deb", "--field", DEB, name).stdout.strip()
        self.assertEqual(field("Package"), "portcullis")
        depends = field("Depends")
        for wanted in ("conmon", "runc | crun", "containernetworking-plugins", "iptables", "libc6 (", "libgrpc++1", "libsqlite3-0"):
            self.assertIn(wanted, depends)
        self.assertEqual(read(f"{self.folder}/DEBIAN/conffiles").split(),
                         ["/etc/default/portcullis", "/etc/default/portcullis-runtime", "/etc/portcullis/kubelet-config.yaml"])

    def test_files(self):
        there = {os.path.relpath(os.path.join(folder, name), self.folder)
                 for folder, _, names in os.walk(self.folder) for name in names}
        for path in ("usr/bin/portcullis", "usr/lib/portcullis/bin/crictl", "lib/systemd/system/portcullis.service",
                     "lib/systemd/system/portcullis-runtime.service", "usr/share/man/man1/portcullis.1.gz",
                     "usr/share/man/man8/portcullis-node.8.gz", "usr/share/bash-completion/completions/portcullis",
                     "usr/share/zsh/vendor-completions/_portcullis", "usr/share/fish/vendor_completions.d/portcullis.fish",
                     "usr/share/doc/portcullis/copyright", "usr/share/doc/portcullis/installation.md",
                     "usr/share/doc/portcullis/examples/kubelet-with-portcullis-runtime.conf"):
            if "/lib/systemd" in "/" + path and path not in there:
                path = "usr/" + path
            self.assertIn(path, there)
        for path in glob.glob(f"{SOURCE}/deploy/sysctl.d/*.conf"):
            self.assertTrue(any(there_path.endswith("lib/sysctl.d/" + os.path.basename(path)) for there_path in there), path)
        self.assertNotIn("usr/bin/crictl", there, "cri-tools has a file of that name")
        self.assertFalse([path for path in there if path.startswith("usr/bin/") and path != "usr/bin/portcullis"])

    def test_owners_and_modes(self):
        for line in run("dpkg-deb", "--contents", DEB).stdout.splitlines():
            mode, owner = line.split()[:2]
            self.assertEqual(owner, "root/root", line)
            if not mode.startswith("l"):
                self.assertNotIn("w", mode[5:], line)

    def test_no_path_of_the_building_machine(self):
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    self.assertFalse(os.readlink(path).startswith(SOURCE), path)
                    continue
                with open(path, "rb") as file:
                    data = file.read()
                text = gzip.decompress(data) if path.endswith(".gz") else data
                self.assertEqual(re.findall(re.escape(BUILD.encode()) + rb"/[!-~]*", text), [], path)

    def test_every_flag_of_help_is_in_its_manual_page(self):
        verbs = ["node", "runtime", "image", "status", "try", "tolerate", "drain", "uncordon"]
        commands = [(verb, [verb]) for verb in verbs]
        for group in ("profile", "crictl", "evidence"):
            text = run(self.program, group, "--help").stdout
            subs = set(re.findall(r"^  ([a-z][a-z-]*)(?=[ ,])", text, re.MULTILINE))
            self.assertGreater(len(subs), 2, group)
            if group == "crictl":
                commands.append((group, [group]))
            commands += [(group, [group, sub]) for sub in sorted(subs)]
        for verb, command in commands:
            page = glob.glob(f"{self.folder}/usr/share/man/man[18]/portcullis-{verb}.[18].gz")
            with gzip.open(page[0], "rt", encoding="utf-8") as file:
                manual = file.read().replace("\\-", "-")
            helped = run(self.program, *command, "--help", check=False).stdout
            flags = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", "\n".join(
                line for line in helped.splitlines() if line.startswith("  -"))))
            for flag in flags:
                with self.subTest(command=command, flag=flag):
                    self.assertRegex(manual, re.escape(flag) + r"(?![a-z-])")

    def test_manual_pages_are_well_formed(self):
        pages = glob.glob(f"{self.folder}/usr/share/man/man[18]/*.gz")
        self.assertGreaterEqual(len(pages), 9)
        for page in pages:
            done = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page,
                       env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"})
            complaints = [line for line in done.stderr.splitlines() if "can't break line" not in line and "cannot adjust" not in line]
            self.assertEqual(complaints, [], page)

    def test_bash_completes_what_help_says(self):
        completions = f"{self.folder}/usr/share/bash-completion/completions/portcullis"
        for line, wanted in (("portcullis no", {"node"}), ("portcullis node --self", {"--self-seccomp"}),
                             ("portcullis profile co", {"compile"}), ("portcullis crictl inspect", {"inspect", "inspectp", "inspecti"}),
                             ("portcullis node --pod-manifest-path ", set())):
            script = f'source {completions}; COMP_LINE="{line}" COMP_POINT={len(line)}; _portcullis; printf "%s\\n" "${{COMPREPLY[@]}}"'
            done = run("bash", "-c", script, env={**os.environ, "PATH": f"{self.folder}/usr/bin:{os.environ['PATH']}"})
            with self.subTest(line=line):
                self.assertEqual(set(done.stdout.split()), wanted)

    def test_fish_completes_what_help_says(self):
        completions = f"{self.folder}/usr/share/fish/vendor_completions.d/portcullis.fish"
        for line, wanted in COMPLETED:
            done = run("fish", "--no-config", "-c", f'source {completions}; complete -C "{line}"',
                       env={**os.environ, "PATH": f"{self.folder}/usr/bin:{os.environ['PATH']}"})
            with self.subTest(line=line):
                self.assertEqual({word.split("\t")[0] for word in done.stdout.splitlines()}, wanted)

    def test_zsh_completes_what_help_says(self):
        shell = Zsh(f"{self.folder}/usr/share/zsh/vendor-completions", f"{self.folder}/usr/bin")
        self.addCleanup(shell.close)
        for line, wanted in COMPLETED:
            with self.subTest(line=line):
                self.assertEqual(shell.complete(line), wanted)

    def test_units(self):
        units = glob.glob(f"{self.folder}/**/portcullis*.service", recursive=True)
        self.assertEqual(len(units), 2)
        documented = dict(DOCUMENTED.findall(read(f"{SOURCE}/docs/installation.md")))
        for unit in units:
            text = read(unit)
            name = os.path.basename(unit)
            self.assertIn("KillMode=process", text)
            # All of these would reach the containers.
            for inherited in ("SystemCallFilter", "NoNewPrivileges", "CapabilityBoundingSet", "Restrict", "Protect", "Private",
                              "MemoryDenyWriteExecute", "LockPersonality"):
                self.assertNotRegex(text, rf"(?m)^{inherited}")
            with self.subTest(unit=name):
                said = run("systemd-analyze", "security", "--offline=true", unit, check=False).stdout
                figure = re.search(r"Overall exposure level for .*: ([0-9.]+)", said)
                self.assertIsNotNone(figure, said)
                self.assertLessEqual(float(figure.group(1)), float(documented[name]))
            verified = run("systemd-analyze", "verify", "--man=no", unit, check=False)
            wrong = [line for line in verified.stderr.splitlines()
                     if name in line and "is not executable" not in line and "kubelet.service" not in line]
            self.assertEqual(wrong, [])

    def test_the_example_configuration_is_accepted(self):
        done = run(self.program, "node", "--check-config", "--config", f"{self.folder}/etc/portcullis/kubelet-config.yaml")
        self.assertRegex(done.stdout, r"(?m)^seccompDefault\W+true")


class Installed(unittest.TestCase):
    """dpkg -i and its opposites, in an overlay of this machine's root."""

    def setUp(self):
        self.scratch = tempfile.mkdtemp(prefix="portcullis-root-", dir=os.environ.get("PORTCULLIS_PACKAGE_DIR", "/tmp"))
        self.addCleanup(shutil.rmtree, self.scratch)

    def in_root(self, script):
        """Runs `script` with / an overlay; /proc is this machine's, /run and /tmp are empty, and no node has ever been here."""
        setup = f"""set -eu
mount -t tmpfs scratch {self.scratch}
mkdir {self.scratch}/up {self.scratch}/work {self.scratch}/root
mount -t overlay overlay -o lowerdir=/,upperdir={self.scratch}/up,workdir={self.scratch}/work {self.scratch}/root
cd {self.scratch}/root
for folder in proc dev; do mount --rbind /$folder $folder; done
mount -t tmpfs run run; mount -t tmpfs tmp tmp
rm -rf etc/portcullis etc/default/portcullis* var/lib/portcullis var/cache/portcullis
cp {DEB} tmp/portcullis.deb
chroot . /bin/sh -eu -c "$SCRIPT"
"""
        return run("unshare", "--mount", "--propagation", "private", "sh", "-c", setup, check=False,
                   env={**os.environ, "SCRIPT": script, "DEBIAN_FRONTEND": "noninteractive"})

    def test_install_use_upgrade_remove_purge(self):
        done = self.in_root(r"""
dpkg -i /tmp/portcullis.deb
portcullis version
test -d /etc/kubernetes/manifests
grep -q 'seccompDefault: true' /etc/portcullis/kubelet-config.yaml
ls /etc/systemd/system/multi-user.target.wants/ 2>/dev/null | grep portcullis && exit 10
/usr/lib/portcullis/bin/crictl --help | grep -q 'Kubernetes container runtime interface'
echo 'PORTCULLIS_NODE_FLAGS="--mine"' >/etc/default/portcullis
mkdir -p /var/lib/portcullis /run/portcullis/netns
dpkg -i /tmp/portcullis.deb
grep -q mine /etc/default/portcullis || exit 11
mount -t tmpfs pod /run/portcullis/netns
if dpkg -r portcullis 2>/tmp/said; then exit 12; fi
grep -q 'portcullis drain' /tmp/said || { cat /tmp/said; exit 13; }
test -x /usr/bin/portcullis
umount /run/portcullis/netns
dpkg -r portcullis
test ! -e /usr/bin/portcullis
test -d /var/lib/portcullis || exit 14
test -f /etc/default/portcullis || exit 15
mount -t tmpfs pod /run/portcullis/netns
dpkg -P portcullis 2>/tmp/said
grep -q 'pods still use them' /tmp/said || exit 16
test -d /var/lib/portcullis || exit 17
umount /run/portcullis/netns
dpkg -i /tmp/portcullis.deb >/dev/null
dpkg -P portcullis
test ! -e /var/lib/portcullis || exit 18
test ! -e /etc/portcullis || exit 19
test ! -e /etc/default/portcullis || exit 20
echo all is well
""")
        self.assertTrue(done.stdout.endswith("all is well\n"), f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
        self.assertFalse(os.path.exists("/var/lib/dpkg/info/portcullis.list"), "it was installed on the machine itself")

    def test_cmake_install(self):
        root = f"{self.scratch}/root"
        run("cmake", "--install", BUILD, "--prefix", "/usr", env={**os.environ, "DESTDIR": root})
        self.assertTrue(os.path.exists(f"{root}/usr/bin/portcullis"))
        self.assertEqual(os.readlink(f"{root}/usr/bin/crictl"), "portcullis")
        os.remove(f"{root}/usr/bin/crictl")
        with open(f"{root}/usr/bin/crictl", "w", encoding="utf-8") as file:
            file.write("cri-tools' own")
        run("cmake", "--install", BUILD, "--prefix", "/usr", env={**os.environ, "DESTDIR": root})
        self.assertEqual(read(f"{root}/usr/bin/crictl"), "cri-tools' own")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    BUILD, SOURCE = (os.path.abspath(path) for path in sys.argv[1:3])
    debs = glob.glob(f"{BUILD}/package/*.deb")
    if len(debs) != 1:
        sys.exit(f"package_test: {len(debs)} packages in {BUILD}/package: run scripts/package first")
    DEB = debs[0]
    result = unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2, exit=False).result
    # Once more at the very end, where also the tail of a long log shows it.
    for test, trace in [*result.failures, *result.errors]:
        print(f"failed: {test}: {trace.strip().splitlines()[-1]}")
    sys.exit(0 if result.wasSuccessful() else 1)
