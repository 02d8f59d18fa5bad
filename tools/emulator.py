# A small Linux machine, emulated; with an AVX-512 CPU, by Bochs. SPDX-License-Identifier: Apache-2.0
"""Boots a kernel and an initramfs with static programs, runs a list of commands there (by
validate/emulator/init.c) and returns what came through the serial port."""
import glob
import os
import re
import shutil
import subprocess
import time

BOCHS = "bochs-bin"  # Debian's `bochs` asks for a terminal
FILES = {
    "/usr/lib/ISOLINUX/isolinux.bin": "isolinux",
    "/usr/lib/syslinux/modules/bios/ldlinux.c32": "syslinux-common",
    "/usr/share/bochs/BIOS-bochs-latest": "bochsbios",
    "/usr/share/bochs/VGABIOS-lgpl-latest": "vgabios",
    "/usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so": "bochs-term",
}
PROGRAMS = {BOCHS: "bochs", "xorriso": "xorriso"}

# XSAVEC and XSAVES of Bochs 2.7 are not what Linux expects: with them it gives AVX up. The rest saves
# time: no calibration of the clock, no self-tests, no set-up of tracing.
KERNEL_ARGUMENTS = (
    "console=ttyS0 loglevel=1 nosmp nokaslr mitigations=off clearcpuid=xsavec,xsaves "
    "tsc_early_khz=50000 cryptomgr.notests initcall_blacklist=trace_eval_init,tracer_init_tracefs,"
    "init_kprobe_trace,init_graph_tracefs,register_warn_debugfs,bpf_event_init,trace_events_synth_init")

# The sound drivers must be named, or Bochs ends at once.
BOCHSRC = """config_interface: textconfig
display_library: term
cpu: model=corei7_skylake_x, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=256, host=256
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path=boot.iso, status=inserted
boot: cdrom
clock: sync=none, time0=1700000000
com1: enabled=1, mode=file, dev=serial.txt
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
speaker: enabled=0
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
"""

ISOLINUX = """DEFAULT linux
PROMPT 0
TIMEOUT 0
LABEL linux
 KERNEL /vmlinuz
 INITRD /initrd
 APPEND {}
"""


def kernel_find(work):
    """Path of a Debian cloud kernel: WEIR_EMU_KERNEL, or unpacked in the work folder, or the host's."""
    if os.environ.get("WEIR_EMU_KERNEL"):
        return os.environ["WEIR_EMU_KERNEL"]
    found = glob.glob(os.path.join(work, "kernel/boot/vmlinuz-*-cloud-amd64"))
    found += glob.glob("/boot/vmlinuz-*-cloud-amd64")
    return found[0] if found else None


def skip(check, lines):
    """Prints why the check does not run; its exit status: 77, or 1 where CI requires the emulator."""
    required = os.environ.get("REQUIRE_EMU") == "1"
    word = "FAILED" if required else "SKIP"
    print("".join(f"{word} {check}: {line}\n" for line in lines), end="")
    return 1 if required else 77


def missing(work, programs=None, files=None):
    """What is not here, one line each, ending in how to get it. Without arguments: of Bochs."""
    programs, files = (PROGRAMS, FILES) if programs is None else (programs, files or {})
    packages = {package for program, package in programs.items() if not shutil.which(program)}
    packages |= {package for path, package in files.items() if not os.path.exists(path)}
    lines = []
    if packages:
        lines.append("no emulator: apt-get install " + " ".join(sorted(packages)))
    kernel = kernel_find(work)
    if not kernel or not os.path.exists(kernel):
        lines.append(f"no Linux kernel for it{' at ' + kernel if kernel else ''}: mkdir -p {work} && cd {work} && "
                     "apt-get download $(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p') && "
                     "dpkg -x linux-image-*-cloud-amd64_*.deb kernel    (or set WEIR_EMU_KERNEL)")
    return lines


def entry(inode, name, mode, data=b""):
    """One file of a cpio archive in the newc format (Linux, initramfs buffer format)."""
    name = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def initramfs(init, programs, commands):
    """An archive with /init, the programs in / and the commands in /run."""
    parts = [("init", init)] + [(os.path.basename(path), path) for path in programs]
    archive = entry(1, "run", 0o100644, "".join(command + "\n" for command in commands).encode())
    for inode, (name, path) in enumerate(parts, 2):
        with open(path, "rb") as file:
            archive += entry(inode, name, 0o100755, file.read())
    return archive + entry(0, "TRAILER!!!", 0)


def image_make(work, kernel, archive):
    root = os.path.join(work, "iso")
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(os.path.join(root, "isolinux"))
    for path in list(FILES)[:2]:
        shutil.copy(path, os.path.join(root, "isolinux"))
    shutil.copy(kernel, os.path.join(root, "vmlinuz"))
    with open(os.path.join(root, "initrd"), "wb") as file:
        file.write(archive)
    with open(os.path.join(root, "isolinux/isolinux.cfg"), "w", encoding="utf-8") as file:
        file.write(ISOLINUX.format(KERNEL_ARGUMENTS))
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-o", os.path.join(work, "boot.iso"),
                    "-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat", "-no-emul-boot",
                    "-boot-load-size", "4", "-boot-info-table", root],
                   check=True, stderr=subprocess.DEVNULL)


def read(path):
    with open(path, encoding="latin-1") as file:
        return file.read().replace("\r", "")


def wait(emulator, serial, seconds):
    """Until the machine is switched off, panics or runs out of time."""
    end = time.monotonic() + seconds
    while emulator.poll() is None and time.monotonic() < end and "Kernel panic" not in read(serial):
        time.sleep(0.1)
    if emulator.poll() is None:
        emulator.kill()


def boot(work, seconds):
    """Runs boot.iso; returns the text of the serial port. Bochs itself always ends with 1."""
    serial = os.path.join(work, "serial.txt")
    for name, text in (("bochsrc", BOCHSRC), ("debugger", "c\n"), ("serial.txt", "")):
        with open(os.path.join(work, name), "w", encoding="utf-8") as file:
            file.write(text)
    environment = dict(os.environ, TERM="vt100")
    with open(os.path.join(work, "screen.txt"), "wb") as screen, \
            subprocess.Popen([BOCHS, "-q", "-f", "bochsrc", "-log", "bochs.log", "-rc", "debugger"],
                             cwd=work, stdin=subprocess.DEVNULL, stdout=screen, stderr=subprocess.STDOUT,
                             env=environment) as bochs:
        wait(bochs, serial, seconds)
    return read(serial)


def run(work, init, programs, commands, seconds):
    """Returns the serial port's text and the seconds it took."""
    work = os.path.abspath(work)
    os.makedirs(work, exist_ok=True)
    begin = time.monotonic()
    image_make(work, kernel_find(work), initramfs(init, programs, commands))
    return boot(work, seconds), time.monotonic() - begin


def problems(serial, commands, expected=None):
    """What is wrong with a run, seen from its serial port; empty when every command ran and ended with 0, or with
    what is expected of it."""
    expected = [str(code) for code in expected or [0] * len(commands)]
    done = re.findall(r"^EMU-DONE run=(\d+) failed=(\d+)$", serial, re.M)
    results = re.findall(r"^EMU-RESULT rc=(\d+) ms=\d+$", serial, re.M)
    if "EMU-START" not in serial:
        return ["the machine did not come up"]
    found = [f"command {i + 1} ({commands[i] if i < len(commands) else 'not asked for'}) ended with {code}"
             for i, code in enumerate(results) if code != (expected[i] if i < len(expected) else "0")]
    if len(done) != 1:
        found.append(f"the machine died after {len(results)} of {len(commands)} commands, or ran out of time")
    elif int(done[0][0]) != len(commands) or len(results) != len(commands):
        found.append(f"{done[0][0]} commands ran, not {len(commands)}")
    elif int(done[0][1]) != sum(code != "0" for code in results) and not found:
        found.append(f"{done[0][1]} commands failed")
    return found
