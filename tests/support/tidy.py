"""Runs clang-tidy on the rooms' sources: tidy.py CLANG_TIDY SOURCE_FOLDER BUILD_FOLDER CACHE_FOLDER

What was clean is not looked at again until it, a header of the project that it includes, its flags, the settings or the tool
change. Prints what is not clean; exit status 1 then.
"""
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shlex
import subprocess
import sys

ROOMS = ("runtime", "schedules", "generators", "tuner", "tools")
JOBS = 2

tool, source, build, cache = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
include_folders = (source, source / "dsl", source / "runtime")


def included(path, seen):
    """The project's files that `path` includes, itself among them."""
    if path in seen:
        return seen
    seen.add(path)
    for name in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE):
        for folder in (path.parent, *include_folders):
            if (folder / name).is_file():
                included((folder / name).resolve(), seen)
                break
    return seen


def flags(command):
    """The compiler's arguments as clang understands them: without g++'s own warnings and its precompiled header."""
    words, kept = iter(shlex.split(command)[1:]), []
    for word in words:
        if word == "-include":
            next(words)
            kept += ["-include", "Halide.h"]
        elif word == "-o":
            next(words)
        elif word.startswith(("-I", "-D", "-std", "-isystem")):
            kept += [word, next(words)] if word == "-isystem" else [word]
    return kept + ["-Wall", "-Wextra"]


def key(path, arguments):
    digest = hashlib.sha256(VERSION + (source / ".clang-tidy").read_bytes() + " ".join(arguments).encode())
    for file in sorted(included(path, set())):
        digest.update(str(file).encode() + file.read_bytes())
    return digest.hexdigest()


def check(entry):
    path, arguments = pathlib.Path(entry["file"]), flags(entry["command"])
    mark = cache / key(path, arguments)
    if mark.exists():
        return path, True, ""
    result = subprocess.run([tool, "--quiet", str(path), "--", *arguments], capture_output=True, text=True)
    if result.returncode == 0:
        mark.touch()
    return path, False, "" if result.returncode == 0 else result.stdout + result.stderr


VERSION = subprocess.run([tool, "--version"], capture_output=True, check=True).stdout
cache.mkdir(parents=True, exist_ok=True)
entries = {}
for entry in json.loads((build / "compile_commands.json").read_text()):
    path = pathlib.Path(entry["file"])
    if path.is_relative_to(source) and path.relative_to(source).parts[0] in ROOMS and path.suffix == ".cpp":
        entries[path] = entry
unclean = known = 0
with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
    for path, was_known, said in pool.map(check, entries.values()):
        known += was_known
        if said:
            unclean += 1
            print(f"{path.relative_to(source)}:\n{said}")
print(f"clang-tidy: {len(entries)} files, {known} of them known to be clean, {unclean} not clean")
sys.exit(unclean > 0 or not entries)
