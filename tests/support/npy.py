"""Writes and shows .npy files for the tests of the command line, with Python's standard library alone.

    npy.py make FILE SHAPE [FIRST]     small integers, e.g. of shape 1x8x8x3; other FIRST, other numbers
    npy.py write FILE SHAPE VALUE...   these numbers
    npy.py write_int32, write_float64   the same with that element type
    npy.py header FILE DICT            that header, true or not, and one number
    npy.py show FILE                   shape and numbers on one line
"""
import ast
import struct
import sys


def write(path, dictionary, data):
    header = dictionary.encode()
    header += b" " * ((64 - (10 + len(header) + 1) % 64) % 64) + b"\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)


def extents(text):
    return [int(extent) for extent in text.split("x")]


def describe(shape, descr):
    return "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }" % (descr, "".join("%d, " % n for n in shape))


def small_integers(count, state):
    numbers = []
    for _ in range(count):
        state = (state * 1103515245 + 12345) % (1 << 31)
        numbers.append((state >> 16) % 9 - 4)
    return numbers


def write_numbers(path, shape, numbers, descr="<f4"):
    letter = {"<f4": "f", "<i4": "i", "<f8": "d"}[descr]
    write(path, describe(shape, descr), struct.pack("<%d%s" % (len(numbers), letter), *numbers))


def show(path):
    with open(path, "rb") as file:
        content = file.read()
    start = 10 + struct.unpack("<H", content[8:10])[0]
    facts = ast.literal_eval(content[10:start].decode().strip())
    letter = {"<f4": "f", "<i4": "i"}[facts["descr"]]
    numbers = struct.unpack("<%d%s" % ((len(content) - start) // 4, letter), content[start:])
    print("x".join(map(str, facts["shape"])), *("%.7g" % number for number in numbers))


def main(task, path, *arguments):
    if task == "show":
        return show(path)
    if task == "header":
        return write(path, arguments[0], b"\0" * 4)
    shape = extents(arguments[0])
    count = 1
    for extent in shape:
        count *= extent
    if task == "make":
        return write_numbers(path, shape, small_integers(count, int(arguments[1]) if len(arguments) > 1 else 1))
    descr = {"write": "<f4", "write_int32": "<i4", "write_float64": "<f8"}[task]
    number = int if descr == "<i4" else float
    return write_numbers(path, shape, [number(text) for text in arguments[1:]], descr)


main(*sys.argv[1:])
