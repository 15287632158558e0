#!/usr/bin/env python3
"""Stops one thread of a process and nothing else, as if it were caught in an endless loop.

  freeze.py TID

Says "frozen" once it is, and holds it until the thread is gone or this program is ended.
"""
import ctypes
import os
import sys

PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ask(request, tid):
    if libc.ptrace(request, tid, None, None) != 0:
        sys.exit("freeze.py: " + os.strerror(ctypes.get_errno()))


thread = int(sys.argv[1])
ask(PTRACE_SEIZE, thread)
ask(PTRACE_INTERRUPT, thread)
os.waitpid(thread, WALL)
print("frozen", flush=True)
while True:
    try:
        _, status = os.waitpid(thread, WALL)
    except ChildProcessError:
        break
    if os.WIFEXITED(status) or os.WIFSIGNALED(status):
        break
