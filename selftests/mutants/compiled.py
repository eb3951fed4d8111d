# SPDX-License-Identifier: MIT
"""Does each mutant compile?

check() compiles each file alone, with all its mutants, by the command that the last 'build modules'
has used for the file.  If this fails, check() compiles the file with each mutant by itself.
"""
import os
import re
import subprocess

import mutants as lists
from guests import places

KERNEL = "newest"
FOLDER = "mutants-compiled"	# in build/


class Unit:
    """A copy of a source file, with some of its mutants."""

    def __init__(self, name, file, mutants):
        self.name, self.file, self.mutants = name, file, mutants

    @property
    def log(self):
        return os.path.join(places.BUILD, FOLDER, self.name + ".log")

    def write(self, release):
        """Write the copy.  Returns the shell command that compiles it, and prints its name after an error."""
        folder, base = os.path.split(self.file)
        recorded = os.path.join(places.BUILD, release, folder, f".{base[:-2]}.o.cmd")
        if not os.path.exists(recorded):
            raise lists.Wrong(f"{self.file} was not compiled for {release} yet: "
                              f"run selftests/vm/build modules {KERNEL}")
        command = lists.read(recorded).splitlines()[0].partition(" := ")[2]
        command = re.sub(r" -Wp,-MMD,\S+| -c -o .*", "", command)
        text = lists.mutate(lists.read(os.path.join(places.TOP, self.file)), self.mutants)
        with open(os.path.join(places.BUILD, FOLDER, self.name + ".c"), "w", encoding="utf-8") as out:
            out.write(f'#line 1 "{self.file}"\n{text}')
        return (f"cd /src && {command} -include build/{FOLDER}/mutant.h -c -o /dev/null "
                f"build/{FOLDER}/{self.name}.c >build/{FOLDER}/{self.name}.log 2>&1 || echo {self.name}\n")

    def error(self):
        """The compiler's first error."""
        errors = re.findall(r"^.*\berror: .*", lists.read(self.log), re.M)
        return errors[0] if errors else f"see {os.path.relpath(self.log)}"


def failing(units, release):
    """The units that do not compile."""
    commands = os.path.join(places.BUILD, FOLDER, "commands")
    with open(commands, "w", encoding="utf-8") as out:
        out.writelines(unit.write(release) for unit in units)
    # as 'build modules' does: the kernel's headers, and its compiler if that is another one
    environment = {**os.environ, "KERNEL": KERNEL}
    compiler = os.path.join(places.LAB, "compilers", KERNEL)
    if os.path.isdir(compiler):
        environment["IN_ROOT"] = compiler
    names = subprocess.run(
        [os.path.join(places.TOP, "selftests", "vm", "build"), "in-root", "sh", "-c",
         f"xargs -P {os.cpu_count()} -d '\\n' -n 1 sh -c </src/build/{FOLDER}/commands"],
        check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout.split()
    return [unit for unit in units if unit.name in names]


def check(mutants):
    """Raises Wrong, with a line for each mutant that does not compile."""
    release = places.kernel_of(KERNEL).release
    os.makedirs(os.path.join(places.BUILD, FOLDER), exist_ok=True)
    with open(os.path.join(places.BUILD, FOLDER, "mutant.h"), "w", encoding="utf-8") as out:
        out.write(lists.INCLUDED)
    by_file = {}
    for mutant in mutants:
        by_file.setdefault(mutant.file, []).append(mutant)
    files = failing([Unit("file-" + os.path.basename(file)[:-2], file, some)
                     for file, some in by_file.items()], release)
    if not files:
        return
    one_each = failing([Unit(mutant.name, unit.file, [mutant])
                        for unit in files for mutant in unit.mutants], release)
    explained = {unit.file for unit in one_each}
    errors = [f"{unit.mutants[0].where}: '{unit.name}' does not compile: {unit.error()}"
              for unit in one_each]
    # each of its mutants compiles by itself, but not all of them together
    errors += [f"{unit.file} does not compile with all its mutants: {unit.error()}"
               for unit in files if unit.file not in explained]
    raise lists.Wrong("\n".join(errors))
