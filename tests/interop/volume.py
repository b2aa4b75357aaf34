"""Makes a volume with everything a backup meets, the same bytes every time: noise, text, zeros, holes, a ragged mix.

  volume.py PATH SIZE_MIB
"""
import random
import sys

MIB = 1 << 20


def main():
    path, size = sys.argv[1], int(sys.argv[2]) * MIB
    rng = random.Random(20260101)
    words = b"volume backup chunk object container metadata restore driver service status error zone offset".split()
    with open(path, "wb") as file:
        file.truncate(size)
        at = 0
        while at < size:
            kind = rng.randrange(4)
            length = min(size - at, rng.randrange(1, 3 * MIB))
            file.seek(at)
            if kind == 0:
                file.write(rng.randbytes(length))
            elif kind == 1:
                text = b" ".join(rng.choice(words) for _ in range(length // 5 + 1))
                file.write(text[:length])
            elif kind == 2:
                file.write(bytes(length))
            at += length


main()
