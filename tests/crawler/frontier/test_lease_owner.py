"""Recognise owners of leases whose process has ended."""

import os
import subprocess
import sys

from crawler.frontier.lease_owner import is_dead, new_owner


def test_this_process_lives() -> None:
    assert not is_dead(new_owner())


def test_owners_differ_within_one_process() -> None:
    assert new_owner() != new_owner()


def test_a_process_that_ended_is_dead() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "from crawler.frontier.lease_owner import new_owner; print(new_owner())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert is_dead(ended.stdout.strip())


def test_a_number_that_was_given_to_a_newer_process_is_dead() -> None:
    machine, pid, start, token = new_owner().rsplit("/", 3)
    assert int(pid) == os.getpid()
    assert is_dead(f"{machine}/{pid}/{start}0/{token}")


def test_of_another_machine_nothing_is_known() -> None:
    assert not is_dead("elsewhere/1/1/token")
