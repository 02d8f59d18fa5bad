# Which files of the tree the checks read. SPDX-License-Identifier: Apache-2.0
import os

CODE = (".c", ".h", ".cc", ".cpp", ".hpp", ".def")
TEXT = CODE + (".py", ".sh", ".md", ".build", ".txt", ".svg", ".csv")
NAMED = ("setup.sh", "run")


def files(root, endings):
    """Paths below root, relative and sorted; hidden folders (but .ci) and build folders left out."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f == ".ci" or not f.startswith((".", "build", "__"))]
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), root)
            if name.endswith(endings) or (endings is TEXT and name in NAMED):
                found.append(path)
    return sorted(found)


def report(tool, problems, count):
    """Prints the problems and returns the exit status."""
    for problem in problems:
        print(problem)
    print(f"{tool}: {count} files, {len(problems)} problems")
    if count == 0:
        print(f"{tool}: nothing to check is a failure")
    return 1 if problems or count == 0 else 0
