"""Runs a command and appends its seconds and the most memory that it held at once, in MB, to a file: FILE COMMAND ..."""
import os
import subprocess
import sys
import time

file, *command = sys.argv[1:]
begin = time.perf_counter()
process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
said = process.stdout.read()
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - begin
if status != 0:
    sys.stderr.buffer.write(said)
    sys.exit(1)
with open(file, "a") as out:
    print(f"{seconds:.2f} {usage.ru_maxrss * 1024 / 1e6:.0f}", file=out)
