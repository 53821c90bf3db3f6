#!/usr/bin/python3
"""check_layers: the includes of every folder against the link lines of CMakeLists.txt, which are the architecture.

    check_layers.py SOURCE_FOLDER       fails on an include that the folder's LINKS do not name
    check_layers.py --self-test         fails when a planted wrong include is not found, or a right one is refused

A folder may include itself and the folders its own line names, not what those link in turn. A line may only name folders
that come before it, so the picture has no circle.
"""

import pathlib
import re
import sys
import tempfile

LINE = re.compile(r"^followupd_(folder|program)\(([^)]*)\)", re.MULTILINE)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<(followupd/[^>]+)>)', re.MULTILINE)


def read_links(text):
    """{folder: folders it may include}, and complaints about the lines themselves."""
    links, complaints = {}, []
    for kind, words in LINE.findall(text):
        words = words.split()
        folder, rest = (words[0], words[1:]) if kind == "folder" else (words[1], words[2:])
        if folder == "name" or folder.startswith("$"):
            continue  # the definition of the CMake function
        named, taking = [], False
        for word in rest:
            if word.isupper():
                taking = word == "LINKS"
            elif taking:
                named.append(word)
        for other in named:
            if other not in links:
                complaints.append(f"CMakeLists.txt: {folder} links {other}, which is not defined before it")
        links[folder] = {folder, *named}
    return links, complaints


def folder_of(source, file, included):
    """The folder of src/ or include/followupd/ that an include leads to; None when it is nobody's."""
    if included.startswith("followupd/"):
        parts = pathlib.PurePosixPath(included).parts
        return parts[1] if len(parts) > 2 else None
    target = (file.parent / included).resolve()
    for root in (source / "src", source / "include/followupd"):
        if target.is_relative_to(root.resolve()):
            return target.relative_to(root.resolve()).parts[0]
    return None


def check(source):
    """(complaints, includes looked at)"""
    links, complaints = read_links((source / "CMakeLists.txt").read_text(encoding="utf-8"))
    seen = 0
    for root in (source / "src", source / "include/followupd"):
        for file in sorted(path for path in root.rglob("*") if path.suffix in (".c", ".h")):
            folder = file.relative_to(root).parts[0]
            place = file.relative_to(source)
            if folder not in links:
                complaints.append(f"{place}: folder '{folder}' has no followupd_folder or followupd_program line")
                continue
            text = file.read_text(encoding="utf-8")
            for match in INCLUDE.finditer(text):
                other = folder_of(source, file, match[1] or match[2])
                if other is None:
                    continue
                seen += 1
                if other not in links[folder]:
                    line = text.count("\n", 0, match.start()) + 1
                    complaints.append(f"{place}:{line}: {folder} may not include {other}: {match[0].strip()}")
    return complaints, seen


def self_test():
    right = {
        "CMakeLists.txt": "function(followupd_folder name)\nfollowupd_folder(base)\nfollowupd_folder(db LINKS base PACKAGES libpq)\n"
                          "followupd_folder(store\n    LINKS base db)\nfollowupd_program(tool ctl LINKS base PACKAGES sched)\n",
        "include/followupd/base/buf.h": "#include <stdint.h>\n",
        "src/base/buf.c": '#include "followupd/base/buf.h"\n#include "parts.h"\n',
        "src/base/parts.h": "",
        "src/db/conn.c": '#include "followupd/base/buf.h"\n#include "followupd/db/conn.h"\n#include <libpq-fe.h>\n',
        "include/followupd/db/conn.h": '#include "followupd/base/buf.h"\n',
        "src/store/pg.c": '#include "followupd/db/conn.h"\n',
        "src/ctl/main.c": '#include "followupd/base/buf.h"\n',
    }
    wrong = {  # each planted alone on the right tree: (file, text, what the complaint must say)
        "code, upward": ("src/base/up.c", '\n#include "followupd/db/conn.h"\n', "src/base/up.c:2: base may not include db"),
        "header, upward": ("include/followupd/base/up.h", '#include "followupd/db/conn.h"\n', "base may not include db"),
        "angle brackets": ("src/base/up.c", "# include <followupd/store/x.h>\n", "base may not include store"),
        "private header": ("src/base/up.c", '#include "../db/inside.h"\n', "base may not include db"),
        "program": ("src/ctl/more.c", '#include "followupd/db/conn.h"\n', "ctl may not include db"),
        "a package is no folder": ("src/ctl/more.c", '#include "followupd/sched/wheel.h"\n', "ctl may not include sched"),
        "folder without a line": ("src/stray/a.c", "\n", "folder 'stray' has no"),
        "circle": ("CMakeLists.txt", "followupd_folder(base LINKS db)\nfollowupd_folder(db LINKS base)\n", "not defined before"),
    }
    failures = []

    def complaints_of(files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return check(pathlib.Path(folder))

    complaints, seen = complaints_of(right)
    if complaints or seen != 7:
        failures.append(f"the right tree: {seen} includes, complaints {complaints}")
    for case, (name, text, expected) in wrong.items():
        complaints, _ = complaints_of({**right, name: text})
        if not any(expected in complaint for complaint in complaints):
            failures.append(f"{case}: not found, complaints {complaints}")
    return failures, len(wrong)


def main():
    if sys.argv[1:] == ["--self-test"]:
        failures, cases = self_test()
        print("\n".join(failures) or f"{cases} planted faults found")
        return 1 if failures else 0
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    complaints, seen = check(pathlib.Path(sys.argv[1]).resolve())
    if seen == 0:
        complaints.append("no include was looked at: is this the source folder?")
    print("\n".join(complaints) or f"{seen} includes, all on the link lines")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
