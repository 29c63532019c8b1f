# SPDX-License-Identifier: GPL-2.0
"""Reads a file line by line, keeps a state of some megabytes, writes a line for each line read."""
import hashlib
import random
import sys

generator = random.Random(1)
seen = {}
chain = hashlib.sha256()
with open(sys.argv[1], encoding='ascii') as source, open(sys.argv[2], 'w', encoding='ascii') as target:
    for number, line in enumerate(source):
        for _ in range(40):
            key = generator.randrange(50000)
            seen.setdefault(key, []).append(number)
            chain.update(f'{line}{key}{len(seen[key])}'.encode())
        target.write(f'{number} {len(seen)} {chain.hexdigest()}\n')
print(f'{len(seen)} keys, {sum(map(len, seen.values()))} entries, {chain.hexdigest()}')
