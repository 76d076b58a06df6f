"""Makes byte-code for packhouse. The list has fields that end in NUL: the number of processes, then for each unit its number of
sources, the file for its messages, and for each source its path, its output and the path to embed.

Each unit is compiled in a process of its own, forked from this one: marshal writes a string in another way when the
interpreter happens to know it already, so what was compiled before must leave nothing behind; and what ends one unit's
process does not concern the others. A unit that came to its end has its file of messages.
"""

import errno
import importlib._bootstrap_external
import os
import py_compile
import sys
import traceback


def write(path, data, mode=0o666):
    """In place of importlib's own, which takes a short write (a full disk) for a whole one."""
    with open(path, "xb") as file:
        file.write(data)


importlib._bootstrap_external._write_atomic = write


def compile_unit(messages, sources):
    with open(messages + ".part", "w", encoding="utf-8", errors="backslashreplace") as file:
        for source, output, shown in sources:
            try:
                py_compile.compile(source, output, shown, True, 0, py_compile.PycInvalidationMode.UNCHECKED_HASH, 1)
            except (py_compile.PyCompileError, OSError) as error:
                # A name that leaves no room for the ending has no byte-code; a full disk is another matter.
                if isinstance(error, OSError) and error.errno != errno.ENAMETOOLONG:
                    raise
                print("%s: %s" % (shown, str(error).replace("\n", " ")), file=file)
    os.rename(messages + ".part", messages)


with open(sys.argv[1], "rb") as file:
    fields = [os.fsdecode(field) for field in file.read().split(b"\0")[:-1]]
processes, position, running = int(fields[0]), 1, 0
while position < len(fields):
    count, messages = int(fields[position]), fields[position + 1]
    end = position + 2 + 3 * count
    rows, position = fields[position + 2 : end], end
    if running == processes:
        os.wait()
        running -= 1
    if os.fork() == 0:
        try:
            compile_unit(messages, zip(rows[0::3], rows[1::3], rows[2::3]))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(0)
    running += 1
for _ in range(running):
    os.wait()
