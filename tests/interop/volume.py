"""Makes a volume with everything a backup meets, the same bytes every time; or changes a part of one.

  volume.py make dense|sparse|odd PATH SIZE_MIB     noise, text and zeros; mostly holes; 12345 bytes more than whole MiB
  volume.py change PATH SEED                        some ranges become noise, some zeros
"""
import random
import sys

MIB = 1 << 20


WORDS = b"volume backup chunk object container metadata restore driver service status error zone offset".split()


def text(rng, length):
    return b" ".join(rng.choice(WORDS) for _ in range(length // 5 + 1))[:length]


def make(shape, path, size):
    size = int(size) * MIB + (12345 if shape == "odd" else 0)
    rng = random.Random(20260101)
    with open(path, "wb") as file:
        file.truncate(size)
        at = 0
        while at < size:
            kind = rng.randrange(20 if shape == "sparse" else 3 if shape == "dense" else 4)
            length = min(size - at, rng.randrange(1, 3 * MIB))
            file.seek(at)
            if kind < 3:
                file.write([rng.randbytes, lambda count: text(rng, count), bytes][kind](length))
            at += length


def change(path, seed):
    rng = random.Random(int(seed))
    with open(path, "r+b") as file:
        size = file.seek(0, 2)
        for _ in range(12):
            length = rng.randrange(1, 200_000)
            file.seek(rng.randrange(size - length))
            file.write(rng.randbytes(length) if rng.randrange(3) else bytes(length))


{"make": make, "change": change}[sys.argv[1]](*sys.argv[2:])
