"""Runs a command and says what it cost: wall, CPU, peak resident and peak anonymous memory.

Wall and CPU are those of the command and of every process it waited for. Anonymous memory (RssAnon of
/proc/PID/status) is polled; it is the figure to compare, because resident memory counts mapped input and index files.
"""

import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

POLL_SECONDS = 0.01


class Cost(dict):
    """wall, cpu, user, system (seconds), rss, anon (bytes), code, out, err."""

    __getattr__ = dict.__getitem__


def anonymous_bytes(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            found = re.search(r"^RssAnon:\s+(\d+) kB", status.read(), re.MULTILINE)
    except OSError:
        return 0
    return int(found.group(1)) * 1024 if found else 0


def run(command, env=None, cwd=None, kill_after=None, check=True, stdin=None):
    """Runs a command to its end, or kills it (SIGKILL) after so many seconds."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=out, stderr=err, stdin=stdin or subprocess.DEVNULL, cwd=cwd, env={**os.environ, **(env or {})}
        )
        peak = [0]
        ended = threading.Event()

        def poll():
            while not ended.is_set():
                peak[0] = max(peak[0], anonymous_bytes(process.pid))
                if kill_after is not None and time.perf_counter() - start >= kill_after:
                    process.kill()
                    return
                ended.wait(POLL_SECONDS)

        poller = threading.Thread(target=poll)
        poller.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        ended.set()
        poller.join()
        out.seek(0)
        err.seek(0)
        cost = Cost(
            wall=wall,
            cpu=usage.ru_utime + usage.ru_stime,
            user=usage.ru_utime,
            system=usage.ru_stime,
            rss=usage.ru_maxrss * 1024,
            anon=peak[0],
            code=process.returncode,
            out=out.read().decode(errors="replace"),
            err=err.read().decode(errors="replace"),
        )
    # 3 is "done with exceptions": what the input deserves, not a failure.
    if check and kill_after is None and cost.code not in (0, 3):
        sys.exit(f"{' '.join(map(str, command))} gave exit code {cost.code}\n{cost.err[-2000:]}")
    return cost


def tree_bytes(path):
    """Bytes of all files below a folder, or of one file; names that vanish meanwhile count nothing."""
    if os.path.isfile(path):
        return os.path.getsize(path)
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                pass
    return total


def read_once(path):
    """Brings all files below a path into the page cache; returns (files, bytes)."""
    files = total = 0
    paths = [path] if os.path.isfile(path) else (
        os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names
    )
    for one in paths:
        with open(one, "rb", buffering=0) as file:
            files += 1
            while chunk := file.read(1 << 20):
                total += len(chunk)
    return files, total


def median(values):
    values = list(values)
    return statistics.median(values) if values else None


def remove(path):
    shutil.rmtree(path, ignore_errors=True)


def machine():
    """What the figures depend on, without names of hosts or folders."""
    model = ""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
            found = re.search(r"^model name\s*:\s*(.+)$", info.read(), re.MULTILINE)
            model = found.group(1) if found else ""
    except OSError:
        pass
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "load_1_minute": os.getloadavg()[0],
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def commit(root):
    done = subprocess.run(["git", "-C", root, "rev-parse", "--short=12", "HEAD"], capture_output=True, check=False)
    return done.stdout.decode().strip() or None


def table(rows, heads):
    """Lines of a plain table; numbers to the right."""
    cells = [[("" if cell is None else str(cell)) for cell in row] for row in rows]
    widths = [max(len(str(line[at])) for line in [heads, *cells]) for at in range(len(heads))]
    lines = ["  ".join(str(head).ljust(width) for head, width in zip(heads, widths)).rstrip()]
    lines.append("  ".join("-" * width for width in widths))
    for line in cells:
        lines.append(
            "  ".join(
                cell.rjust(width) if re.match(r"^[-+]?[\d.,]+[x%]?$", cell) else cell.ljust(width)
                for cell, width in zip(line, widths)
            ).rstrip()
        )
    return "\n".join(lines)


def save(path, result):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1, sort_keys=True)
        file.write("\n")
