"""scripts/install-dependencies, with apt and dpkg played by scripts: what it would do, and when it does nothing."""

import os
import pathlib
import shutil
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/install-dependencies"
REAL = ["bash", "cat", "env", "grep"]

# Knows every package but the ones in MISSING: of the first of those it never heard, the second was removed.
DPKG_QUERY = """#!/bin/bash
status=0
for package in "${@:3}"; do
    case " $MISSING " in
    *" $package "*) if [[ $MISSING == "$package"* ]]; then status=1; else printf 'config-files/%s ' "$package"; fi ;;
    *) printf 'installed/%s ' "$package" ;;
    esac
done
exit $status
"""
RECORD = """#!/bin/bash
echo "${0##*/} $*" >>"$CALLS"
"""
SUDO = RECORD + 'exec "$@"\n'


@pytest.fixture
def machine(tmp_path):
    """machine(group, uid, missing, sudo): (exit status, stderr, calls of apt-get and sudo)"""

    def run(*args, uid=0, missing="", sudo=False):
        shutil.rmtree(tmp_path / "bin", ignore_errors=True)
        (tmp_path / "bin").mkdir()
        scripts = {"dpkg-query": DPKG_QUERY, "apt-get": RECORD, "id": f"#!/bin/bash\necho {uid}\n"}
        if sudo:
            scripts["sudo"] = SUDO
        for name in REAL:
            os.symlink(shutil.which(name), tmp_path / "bin" / name)
        for name, text in scripts.items():
            (tmp_path / "bin" / name).write_text(text, encoding="ascii")
            (tmp_path / "bin" / name).chmod(0o755)
        calls = tmp_path / "calls"
        calls.write_text("", encoding="ascii")
        done = subprocess.run([shutil.which("bash"), SCRIPT, *args], text=True, capture_output=True, check=False,
                              env={"PATH": str(tmp_path / "bin"), "MISSING": missing, "CALLS": str(calls)})
        return done.returncode, done.stderr, calls.read_text(encoding="ascii").splitlines()

    return run


def test_nothing_missing_does_nothing_and_needs_no_rights(machine):
    for group in ("demo", "test"):
        assert machine(group, uid=1000) == (0, "", [])


def test_only_the_missing_are_installed_after_an_update(machine):
    status, _, calls = machine("test", missing="libuv1-dev python3-pytest")
    assert status == 0
    update, install = calls
    assert update.endswith(" update")
    assert install.endswith(" libuv1-dev python3-pytest")
    assert "--no-install-recommends" in install and " install -y " in install


def test_a_user_installs_through_sudo(machine):
    status, _, calls = machine("demo", uid=1000, missing="libuv1-dev", sudo=True)
    assert status == 0
    assert [call.split()[0] for call in calls] == ["sudo", "apt-get", "sudo", "apt-get"]


def test_neither_root_nor_sudo_is_told_what_to_ask_for(machine):
    status, stderr, calls = machine("demo", uid=1000, missing="libuv1-dev libpq-dev")
    assert status == 1 and calls == []
    assert "Ask an administrator" in stderr
    assert "apt-get install --no-install-recommends libuv1-dev libpq-dev" in stderr


def test_test_tools_are_not_wanted_for_the_demo(machine):
    assert machine("demo", missing="python3-pytest libcriterion-dev") == (0, "", [])
    assert machine(missing="python3-pytest")[2] != []


def test_unknown_group_is_refused(machine):
    status, stderr, _ = machine("everything")
    assert status == 2 and "'everything'" in stderr
