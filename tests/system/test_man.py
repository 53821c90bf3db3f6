"""The manual pages, the completion and the installation, held against the programs and the source."""
import os
import pathlib
import re
import subprocess

import pytest

import schema

SOURCE = pathlib.Path(os.environ["FOLLOWUPD_SOURCE"])
MAN = SOURCE / "docs" / "man"
PRINTED = {"followupd.conf.5": "followupd", "followupctl.1": "followupctl"}
EVENT = re.compile(r'\blog_(?:debug|info|warn|error)\(\s*"(\w+)"')
EVENT_AT = re.compile(r"\blog_at\((?P<arguments>[^;]*?)kv\(", re.DOTALL)  # the event may be one of two


def run(name, *words, **kwargs):
    return subprocess.run([schema.program(name), *words], capture_output=True, text=True, check=True, timeout=20, **kwargs).stdout


def events_of(text):
    found = set(EVENT.findall(text))
    for match in EVENT_AT.finditer(text):
        found.update(re.findall(r'"(\w+)"', match["arguments"]))
    return found


def events_in_source():
    return {event for path in (SOURCE / "src").rglob("*.c") if path.parent.name != "sandbox"
            for event in events_of(path.read_text(encoding="utf-8"))}


def verbs():
    page = run("followupctl", "--print-man")
    names = re.findall(r"^\.SS (.*)$", page, re.MULTILINE)
    return [re.sub(r" \\fI.*", "", name).replace(r"\-", "-") for name in names]


def offered(*words, program=None):
    """What bash would offer for the last of the words, by the file that is installed."""
    quoted = " ".join(f"'{word}'" for word in ("followupctl", *words))
    script = (f"source {SOURCE}/completions/followupctl.bash\n"
              f"followupctl() {{ {program or schema.program('followupctl')} \"$@\"; }}\n"
              f"COMP_WORDS=({quoted}); COMP_CWORD={len(words)}\n"
              "compopt() { echo \":compopt $*\"; }\n"
              "_followupctl; printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 0 and done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PRINTED)
def test_the_page_in_the_repository_is_what_the_program_prints(page):
    assert (MAN / page).read_text(encoding="utf-8") == run(PRINTED[page], "--print-man"), \
        "cmake --build BUILD --target man writes it anew"


@pytest.mark.parametrize("page", [*PRINTED, "followupd.8"])
def test_a_page_formats_without_a_warning(page):
    done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-z", MAN / page], capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_events_are_found_in_code_whatever_its_shape():
    code = 'log_info("one", kv("a", 1)); log_warn(\n  "two"); log_at(x ? INFO : WARN,\n bad ? "three" : "four", kv("b", "c"));'
    assert events_of(code) == {"one", "two", "three", "four"}


def test_every_event_of_the_log_is_explained_and_no_other():
    log = (MAN / "followupd.8").read_text(encoding="utf-8").split(".SH LOG", 1)[1]
    explained = re.findall(r"^\.TP\n\.B (\w+)$", log, re.MULTILINE)
    assert sorted(explained) == sorted(events_in_source())


def test_what_the_daemon_is_asked_on_its_command_line_is_in_its_page():
    page = (MAN / "followupd.8").read_text(encoding="utf-8").replace(r"\-", "-")
    options = set(re.findall(r"--[a-z-]+", run("followupd", "--help")))
    assert options == set(re.findall(r"--[a-z-]+", page.split(".SH OPTIONS")[1].split(".SH SIGNALS")[0]))


def test_the_version_in_the_page_is_the_programs():
    assert f'"{run("followupd", "--version").strip()}"' in (MAN / "followupd.8").read_text(encoding="utf-8")


def test_the_calls_that_the_page_recommends_are_there():
    page = (MAN / "followupd.8").read_text(encoding="utf-8").replace(r"\-", "-")
    called = re.findall(r"followupctl ((?:[a-z-]+ ?)+)", page)
    known = verbs()
    assert called
    for call in called:
        assert any(call.strip().startswith(verb) for verb in known), call


# --- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", ["README.md", "docs/webhooks.md", "docs/providers.md"])
def test_every_secret_that_a_document_configures_is_handed_over(document):
    credential = re.compile(r"^ *LoadCredential=([\w-]+):/etc/followupd/secrets/\1$", re.MULTILINE)
    text, unit = ((SOURCE / name).read_text(encoding="utf-8") for name in (document, "systemd/followupd.service"))
    configured = set(re.findall(r"\w_file = ([\w.-]+)", text))
    assert configured and configured <= {*credential.findall(unit), *credential.findall(text)}


# --- completion -------------------------------------------------------------------------------------------------------


def test_every_verb_is_reached_word_by_word():
    for verb in verbs():
        words = verb.split(" ")
        assert words[0] in offered("")
        assert words[0] in offered(words[0][:2])
        if len(words) == 2:
            assert words[1] in offered(words[0], "")


def test_a_word_is_offered_once_and_only_where_it_fits():
    first = offered("")
    assert sorted(first) == sorted(set(first)) == sorted({verb.split(" ")[0] for verb in verbs()})
    assert offered("acc") == ["account"]
    assert offered("nonsense") == []


def test_options_of_the_verb_and_of_every_verb_are_offered_once():
    assert offered("stop", "--fi") == ["--filter"]
    assert offered("--js") == ["--json"]
    assert "--json" not in offered("lead", "list", "--json", "--")
    assert "--timezone" not in offered("lead", "list", "--")


def test_a_value_is_not_taken_for_a_verb():
    assert offered("--account", "lead", "imp") == []
    assert "lead" in offered("--account", "lead", "le")
    assert "import" in offered("--account", "=", "x", "lead", "imp")


def test_where_a_file_is_wanted_the_shell_offers_files():
    assert offered("--config", "") == [":compopt -o default"]
    assert offered("lead", "import", "") == [":compopt -o default"]


def test_words_to_choose_from_are_offered():
    assert offered("in-doubt", "settle", "4711", "") == ["sent", "not_sent"]
    assert offered("in-doubt", "settle", "4711", "--json", "no") == ["not_sent"]
    assert offered("in-doubt", "settle", "4711", "sent", "") == []


def test_a_program_that_fails_offers_nothing():
    assert offered("le", program="false") == []


# --- installation -----------------------------------------------------------------------------------------------------


def test_everything_is_installed_where_debian_looks_for_it(tmp_path):
    build = pathlib.Path(os.environ["FOLLOWUPD_BIN"]).parent
    subprocess.run(["cmake", "--install", build, "--prefix", tmp_path], capture_output=True, check=True, timeout=60)
    there = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert there == {"bin/followupd", "bin/followupctl", "lib/systemd/system/followupd.service", "share/man/man1/followupctl.1",
                     "share/man/man5/followupd.conf.5", "share/man/man8/followupd.8",
                     "share/bash-completion/completions/followupctl", "share/doc/followupd/followupd.conf.example"}
    unit = (tmp_path / "lib/systemd/system/followupd.service").read_text(encoding="utf-8")
    for section, page in re.findall(r"man:([\w.]+)\((\d)\)", unit):
        assert f"share/man/man{page}/{section}.{page}" in there
