"""A child that ends before its order is read: one failed attempt, not the end of the worker."""

from __future__ import annotations

import asyncio
import sys

import psutil

from factoryops.jobs import attempt


async def test_a_child_that_is_already_gone_takes_no_memory() -> None:
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await child.wait()
    assert not psutil.pid_exists(child.pid)
    assert attempt._memory_bytes(child.pid) == 0
